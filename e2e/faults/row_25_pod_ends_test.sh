#!/usr/bin/env bash
# row_25_pod_ends_test.sh DIR: one of two pods is told to end, under load: it goes on accepting for the delay, says that connections
# close, finishes what is in work, ends before its grace is over, with 0.
# shellcheck source=e2e/faults/fault.sh
source "$(dirname "$0")/fault.sh"

under_load 2
pod=$(one_pod)
dataplane=$(container_pid "$pod" dataplane)
kw delete pod "$pod" --wait=false >/dev/null
start=$(millis)
has_ended() { ! kill -0 "$dataplane"; }
check "the dataplane ends" within 60 has_ended
# The longest request of the load takes a second; WebSockets end after one.
bound "ended after" $(($(millis) - start)) $(((shutdown_delay + 5) * 1000)) ms
loses_nothing
fault_line 25
