#!/usr/bin/env bash
# rolling_test.sh DIR: three replicas behind the cluster's Service, restarted one after the other three times, under mixed load.
# Nothing of at least 10^5 requests is lost; WebSockets that nobody ends live until the drain bound of their pod.
# shellcheck source=e2e/pods/stage.sh
source "$(dirname "$0")/stage.sh"

requests=${WEIR_E2E_REQUESTS:-100000}
make_world
install_weir --set controller.replicaCount=3
within 10 answers http "$(service_address)" 80 >/dev/null
load_start rolling --keep-alive 8 --fresh 4 --websockets 4 --streams 4 --held 12 --pace 1
load_reaches rolling 1000 30

# The time at which each pod was told to end, in seconds of the epoch.
ends=$dir/rolling-ends
: >"$ends"
note_ends() {
  kw get pods -o json | jq -r '.items[] | select(.metadata.deletionTimestamp != null)
    | "\(.metadata.name) \((.metadata.deletionTimestamp | fromdate) - .metadata.deletionGracePeriodSeconds)"' >>"$ends"
}
rolled() {
  note_ends
  kw rollout status deployment/weir --watch=false | grep 'successfully rolled out' >/dev/null
}
ended() {
  note_ends
  is "$(kw get pods -o name | wc -l)" 3
}
for turn in 1 2 3; do
  start=$(millis)
  kw rollout restart deployment/weir >/dev/null
  check "rolling restart $turn" within 120 rolled
  check "restart $turn: the replaced pods have ended" within 60 ended
  say "restart $turn: $(($(millis) - start)) ms, $(load_value rolling requests) requests so far"
done
check "at least $requests requests" load_reaches rolling "$requests" 400
load_stop rolling
check "nothing was lost" nothing_lost rolling
say "$(load_summary rolling)"

# Each end of a held WebSocket belongs to a pod whose bound was then.
ends_at_bounds() {
  local end told wrong=0 bound=$((shutdown_delay + drain_timeout))
  while read -r end; do
    told=$(awk '{ print $2 }' "$ends" | sort -u |
      awk -v end="$end" -v bound="$bound" '{ d = end - $1 - bound; if (d > -1.5 && d < 4) print $1 }' | head -n 1)
    [[ -n $told ]] || { echo "a WebSocket ended at $end; pods were told to end at:"; sort -u "$ends"; wrong=1; }
  done < <(sed -n 's/^held_end=//p' "$dir/load-rolling")
  return $wrong
}
check "held WebSockets ended only at the drain bound, $((shutdown_delay + drain_timeout)) s after their pod's end began" ends_at_bounds
check "held WebSockets were ended" at_least "$(grep -c '^held_end' "$dir/load-rolling" || true)" 1
