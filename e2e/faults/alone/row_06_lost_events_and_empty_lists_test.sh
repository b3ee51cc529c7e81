#!/usr/bin/env bash
# row_06_lost_events_and_empty_lists_test.sh DIR: watch events are lost, doubled and swapped while objects change, then lists are
# suddenly empty: no request fails, the drop is held and alarmed, and after a new list everything is as the API server says.
# shellcheck source=e2e/faults/alone/alone.sh disable=SC2119
source "$(dirname "$0")/alone.sh"

make_world
service other
slice other 10.200.1.3
process backend3 "$binaries/weir-e2e-backend" --name other --address 10.200.1.3
behind_proxy
weir
under_load

# churn: 20 routes come, 20 move to the other Service, 10 of them go.
churn() {
  local i
  for i in $(seq 1 20); do route "r$i" "r$i.test" echo; done
  for i in $(seq 1 20); do route "r$i" "r$i.test" other; done
  for i in $(seq 1 10); do request DELETE "$ingresses/r$i" >/dev/null; done
}
# as_it_is: each of the 20 hosts is answered as the API server's objects say.
as_it_is() {
  local i
  for i in $(seq 1 10); do answers "r$i.test" 404 || return 1; done
  for i in $(seq 11 20); do
    inside curl -s --max-time 5 --noproxy '*' -H "Host: r$i.test" "http://127.0.0.1:$http/" | grep ' other ' >/dev/null || { echo "r$i.test"; return 1; }
  done
}

relist=0
for how in double swap lose; do
  sick "{\"events\": \"$how\", \"relist\": $relist}"
  churn
  relist=$((relist + 1))
  sick "{\"relist\": $relist}"
  check "events that come $how: after a new list all is as the server says" within 20 as_it_is
done

held() { at_least "$(metric "$controller_admin" weir_controller_source_held_kinds)" "$1"; }
relist=$((relist + 1))
sick "{\"relist\": $relist, \"empty\": [\"ingresses\", \"services\", \"endpointslices\"]}"
check "empty lists are held" within 20 held 3
check "and the log says so" within 5 grep -q 'the API server suddenly has none of' "$row/controller.log"
sleep 10
check "nothing was removed after 10 s" answers
check "nor from the others" as_it_is
sick "{\"relist\": $relist}"
none_held() { is "$(metric "$controller_admin" weir_controller_source_held_kinds)" 0; }
check "the hold ends when the lists are full again" within 20 none_held
loses_nothing 100000

relist=$((relist + 1))
start=$(millis)
sick "{\"relist\": $relist, \"empty\": [\"ingresses\"]}"
check "an empty list that lasts is believed after the grace time" within 60 answers "$host" 404
held_for=$((($(millis) - start) / 1000))
check "which is 30 s" at_least "$held_for" 25
bound "removed after" "$held_for" 45 s
fault_line 6
