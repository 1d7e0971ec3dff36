package main

import (
	"math/rand/v2"
	"net/url"
	"strconv"
	"time"

	"github.com/resetd/resetd/schemas"
)

// query is one kind of search.
type query struct {
	name string
	// next gives the parameters of one search, different each time where there is something to vary.
	next func(r *rand.Rand, now time.Time) url.Values
	// some and none say whether a full history has matches; neither holds for kinds that vary.
	some, none bool
}

// params makes parameters out of names and values in turn.
func params(pairs ...string) url.Values {
	v := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		v.Set(pairs[i], pairs[i+1])
	}
	return v
}

func fixed(pairs ...string) func(*rand.Rand, time.Time) url.Values {
	return func(*rand.Rand, time.Time) url.Values { return params(pairs...) }
}

// during adds a stretch of time of some length, somewhere within the history.
func during(long time.Duration, pairs ...string) func(*rand.Rand, time.Time) url.Values {
	return func(r *rand.Rand, now time.Time) url.Values {
		from := now.Add(-historySpan + time.Duration(r.Int64N(int64(historySpan-long)))).UTC()
		v := params(pairs...)
		v.Set("from", from.Format(time.RFC3339))
		v.Set("to", from.Add(long).Format(time.RFC3339))
		return v
	}
}

// about gives a part of some account's name.
func about(part func(r *rand.Rand) string, pairs ...string) func(*rand.Rand, time.Time) url.Values {
	return func(r *rand.Rand, _ time.Time) url.Values {
		v := params(pairs...)
		v.Set("q", part(r))
		return v
	}
}

func one(list []string) func(*rand.Rand) string {
	return func(r *rand.Rand) string { return list[r.IntN(len(list))] }
}

func whole(r *rand.Rand) string { return account(r.IntN(accounts)) }

// selective is a last name with a number: about one account in four thousand.
func selective(r *rand.Rand) string {
	return lastNames[r.IntN(len(lastNames))] + strconv.Itoa(100+r.IntN(40)) + "@"
}

const (
	day  = 24 * time.Hour
	week = 7 * day
)

// queries is every kind of search that is measured.
var queries = []query{
	{name: "no filter", next: fixed(), some: true},
	{name: "status, usual", next: fixed("status", string(schemas.StatusSuccessful)), some: true},
	{name: "status, rare", next: fixed("status", string(schemas.StatusPendingApproval)), some: true},
	{name: "status, no match", next: fixed("status", string(schemas.StatusPartiallySuccessful)), none: true},
	{name: "source, usual", next: fixed("source", "soar"), some: true},
	{name: "source, rare", next: fixed("source", "audit"), some: true},
	{name: "source, no match", next: fixed("source", "nobody"), none: true},
	{name: "system, usual", next: fixed("system", "corp-ad"), some: true},
	{name: "system, rare", next: fixed("system", "old-ldap"), some: true},
	{name: "system, no match", next: fixed("system", "no-such"), none: true},
	{name: "an hour", next: during(time.Hour), some: true},
	{name: "a week", next: during(week), some: true},
	{name: "status + week", next: during(week, "status", string(schemas.StatusUnsuccessful)), some: true},
	{name: "source + system", next: fixed("source", "siem", "system", "google"), some: true},
	{name: "rare source + rare system", next: fixed("source", "audit", "system", "old-ldap")},
	{name: "rare status + usual source", next: fixed("status", string(schemas.StatusPendingApproval), "source", "soar"), some: true},
	{name: "usual status + rare system", next: fixed("status", string(schemas.StatusSuccessful), "system", "old-ldap"), some: true},
	{name: "status + source + system + week", next: during(week, "status", string(schemas.StatusUnsuccessful), "source", "tickets", "system", "plant-ldap")},
	{name: "rare system + day", next: during(day, "system", "old-ldap")},
	{name: "account, whole", next: about(whole), some: true},
	{name: "part, selective", next: about(selective), some: true},
	{name: "part, usual (4 %)", next: about(one(firstNames[:4])), some: true},
	{name: "part, in every account", next: about(one([]string{"example", "@example.com", ".com"})), some: true},
	{name: "part, no match", next: about(one([]string{"zzqqyy", "nosuchaccount", "anna.berger9999999"})), none: true},
	{name: "part of 2, usual", next: about(one([]string{"an", "er", "la"})), some: true},
	{name: "part of 2, no match", next: about(one([]string{"qz", "0x", "..", "@@"})), none: true},
	{name: "part of 1", next: about(one([]string{"a", "7", "@"})), some: true},
	{name: "part of 1, no match", next: about(one([]string{"!", "#", "~"})), none: true},
	{name: "usual part + rare status", next: about(one(firstNames[:4]), "status", string(schemas.StatusPendingApproval))},
	{name: "usual part + rare source", next: about(one(firstNames[:4]), "source", "audit")},
	{name: "usual part + rare system", next: about(one(firstNames[:4]), "system", "old-ldap")},
	{name: "selective part + rare system", next: about(selective, "system", "old-ldap")},
	{name: "part of 2 + rare system", next: about(one([]string{"an", "er", "zz"}), "system", "old-ldap")},
	{name: "part of 2 + hour", next: func(r *rand.Rand, now time.Time) url.Values {
		v := during(time.Hour)(r, now)
		v.Set("q", "an")
		return v
	}},
	{name: "selective part + week", next: func(r *rand.Rand, now time.Time) url.Values {
		v := during(week)(r, now)
		v.Set("q", selective(r))
		return v
	}},
}
