-- For wrk: ask for the lists of the users in the file GARS_USERS, one after the other.
dofile(os.getenv("GARS_FIGURES"))
local users, turn = {}, 0
for line in io.lines(os.getenv("GARS_USERS")) do users[#users + 1] = line end
local token = os.getenv("GARS_TOKEN")
if token then wrk.headers["Authorization"] = "Bearer " .. token end

function request()
  turn = turn % #users + 1
  return wrk.format("GET", "/api/v1/users/" .. users[turn] .. "/recommendations?k=20")
end
