-- For wrk: post batches of 100 clicks, each with an id of its own, of the users and anime in the files GARS_USERS, GARS_ANIME.
local function lines(name)
  local found = {}
  for line in io.lines(os.getenv(name)) do found[#found + 1] = line end
  return found
end

local users, anime, batch, sent = lines("GARS_USERS"), lines("GARS_ANIME"), 100, 0
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"

function request()
  local events = {}
  for place = 1, batch do
    sent = sent + 1
    events[place] = string.format('{"user_id":"%s","anime_id":%s,"kind":"click","event_id":"%012d-%s"}',
      users[sent * 7 % #users + 1], anime[sent * 13 % #anime + 1], sent, os.getenv("GARS_RUN"))
  end
  return wrk.format(nil, "/api/v1/interactions", nil, '{"events":[' .. table.concat(events, ",") .. "]}")
end

function done(summary, latency)
  local errors = summary.errors
  local failed = errors.connect + errors.read + errors.write + errors.status + errors.timeout
  io.write(string.format("%d %d %f %f %f %f\n", summary.requests, failed, summary.duration / 1e6,
    latency:percentile(50) / 1e3, latency:percentile(95) / 1e3, latency:percentile(99) / 1e3))
end
