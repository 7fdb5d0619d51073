"""Lua scripts for atomic updates in Redis. Each script touches keys of one slot only.

They are sent with EVAL: Redis caches them by their text, and a pipeline to a Redis Cluster takes no EVALSHA
(nor the method ``eval``, only the command).
"""

PUT_STATE = """
-- KEYS: state, tombstone.  ARGV: version, state, seconds to live (0: for ever), offset in the log ('': unknown),
-- channel, then messages.  Returns 0: refused, 1: kept, 2: kept and new.
if ARGV[4] ~= '' then
  local barred = redis.call('HGET', KEYS[2], 'offset')
  if barred and tonumber(ARGV[4]) <= tonumber(barred) then return 0 end  -- from before the user was forgotten
end
local held = redis.call('HGET', KEYS[1], 'version')
if held and tonumber(held) > tonumber(ARGV[1]) then return 0 end
redis.call('HSET', KEYS[1], 'version', ARGV[1], 'state', ARGV[2])
if tonumber(ARGV[3]) > 0 then redis.call('EXPIRE', KEYS[1], ARGV[3]) end
for i = 6, #ARGV do redis.call('PUBLISH', ARGV[5], ARGV[i]) end
return held and 1 or 2
"""

PUT_INITIAL = """
-- KEYS: state, tombstone.  ARGV: state, seconds to live.  Returns as PUT_STATE.
if redis.call('EXISTS', KEYS[2]) == 1 then return 0 end
local held = redis.call('HGET', KEYS[1], 'version')
if held and tonumber(held) > 0 then return 0 end
redis.call('HSET', KEYS[1], 'version', 0, 'state', ARGV[1])
if tonumber(ARGV[2]) > 0 then redis.call('EXPIRE', KEYS[1], ARGV[2]) end
return held and 1 or 2
"""

FORGET_STATE = """
-- KEYS: state, tombstone.  ARGV: offset in the log ('': unknown).  Returns how many states went.
redis.call('HSET', KEYS[2], 'forgotten', 1)
if ARGV[1] ~= '' then
  local held = redis.call('HGET', KEYS[2], 'offset')
  if not held or tonumber(held) < tonumber(ARGV[1]) then redis.call('HSET', KEYS[2], 'offset', ARGV[1]) end
end
return redis.call('DEL', KEYS[1])
"""

PUT_TOMBSTONE = """
-- KEYS: tombstone.  ARGV: offset, time in ms.  Neither moves back.  Returns the offset it holds now.
local offset, time = redis.call('HGET', KEYS[1], 'offset'), redis.call('HGET', KEYS[1], 'time_ms')
if not offset or tonumber(offset) < tonumber(ARGV[1]) then offset = ARGV[1] end
if not time or tonumber(time) < tonumber(ARGV[2]) then time = ARGV[2] end
redis.call('HSET', KEYS[1], 'offset', offset, 'time_ms', time, 'settled', 0)
return offset
"""

SETTLE_TOMBSTONE = """
-- KEYS: tombstone.  Marks it, if there is one.
if redis.call('HEXISTS', KEYS[1], 'time_ms') == 1 then redis.call('HSET', KEYS[1], 'settled', 1) end
"""

MOVE_TOMBSTONE = """
-- KEYS: name, new name.  Moves a tombstone; of two the later offset and time count, and it is settled if both are.
if redis.call('EXISTS', KEYS[2]) == 0 then
  if redis.call('EXISTS', KEYS[1]) == 1 then redis.call('RENAME', KEYS[1], KEYS[2]) end
  return
end
for _, field in ipairs({'offset', 'time_ms'}) do
  local old, new = redis.call('HGET', KEYS[1], field), redis.call('HGET', KEYS[2], field)
  if old and (not new or tonumber(old) > tonumber(new)) then redis.call('HSET', KEYS[2], field, old) end
end
if redis.call('HGET', KEYS[1], 'forgotten') then redis.call('HSET', KEYS[2], 'forgotten', 1) end
local settled = redis.call('HGET', KEYS[1], 'settled')
if settled and (settled == '0' or redis.call('HEXISTS', KEYS[2], 'settled') == 0) then
  redis.call('HSET', KEYS[2], 'settled', settled)
end
redis.call('DEL', KEYS[1])
"""

KEEP_TOMBSTONE_KEY = """
-- KEYS: key of the tombstones.  ARGV: digest, key ('': it is in a file).  Keeps both if there is no digest yet.
-- Returns the digest and the key that are there now.
if redis.call('HSETNX', KEYS[1], 'digest', ARGV[1]) == 1 and ARGV[2] ~= '' then
  redis.call('HSET', KEYS[1], 'key', ARGV[2])
end
return redis.call('HMGET', KEYS[1], 'digest', 'key')
"""
