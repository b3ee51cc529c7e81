#!/usr/bin/env bash
# row_08_controller_killed_test.sh DIR: SIGKILL of the controller, again and again, under load. (The kubelet waits longer before each
# restart, so the hundred deaths of this row are tests/scenario/faults_test.cc's; here it is the pod that survives.) The load is at the
# pod's address: the kubelet counts the sidecar in the pod's readiness, so the Service may leave a pod whose controller it holds back.
# shellcheck source=e2e/faults/fault.sh
source "$(dirname "$0")/fault.sh"

load_at=pod
under_load 1
pod=$(one_pod)
at=$(pod_addresses | head -n 1)
deaths=${WEIR_E2E_DEATHS:-4}
killed() {
  local old=$1 new
  new=$(container_pid "$pod" controller)
  [[ -n $new && $new != "$old" ]]
}
for turn in $(seq 1 "$deaths"); do
  old=$(container_pid "$pod" controller)
  kill -KILL "$old"
  check "death $turn: the kubelet starts another controller" within 120 killed "$old"
  new_route "after-$turn"
  check "death $turn: what changed is served" within 30 has_route "after-$turn" "$at" 8080
  kubectl -n "$world" delete ingress "after-$turn" >/dev/null
done
check "the dataplane was not restarted" is "$(restarts "$pod" dataplane)" 0
loses_nothing 2000
bounds+=("controllers killed $deaths")
fault_line 8
