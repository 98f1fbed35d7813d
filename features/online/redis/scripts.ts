import { createHash } from 'node:crypto'

export interface Script { readonly source: string, readonly sha: string }

/** A script by its source; a server that has it is asked by the hash. */
export function script (source: string): Script { return { source, sha: createHash('sha1').update(source).digest('hex') } }

/**
 * Writes the rows of some entities, each where it is newer than the stored one. Two commands for all of them: read all, write what changed; the indexes
 * of tables change only when a row comes or goes. Everything that may be refused is refused before the first write (memory and rights are looked at by
 * Redis before the script; foreign keys here), and a script is alone on its server: nobody sees half of it.
 * KEYS: the entities. ARGV: what they would be if they had nothing yet (rows.ts, encodeBatch), milliseconds to live or 0.
 */
export const PUT: Script = script(`
local blob, live, at = ARGV[1], ARGV[2], 1
local read, sub, concat, abs, call = struct.unpack, string.sub, table.concat, math.abs, redis.call
local HEADER = '<Bc0I4d'
local values, count, changes = {}, 0, {}

local function gone (version) return version < 0 or (version == 0 and 1 / version < 0) end
local function change (key, command, name)
  local tag = string.find(key, '}e:', 1, true)
  changes[#changes + 1] = { command, sub(key, 1, tag) .. 't:' .. name, sub(key, tag + 3) }
end
local function put (key, value) values[count + 1] = key values[count + 2] = value count = count + 2 end

local function first (key, from, stop)
  local q = from + 1
  while q < stop do
    local name, size, version, start = read(HEADER, blob, q)
    if not gone(version) then change(key, 'SADD', name) end
    q = start + size
  end
  put(key, sub(blob, from, stop - 1))
end

-- What a processor writes each time: the same tables in the same order, each newer.
local function replaces (old, from, stop)
  local p, last, q = 2, #old, from + 1
  while p <= last and q < stop do
    local name, size, version, start = read(HEADER, old, p)
    local other, length, newer, begin = read(HEADER, blob, q)
    if name ~= other or version <= 0 or newer <= version then return false end
    p, q = start + size, begin + length
  end
  return p > last and q >= stop
end

local function merge (key, old, from, stop)
  if replaces(old, from, stop) then put(key, sub(blob, from, stop - 1)) return end
  local names, versions, starts, ends = {}, {}, {}, {}
  local q, n = from + 1, 0
  while q < stop do
    local name, size, version, start = read(HEADER, blob, q)
    n = n + 1
    names[name] = n
    versions[n], starts[n] = version, q
    q = start + size
    ends[n] = q - 1
  end
  local parts, kept, newer, p, last = { '\\1' }, 2, false, 2, #old
  while p <= last do
    local name, size, version, start = read(HEADER, old, p)
    local next = start + size
    local row = names[name]
    if row then
      names[name] = nil
      if abs(version) < abs(versions[row]) then
        if kept < p then parts[#parts + 1] = sub(old, kept, p - 1) end
        parts[#parts + 1] = sub(blob, starts[row], ends[row])
        kept, newer = next, true
        local was, is = gone(version), gone(versions[row])
        if was ~= is then change(key, is and 'SREM' or 'SADD', name) end
      end
    end
    p = next
  end
  if kept <= last then parts[#parts + 1] = sub(old, kept, last) end
  for name, row in pairs(names) do
    newer = true
    parts[#parts + 1] = sub(blob, starts[row], ends[row])
    if not gone(versions[row]) then change(key, 'SADD', name) end
  end
  if newer then put(key, concat(parts)) end
end

local stored = call('MGET', unpack(KEYS))
for e = 1, #KEYS do
  local length, from = read('<I4', blob, at)
  local old = stored[e]
  at = from + length
  if old then
    if string.byte(old, 1) ~= 1 then return redis.error_reply('LATIDOFORM unknown form of a value') end
    merge(KEYS[e], old, from, at)
  else
    if call('TYPE', KEYS[e]).ok ~= 'none' then return redis.error_reply('WRONGTYPE not a value of the online store') end
    first(KEYS[e], from, at)
  end
end
for i = 1, #changes do call(changes[i][1], changes[i][2], changes[i][3]) end
if count > 0 and live == '0' then call('MSET', unpack(values))
else for i = 1, count, 2 do call('SET', values[i], values[i + 1], 'PX', live) end end
return count / 2
`)

/** Takes an entity's value, and its name out of every index that has it. KEYS: the value. */
export const ERASE: Script = script(`
local old = redis.call('GET', KEYS[1])
if not old then return 0 end
if string.byte(old, 1) ~= 1 then return redis.error_reply('LATIDOFORM unknown form of a value') end
local tag = string.find(KEYS[1], '}e:', 1, true)
local p = 2
while p <= #old do
  local name, size, version, start = struct.unpack('<Bc0I4d', old, p)
  redis.call('SREM', string.sub(KEYS[1], 1, tag) .. 't:' .. name, string.sub(KEYS[1], tag + 3))
  p = start + size
end
return redis.call('DEL', KEYS[1])
`)

/** Takes entities whose value has expired out of an index. KEYS: the index. ARGV: entities. */
export const PRUNE: Script = script(`
local base = string.sub(KEYS[1], 1, string.find(KEYS[1], '}t:', 1, true))
for i = 1, #ARGV do
  if redis.call('EXISTS', base .. 'e:' .. ARGV[i]) == 0 then redis.call('SREM', KEYS[1], ARGV[i]) end
end
return 0
`)
