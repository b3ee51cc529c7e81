#!/usr/bin/env bash
# row_12_worker_hangs_test.sh DIR: the worker process hangs (SIGSTOP): the supervisor notices and replaces it.
# shellcheck source=e2e/faults/fault.sh
source "$(dirname "$0")/fault.sh"

make_world
install_weir
within 20 answers http "$(service_address)" 80 >/dev/null
pod=$(one_pod)
old=$(worker_pid "$pod")
kill -STOP "$old"
start=$(millis)
replaced() { local new; new=$(worker_pid "$pod"); [[ -n $new && $new != "$old" ]]; }
check "another worker takes its place" within 60 replaced
bound "noticed and replaced" $(($(millis) - start)) 5000 ms
check "it answers" within 10 answers http "$(service_address)" 80
bound "answered again" $(($(millis) - start)) 6000 ms
check "the container was not restarted" is "$(restarts "$pod" dataplane)" 0
check "the log says so" grep -qiE 'hang|hung|alive|silent|stuck|watchdog' <(kw logs "$pod" -c dataplane --tail=40)
fault_line 12
