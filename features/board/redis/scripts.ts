/** Writes document ARGV[1] of version ARGV[2] at KEYS[1], unless what stands there, or its removal (KEYS[2]), is as new or newer. */
export const PUT_SCRIPT = `
local stored = redis.call('JSON.GET', KEYS[1], '$.version')
if stored and (tonumber(string.match(stored, '%d+')) or -1) >= tonumber(ARGV[2]) then return 0 end
local removed = redis.call('GET', KEYS[2])
if removed and tonumber(removed) >= tonumber(ARGV[2]) then return 0 end
redis.call('JSON.SET', KEYS[1], '$', ARGV[1])
return 1`

/** Takes KEYS[1] out, unless it is as new as version ARGV[1] or newer; KEYS[2] remembers the removal for ARGV[2] seconds. */
export const REMOVE_SCRIPT = `
local stored = redis.call('JSON.GET', KEYS[1], '$.version')
if stored and (tonumber(string.match(stored, '%d+')) or -1) >= tonumber(ARGV[1]) then return 0 end
redis.call('DEL', KEYS[1])
local removed = redis.call('GET', KEYS[2])
if not removed or tonumber(removed) < tonumber(ARGV[1]) then redis.call('SET', KEYS[2], ARGV[1], 'EX', ARGV[2]) end
return 1`

/** The next version, kept at KEYS[1]: never below the server's time in milliseconds, so that a Redis that lost it gives out no number that is still under way. */
export const VERSION_SCRIPT = `
local time = redis.call('TIME')
local version = math.max((tonumber(redis.call('GET', KEYS[1]) or '0') or 0) + 1, time[1] * 1000 + math.floor(time[2] / 1000))
local text = string.format('%.0f', version)
redis.call('SET', KEYS[1], text)
return text`
