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
deaths=20
at=$(service_address)
# What one question costs without a death: two processes are started for it.
start=$(millis)
for _ in 1 2 3 4 5; do answers http "$at" 80; done
question=$((($(millis) - start) / 5))
# Connections and nothing else, one after the other: none is refused. (The load counts a handshake that the death cut too.)
knock() {
  # shellcheck disable=SC2016 # the inner shell expands them
  exec nsenter --net="/run/netns/$(cat "$dir/netns")" bash -c 'tries=0 refused=0
    trap "echo \$tries \$refused >$2; exit" TERM
    while :; do tries=$((tries + 1)); (exec 3<>"/dev/tcp/$1/80") 2>/dev/null || refused=$((refused + 1)); done' knock "$at" "$dir/log/knocks"
}
rm -f "$dir/log/knocks"
knock 9>&- &
load_pids[knock]=$!
slowest=0
for turn in $(seq 1 $deaths); do
  old=$(worker_pid "$pod")
  kill -KILL "$old"
  start=$(millis)
  within 10 answers http "$at" 80 >/dev/null || failed=$((failed + 1))
  took=$(($(millis) - start - question))
  ((took <= slowest)) || slowest=$took
  times+=" $took"
  [[ $(worker_pid "$pod") != "$old" ]] || { echo "death $turn: the same worker"; failed=$((failed + 1)); }
  sleep 1.2 # not a quick end: those are started again later and later
done
say "answered again after, in ms, without the $question ms of a question:$times"
bound "slowest of $deaths deaths, answered again after" "$slowest" 200 ms
check "the container was not restarted" is "$(restarts "$pod" dataplane)" 0
load_stop fault
load_stop knock
read -r tries refused <"$dir/log/knocks"
bound "connections refused, of $tries" "$refused" 0 ""
# Each death may take one request of each of the two clients.
bound "requests that failed" "$(load_value fault failed)" $((deaths * 2)) ""
fault_line 11
