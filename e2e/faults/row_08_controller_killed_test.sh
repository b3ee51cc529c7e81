#!/usr/bin/env bash
# row_08_controller_killed_test.sh DIR: SIGKILL of the controller, a hundred times, under load at the address of the Service, whose only
# pod is this one. Its guard starts it again at once, the pod stays ready, the dataplane goes on; what changed meanwhile is served.
# shellcheck source=e2e/faults/fault.sh
source "$(dirname "$0")/fault.sh"

deaths=${WEIR_E2E_DEATHS:-100}
under_load 1
pod=$(one_pod)
slowest=0 late=0
killed() {
  local new
  new=$(controller_pid "$pod")
  [[ -n $new && $new != "$1" ]]
}
for turn in $(seq 1 "$deaths"); do
  old=$(controller_pid "$pod")
  kill -KILL "$old"
  start=$(millis)
  within 30 killed "$old" >/dev/null || late=$((late + 1))
  new_route "after-$turn"
  within 30 has_route "after-$turn" >/dev/null || late=$((late + 1))
  took=$(($(millis) - start))
  ((took <= slowest)) || slowest=$took
  kubectl -n "$world" delete ingress "after-$turn" --wait=false >/dev/null
done
bound "of $deaths deaths, those after which no controller or no change came" "$late" 0 ""
bound "slowest, from a death to a route made after it" "$slowest" 10000 ms
check "no container was restarted" is "$(restarts "$pod" controller) $(restarts "$pod" dataplane)" "0 0"
loses_nothing
bound "connections closed while idle" "$(load_value fault closed)" 0 ""
bounds+=("controllers killed $deaths")
fault_line 8
