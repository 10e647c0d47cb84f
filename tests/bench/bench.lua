-- For wrk: no two requests ask for the same path, so that no server knows a head by heart.

local start = "GET /hello?"
local rest = " HTTP/1.1\r\nHost: " .. wrk.host .. ":" .. wrk.port .. "\r\n\r\n"
local number = 0

function request()
    number = number + 1
    return start .. number .. rest
end
