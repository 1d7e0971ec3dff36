package activedirectory

import (
	"context"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/resetd/resetd/schemas"
)

// Classify reads what the account is. Privileged are the members of the groups that AdminSDHolder protects and of some more, direct or
// not, and whoever was one (adminCount).
func (d *directory) Classify(ctx context.Context, id schemas.Identity) (class schemas.Class, err error) {
	err = d.pool.With(ctx, func(s *session) error {
		a, f := d.read(ctx, s, id.ID, attrToken)
		if f != nil {
			return f
		}
		_, _, me, f := d.learn(ctx, s)
		if f != nil {
			return f
		}
		class = d.classOf(a, me)
		return nil
	})
	return class, err
}

// classOf judges an entry.
func (d *directory) classOf(a account, me self) schemas.Class {
	class := schemas.Class{Origin: schemas.OriginNative, Enabled: true, Evidence: a.evidence}
	why := []string{"a user of the domain"}
	if kind := a.service(me); kind != "" {
		class.Origin, why = schemas.OriginService, []string{kind}
	}
	if reasons := d.privileges(a); len(reasons) > 0 {
		class.Privileged = true
		why = append(why, reasons...)
	}
	switch {
	case !a.readable:
		why = append(why, "userAccountControl and pwdLastSet are hidden from resetd's account")
	case a.control&uacDisabled != 0:
		class.Enabled = false
		why = append(why, "it is disabled")
	case !a.expires.IsZero() && a.expires.Before(time.Now()):
		class.Enabled = false
		why = append(why, "it expired on "+a.expires.Format(time.DateOnly))
	}
	if a.computed&uacLocked != 0 {
		why = append(why, "it is locked after failed log-ins")
	}
	if void := a.void(); void != "" {
		why = append(why, void)
	}
	class.Why = strings.Join(why, "; ")
	return class
}

// Relative identifiers of accounts that no person signs in with ([MS-DTYP] 2.4.2.4).
const (
	ridGuest  = 501
	ridKrbtgt = 502
)

// service says what kind of account no person signs in with this is, and nothing for a person's.
func (a account) service(me self) string {
	_, rid := a.sid.split()
	switch {
	case a.ourselves(me):
		return "resetd itself signs in with this account"
	case a.has("msDS-GroupManagedServiceAccount"), a.has("msDS-ManagedServiceAccount"), a.has("msDS-DelegatedManagedServiceAccount"):
		return "a managed service account, whose password the domain makes and changes by itself"
	case rid == ridKrbtgt, a.name == "krbtgt", strings.HasPrefix(a.name, "krbtgt_"):
		return "the key of the domain's Kerberos (krbtgt)"
	case a.has("computer"), a.control&uacTrusts&^0x800 != 0:
		return "a computer's account"
	case a.control&0x800 != 0:
		return "the account of a trust between domains"
	case rid == ridGuest && a.critical:
		return "the built-in Guest account"
	case syncAccount.MatchString(a.name):
		return "the account by which Entra Connect reads the domain"
	case a.serves:
		return "an account that services run as (servicePrincipalName is set), which a new password would stop"
	case a.critical:
		return "a built-in account of the system (isCriticalSystemObject)"
	}
	return ""
}

// ourselves tells whether the account is the one that resetd signs in with: the one that its name leads to, or whose SID the
// session bears, which holds under every form of the name that a domain controller takes.
func (a account) ourselves(me self) bool {
	return me.guid != "" && a.guid == me.guid || a.sid.valid() && slices.Contains(me.token, a.sid)
}

// syncAccount is how Entra Connect names the account that it reads the domain with, hashes of passwords included.
var syncAccount = regexp.MustCompile(`(?i)^(MSOL|AAD)_[0-9a-f]{8,}$`)

// privilegedGroups are the groups by which somebody rules the domain or could come to rule it: of every domain by number, and the
// built-in ones by SID. Most of them are protected by AdminSDHolder ([MS-ADTS] 3.1.1.6.1.1).
var (
	privilegedRIDs = map[uint32]string{512: "Domain Admins", 516: "Domain Controllers", 518: "Schema Admins", 519: "Enterprise Admins",
		520: "Group Policy Creator Owners", 521: "Read-only Domain Controllers", 526: "Key Admins", 527: "Enterprise Key Admins"}
	privilegedBuiltin = map[string]string{"S-1-5-32-544": "Administrators", "S-1-5-32-548": "Account Operators", "S-1-5-32-549": "Server Operators",
		"S-1-5-32-550": "Print Operators", "S-1-5-32-551": "Backup Operators", "S-1-5-32-552": "Replicator"}
)

// grantGroups says how to let resetd read the groups of accounts ([MS-ADTS] 3.1.1.4.5.19).
const grantGroups = "add resetd's account to the group Windows Authorization Access Group"

// privileges says why an account is privileged, and nothing if it is not.
func (d *directory) privileges(a account) []string {
	var why []string
	if a.admin {
		why = append(why, "adminCount is 1: it is or was a member of a protected group")
	}
	domain, rid := a.sid.split()
	if rid == 500 {
		why = append(why, "the built-in Administrator")
	}
	if len(a.token) == 0 { // everybody is in a group, so this is hidden, and not empty
		why = append(why, "its groups are hidden from resetd's account (tokenGroups), so it counts as privileged; "+grantGroups)
	}
	if name, ok := privilegedRIDs[number(a.primary)]; ok && domain != "" {
		why = append(why, name+" is its primary group")
	}
	return append(why, d.ruling(a.token)...)
}

// ruling names the privileged groups in a token, sorted and each once.
func (d *directory) ruling(token []sid) []string {
	var why []string
	for _, one := range token {
		text := one.String()
		_, rid := one.split()
		switch name := privilegedRIDs[rid]; {
		case d.groups[text]:
			why = append(why, "member of "+text+" (protected_groups)")
		case name != "" && strings.HasPrefix(text, "S-1-5-21-"):
			why = append(why, "member of "+name)
		case privilegedBuiltin[text] != "":
			why = append(why, "member of "+privilegedBuiltin[text])
		}
	}
	slices.Sort(why)
	return slices.Compact(why)
}

// Revoke says that there is nothing to end.
func (d *directory) Revoke(context.Context, schemas.Identity) (schemas.Receipt, error) {
	return schemas.Receipt{Code: schemas.CodeUnsupported, Detail: "Active Directory cannot end sessions: Kerberos tickets that were handed out go on until they end, " +
		"10 hours after the log-in by default, and so do LDAP connections, desktops and the applications behind them; where that is too long, disable the account, " +
		"log the user off at the hosts, and revoke cloud sessions at their identity provider"}, nil
}
