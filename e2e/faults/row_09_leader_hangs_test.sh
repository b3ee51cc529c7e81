#!/usr/bin/env bash
# row_09_leader_hangs_test.sh DIR: the leading controller is stopped (SIGSTOP): another takes over within 20 s. When it goes on again
# there are two for a moment (row 10): the old one writes nothing any more.
# shellcheck source=e2e/faults/fault.sh
source "$(dirname "$0")/fault.sh"

under_load 2
led() { [[ -n $(leader) ]]; }
check "there is a leader" within 30 led
first=$(leader)
# With its guard, which would start another in its place: the whole container hangs.
hung="$(container_pid "$first" controller) $(controller_pid "$first")"
# shellcheck disable=SC2086 # a list of words
kill -STOP $hung
start=$(millis)
other_leads() { [[ -n $(leader) && $(leader) != "$first" ]]; }
check "another takes over" within 60 other_leads
bound "takeover" $(($(millis) - start)) 20000 ms
second=$(leader)

status_has() { is "$(kubectl -n "$world" get ingress shop -o jsonpath='{.status.loadBalancer.ingress[*].ip}')" "$1"; }
load_balancer=203.0.113.10
give_load_balancer
start=$(millis)
check "the new leader writes status" within 90 status_has 203.0.113.10
# The replica that hangs is ready still, for its dataplane serves: its word is waited for as long as the patience has (30 s).
bound "status by the new leader" $(($(millis) - start)) 40000 ms
# shellcheck disable=SC2086 # a list of words
kill -CONT $hung
regressions=0
for _ in $(seq 1 50); do
  status_has 203.0.113.10 >/dev/null || regressions=$((regressions + 1))
  sleep 0.2
done
bound "regressions of status after the old leader went on" "$regressions" 0 ""
check "the second still leads" is "$(leader)" "$second"
loses_nothing
fault_line "9 and 10"
