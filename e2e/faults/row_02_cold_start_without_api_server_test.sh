#!/usr/bin/env bash
# row_02_cold_start_without_api_server_test.sh DIR: both containers start anew while the API server is away: not ready, 503; the
# first answer comes within a bound of its return.
# shellcheck source=e2e/faults/fault.sh
source "$(dirname "$0")/fault.sh"

make_world
install_weir
name=$(one_pod)
pod=$(pod_addresses | head -n 1)
within 20 answers http "$pod" 8080 >/dev/null
controller=$(container_pid "$name" controller)
dataplane=$(container_pid "$name" dataplane)
check "the API server stops" bash "$here/apiserver.sh" "$dir" stop
kill -KILL "$controller" "$dataplane"

status_is() { is "$(namespace curl -s -o /dev/null -w '%{http_code}' --max-time 5 --noproxy '*' "http://$pod:$1$2" || true)" "$3"; }
check "the new dataplane is alive" within 30 status_is 10254 /healthz 200
check "and not ready" within 5 status_is 10254 /readyz 503
sleep 3
check "and stays not ready" within 5 status_is 10254 /readyz 503
check "the API server starts" bash "$here/apiserver.sh" "$dir" start
check "the pod reaches it again" within 90 reaches_api_server "$name"
start=$(millis)
check "it answers" within 60 answers http "$pod" 8080
say "controllers that ended in between: $(($(restarts "$name" controller) - 1))"
bound "first answer after the API server's return to the pod" $(($(millis) - start)) 2000 ms
fault_line 2
