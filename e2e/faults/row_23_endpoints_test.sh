#!/usr/bin/env bash
# row_23_endpoints_test.sh DIR: endpoints come and go by rolling restarts and scaling of the backends under load; then none is left
# (503, at once) and one comes back.
# shellcheck source=e2e/faults/fault.sh
source "$(dirname "$0")/fault.sh"

under_load 1
backends() { kubectl -n "$world" scale deployment/echo --replicas="$1" >/dev/null; }
settled() { kubectl -n "$world" rollout status deployment/echo --timeout=120s >/dev/null; }
for turn in 1 2 3; do
  backends 5
  check "turn $turn: five backends" settled
  kubectl -n "$world" rollout restart deployment/echo >/dev/null
  check "turn $turn: all of them replaced" settled
  backends 2
  check "turn $turn: two backends" settled
  sleep 4 # those that were taken away end
done
loses_nothing
backends 0
none() { is "$(namespace curl -s -o /dev/null -w '%{http_code}' --max-time 5 --noproxy '*' -H "Host: $host" "http://$(service_address)/")" 503; }
check "with no backend the answer is 503" within 30 none
start=$(millis)
none >/dev/null
bound "503 within" $(($(millis) - start)) 1500 ms
backends 2
check "and the first one that is back serves" within 60 answers http "$(service_address)" 80
fault_line 23
