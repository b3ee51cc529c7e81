#!/usr/bin/env bash
# row_34_starved_test.sh DIR: the dataplane gets a tenth of a processor for 20 s: the watchdog does not take slowness for a hang, and
# nothing is lost.
# shellcheck source=e2e/faults/fault.sh
source "$(dirname "$0")/fault.sh"

under_load 1 --pace 20
pod=$(one_pod)
worker=$(worker_pid "$pod")
# give PER-CENT: of one processor; -1: all.
give() {
  local group
  group=$(awk -F: '$2 ~ /(^|,)cpu(,|$)/ { print $3; exit } $1 == 0 { v2 = $3 } END { if (v2) print v2 }' "/proc/$worker/cgroup" | head -n 1)
  if [[ -e /sys/fs/cgroup/cpu$group/cpu.cfs_quota_us ]]; then
    echo $(($1 < 0 ? -1 : $1 * 1000)) >"/sys/fs/cgroup/cpu$group/cpu.cfs_quota_us"
  else
    echo "$(($1 < 0 ? 0 : $1 * 1000))" | sed 's/^0$/max/; s/$/ 100000/' >"/sys/fs/cgroup$group/cpu.max"
  fi
}
check "a tenth of a processor" give 10
sleep "${WEIR_E2E_STARVED:-20}"
check "all of it again" give -1
check "the same worker lives" is "$(worker_pid "$pod")" "$worker"
bound "restarts of the dataplane" "$(restarts "$pod" dataplane)" 0 ""
loses_nothing
fault_line 34
