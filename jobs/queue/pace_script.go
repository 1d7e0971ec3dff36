package queue

import "github.com/redis/go-redis/v9"

// turnsScript reserves turns of a system in the replicas' common book, by the clock of Redis. Times are microseconds. The
// arithmetic, and why it never gives more turns than fit into a second, is in connectors/pace_schedule.go; what is more
// here is that replicas which do not show themselves keep their share: they may go by it on their own.
//
// KEYS: the system's state, the members. ARGV: our id; time between turns (ns); how many, or 0 to be told the state only; 1
// for nothing in the first second, because we may have called by our own share a moment ago; how long a member counts
// as present, how long as known; the span. It gives: now; the place of the first turn; until where turns may be taken
// early; the time between turns (ns); the end of the pause; the share of the pace in thousandths.
var turnsScript = redis.NewScript(`
local t = redis.call("TIME")
local now = tonumber(t[1]) * 1000000 + tonumber(t[2])
local s = redis.call("HMGET", KEYS[1], "next", "early", "held", "share", "slowed")
local first, early, held = tonumber(s[1]) or now, tonumber(s[2]) or 0, tonumber(s[3]) or 0
local share = 1
if s[5] then share = math.min(1, tonumber(s[4]) + 0.05 * math.max(0, now - tonumber(s[5])) / 1000000) end
if held > now + 3605000000 then held = 0 end -- the clock was set back
local n = tonumber(ARGV[3])
if n == 0 then return {now, 0, 0, 0, held, math.floor(share * 1000)} end

redis.call("ZADD", KEYS[2], now, ARGV[1])
local present = redis.call("ZCOUNT", KEYS[2], now - tonumber(ARGV[5]), "+inf")
local known = redis.call("ZCOUNT", KEYS[2], now - tonumber(ARGV[6]), "+inf")
local every, span = tonumber(ARGV[2]) / 1000, tonumber(ARGV[7])
if present < known then
	local whole = math.floor(span / every * present / known + 0.000001)
	if whole >= 1 then every = span / whole else every = every * known / present end
end
every = every / share
if first > now + 1000 * every + 3605000000 then first, early = now, 0 end -- the clock was set back
if ARGV[4] == "1" and first < now + span then first, early = now + span, 0 end
if first < held then first, early = held, 0 end
if now >= first then early, first = now + math.min(span, now - first), now end
local after = first + n * every
redis.call("HSET", KEYS[1], "next", string.format("%.3f", after), "early", string.format("%.0f", early))
redis.call("PEXPIRE", KEYS[1], math.ceil(math.max(86400000, (after - now) / 1000 + 60000)))
redis.call("PEXPIRE", KEYS[2], 86400000)
return {now, math.ceil(first), math.floor(early), math.ceil(every * 1000), held, math.floor(share * 1000)}`)

// holdScript begins or lengthens a pause of a system and lowers its pace, at most every two seconds.
//
// KEYS: the system's state. ARGV: the pause (µs), 1 for a slower pace.
var holdScript = redis.NewScript(`
local t = redis.call("TIME")
local now = tonumber(t[1]) * 1000000 + tonumber(t[2])
local s = redis.call("HMGET", KEYS[1], "held", "share", "slowed")
local held = now + tonumber(ARGV[1])
if held > (tonumber(s[1]) or 0) then redis.call("HSET", KEYS[1], "held", string.format("%.0f", held)) end
if ARGV[2] == "1" then
	local share, slowed = 1, tonumber(s[3])
	if slowed then share = math.min(1, tonumber(s[2]) + 0.05 * math.max(0, now - slowed) / 1000000) end
	if not slowed or now - slowed >= 2000000 or now < slowed then
		redis.call("HSET", KEYS[1], "share", string.format("%.4f", math.max(0.1, share * 0.7)), "slowed", string.format("%.0f", now))
	end
end
redis.call("PEXPIRE", KEYS[1], 86400000)
return 1`)

// beatScript shows that a replica is there and gives all that are known.
//
// KEYS: the members. ARGV: our id; how long a member counts as present; how long as known; and, after we had lost sight of
// Redis, the ids of the others that we knew: they may go by their own share still, so they count as known but not present.
var beatScript = redis.NewScript(`
local t = redis.call("TIME")
local now = tonumber(t[1]) * 1000000 + tonumber(t[2])
local absent = now - tonumber(ARGV[2]) - 1
for i = 4, #ARGV do
	local seen = tonumber(redis.call("ZSCORE", KEYS[1], ARGV[i]) or 0)
	if seen < absent then redis.call("ZADD", KEYS[1], absent, ARGV[i]) end
end
redis.call("ZADD", KEYS[1], now, ARGV[1])
redis.call("ZREMRANGEBYSCORE", KEYS[1], "-inf", string.format("(%.0f", now - tonumber(ARGV[3])))
redis.call("ZREMRANGEBYSCORE", KEYS[1], string.format("(%.0f", now + 60000000), "+inf")
redis.call("PEXPIRE", KEYS[1], 86400000)
local out = redis.call("ZRANGE", KEYS[1], 0, -1)
table.insert(out, 1, string.format("%.0f", now))
return out`)
