#!/usr/bin/env bash
# row_03_slow_and_busy_api_server_test.sh DIR: the API server takes 5 s for each answer, then answers 429 with Retry-After: traffic
# goes on, Retry-After is honoured, nothing is asked in a hot loop, and what changed meanwhile arrives.
# shellcheck source=e2e/faults/alone/alone.sh disable=SC2119
source "$(dirname "$0")/alone.sh"

make_world
behind_proxy
weir
under_load

calls_in() { # SECONDS: calls a second, in hundredths
  local start
  start=$(date +%s.%N)
  sleep "$1"
  echo $(($(asked "$start") * 100 / $1))
}

sick '{"delay": 5, "relist": 1}'
bound "calls in a second, each answered after 5 s, in hundredths" "$(calls_in 20)" 200
check "it is ready all the time" is "$(status_of "$controller_admin" /readyz)" 200
sick '{"delay": 5, "relist": 1}'
route slow slow.test echo
start=$(millis)
check "a change is served although each answer takes 5 s" within 60 answers slow.test
bound "until it is served" $(($(millis) - start)) 20000 ms

sick '{"status": 429, "retry_after": 7, "relist": 2}'
sleep 1 # every watch has been told to list anew, and has been refused once
start=$(date +%s.%N)
sleep 20
kinds=4 # Ingress, IngressClass, Service, EndpointSlice
bound "lists in 20 s of 429 with Retry-After: 7" "$(asked "$start" ' GET .*limit=')" $((kinds * 3))
bound "calls in a second meanwhile, in hundredths" $(($(asked "$start") * 5)) 200
sick '{}'
route late late.test echo
start=$(millis)
check "a change is served when the server is well again" within 30 answers late.test
bound "until it is served" $(($(millis) - start)) 15000 ms
loses_nothing 100000
fault_line 3
