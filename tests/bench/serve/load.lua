-- wrk's part: sends one of the bodies in the file BODIES, in an order of its own, and prints one JSON line at the end.
local bodies = {}
for line in io.lines(os.getenv("BODIES")) do bodies[#bodies + 1] = line end
local headers = { ["Content-Type"] = "application/json", ["Accept"] = "application/json" }
local requests = {}

function init(args)
  math.randomseed(42)
  for i, body in ipairs(bodies) do requests[i] = wrk.format("POST", "/graphql", headers, body) end
end

function request()
  return requests[math.random(#requests)]
end

function done(summary, latency, all)
  local e = summary.errors
  io.write(string.format(
    '\nRESULT {"requests": %d, "seconds": %.6f, "bytes": %d, "p50_ms": %.4f, "p99_ms": %.4f, "errors": %d}\n',
    summary.requests, summary.duration / 1e6, summary.bytes, latency:percentile(50) / 1000, latency:percentile(99) / 1000,
    e.connect + e.read + e.write + e.status + e.timeout))
end
