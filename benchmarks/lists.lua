-- For wrk: ask for the lists of the users in the file GARS_USERS, one after the other, and print one line of figures.
local users, turn = {}, 0
for line in io.lines(os.getenv("GARS_USERS")) do users[#users + 1] = line end

function request()
  turn = turn % #users + 1
  return wrk.format("GET", "/api/v1/users/" .. users[turn] .. "/recommendations?k=20")
end

function done(summary, latency)
  local errors = summary.errors
  local failed = errors.connect + errors.read + errors.write + errors.status + errors.timeout
  io.write(string.format("%d %d %f %f %f %f\n", summary.requests, failed, summary.duration / 1e6,
    latency:percentile(50) / 1e3, latency:percentile(95) / 1e3, latency:percentile(99) / 1e3))
end
