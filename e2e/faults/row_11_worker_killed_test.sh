#!/usr/bin/env bash
# row_11_worker_killed_test.sh DIR: the dataplane's worker process is killed: the supervisor kept the listeners, so no connection is
# refused, and another serves soon. Only requests in work fail.
# shellcheck source=e2e/faults/fault.sh
source "$(dirname "$0")/fault.sh"

make_world
install_weir
within 20 answers http "$(service_address)" 80 >/dev/null
pod=$(one_pod)
# Clients with a connection for each request: a handful may be in work when the worker dies.
load_start fault --keep-alive 0 --fresh 2 --websockets 0 --streams 0
load_reaches fault 200 30
deaths=5
for turn in $(seq 1 $deaths); do
  old=$(worker_pid "$pod")
  kill -KILL "$old"
  start=$(millis)
  check "death $turn: answered again" within 10 answers http "$(service_address)" 80
  bound "death $turn: answered again after" $(($(millis) - start)) 2000 ms
  check "death $turn: another worker" test "$(worker_pid "$pod")" != "$old"
  sleep 1
done
check "the container was not restarted" is "$(restarts "$pod" dataplane)" 0
load_stop fault
bound "connections refused" "$(load_value fault not_connected)" 0 ""
# Each death may take one request of each of the two clients.
bound "requests that failed" "$(load_value fault failed)" $((deaths * 2)) ""
fault_line 11
