-- For wrk: post batches of 100 clicks, each with an id of its own, of the users and anime in the files GARS_USERS, GARS_ANIME.
local function lines(name)
  local found = {}
  for line in io.lines(os.getenv(name)) do found[#found + 1] = line end
  return found
end

dofile(os.getenv("GARS_FIGURES"))
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
