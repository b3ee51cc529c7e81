#!/usr/bin/env bash
# row_33_signals_test.sh DIR: storms of signals that mean nothing to a proxy, to all four processes of a pod, under load.
# shellcheck source=e2e/faults/fault.sh
source "$(dirname "$0")/fault.sh"

under_load 1
pod=$(one_pod)
all_processes() {
  echo "$(container_pid "$pod" controller) $(controller_pid "$pod") $(container_pid "$pod" dataplane) $(worker_pid "$pod")"
}
processes=$(all_processes)
check "there are four processes" is "$(wc -w <<<"$processes")" 4
for _ in $(seq 1 200); do
  for signal in HUP USR1 USR2 PIPE; do
    # shellcheck disable=SC2086 # a list of words
    kill -s "$signal" $processes || break 2
  done
  sleep 0.02
done
same() { is "$(all_processes)" "$processes"; }
check "they are the same after 200 of each of HUP, USR1, USR2, PIPE" same
loses_nothing
bounds+=("signals $((200 * 4 * 4))")
fault_line 33
