#!/usr/bin/env bash
# row_01_api_server_down_test.sh DIR: the API server is away for a while; traffic and readiness do not notice; what changed after its
# return is served. The history that the watches had is compacted meanwhile (row 4).
# shellcheck source=e2e/faults/fault.sh
source "$(dirname "$0")/fault.sh"

under_load 1
pod=$(pod_addresses | head -n 1)
api_server() { bash "$here/apiserver.sh" "$dir" "$1"; }
etcd_revision() {
  namespace curl -s http://127.0.0.1:2379/v3/maintenance/status -d '{}' | jq -r .header.revision
}
compact() { namespace curl -s http://127.0.0.1:2379/v3/kv/compaction -d "{\"revision\": $(etcd_revision), \"physical\": true}" >/dev/null; }

api_server stop
ready() { namespace curl -sf --max-time 5 --noproxy '*' "http://$pod:10254/readyz"; }
away=${WEIR_E2E_AWAY:-15}
end=$((SECONDS + away))
unready=0
while ((SECONDS < end)); do
  ready >/dev/null || unready=$((unready + 1))
  sleep 0.5
done
bound "looks at readiness that failed while the API server was away for $away s" "$unready" 0 ""
compact
api_server start
start=$(millis)
within 30 new_route late
check "the pod reaches it again" within 90 reaches_api_server "$(one_pod)"
say "it does $(($(millis) - start)) ms after its return"
start=$(millis)
check "a route that was made after its return is served" within 60 has_route late
bound "served, once the pod reaches it, within" $(($(millis) - start)) 5000 ms
check "the controller was not restarted" is "$(restarts "$(one_pod)" controller)" 0
kubectl -n "$world" delete ingress late >/dev/null
loses_nothing
fault_line "1 and 4"
