#!/usr/bin/env bash
# row_29_hundred_thousand_test.sh DIR: 100,000 Ingresses with a host each on a real API server: cold start of both programs until the last is
# answered, what one change takes then, and how many series the dataplane shows while nobody asks. WEIR_E2E_INGRESSES: another number.
# shellcheck source=e2e/faults/alone/alone.sh disable=SC2119
source "$(dirname "$0")/alone.sh"

count=${WEIR_E2E_INGRESSES:-100000}
last=web-$((count - 1)).team-$(((count - 1) % 100)).test

say "writing $count Ingresses into etcd"
inside python3 "$top/e2e/scale/fill.py" "$count" >/dev/null
at_end+=('inside python3 "$top/e2e/scale/fill.py" 0 >/dev/null')
# The API server has them when it serves the last.
within 120 request GET "$networking/namespaces/team-$(((count - 1) % 100))/ingresses/web-$((count - 1))" >/dev/null

start=$(millis)
dataplane
# Their status is left alone: a hundred thousand writes would be the API server's work, not ours.
controller --no-update-status
# There are no backends: 502 or 503 says that the route is there.
served() { [[ $(status_of "$http" / "$last") == 50[234] ]]; }
check "the last of $count is served" within 300 served
bound "cold start with $count Ingresses" $(($(millis) - start)) 30000 ms
used() { awk '{ sum += $1 } END { printf "%.1f", sum / 1e9 }' "/proc/$1"/task/*/schedstat; }
say "processor time: controller $(used "${pids[controller]}") s, dataplane $(used "$(worker_pid)") s; load of the machine $(cut -d' ' -f1-3 /proc/loadavg)"
say "resident: controller $(awk '/^VmRSS/ { print int($2 / 1024) }' "/proc/${pids[controller]}/status") MiB, dataplane $(awk '/^VmRSS/ { print int($2 / 1024) }' "/proc/$(worker_pid)/status") MiB"

series=$(inside curl -s --noproxy '*' "http://127.0.0.1:$dataplane_admin/metrics" | grep -vc '^#')
bound "series of the dataplane with $count routes without traffic" "$series" 1000

read -r p50 p99 longest < <(inside python3 "$top/e2e/scale/changes.py" "$dir" "$networking/namespaces/team-7/ingresses/web-7" web-7.team-7.test "$http" 300)
say "one change live after $p50 ms p50, $p99 ms p99, $longest ms at most"
bound "one change live, p99 of 300" "$p99" 100 ms
fault_line 29
