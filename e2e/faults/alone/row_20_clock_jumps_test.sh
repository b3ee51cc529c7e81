#!/usr/bin/env bash
# row_20_clock_jumps_test.sh DIR: the wall clock of both programs jumps by an hour, a day and a second, both ways (libfaketime); timers
# follow the monotonic clock, so nothing fails, nothing is closed, nothing expires in a mass, and both stay what they were.
# shellcheck source=e2e/faults/alone/alone.sh disable=SC2119
source "$(dirname "$0")/alone.sh"

library=$(find /usr/lib -name 'libfaketime.so.1' | head -n 1)
[[ -n $library ]] || fail "no libfaketime: apt-get install libfaketime"
clock() { echo "$1" >"$row/clock.part"; mv "$row/clock.part" "$row/clock"; }
faked=(env LD_PRELOAD="$library" FAKETIME_TIMESTAMP_FILE="$row/clock" FAKETIME_CACHE_DURATION=1 FAKETIME_DONT_FAKE_MONOTONIC=1)

make_world
clock +0
process dataplane "${faked[@]}" "$binaries/weir-dataplane" --control-socket "$row/control.sock" --dump-socket "$row/dump.sock" \
  --admin-port "$dataplane_admin" --workers 1 --shutdown-delay 0 --drain-timeout 1s --access-log-path "$row/access.log"
process controller "${faked[@]}" "$binaries/weir-controller" --kubeconfig "$kubeconfig" --control-socket "$row/control.sock" --http-port "$http" \
  --https-port "$https" --admin-port "$controller_admin" --publish-status-address 192.0.2.1 --pod-name row --pod-namespace "$world"
within 30 answers >/dev/null
worker=$(worker_pid)
log_hour() { tail -n 200 "$row/access.log" | grep -o '[0-9][0-9]:[0-9][0-9]:[0-9][0-9]' | tail -n 1; }
under_load --held 4
real=$(date -u +%H)
for jump in +3600 -3600 -86400 +86400 -1 +1 +0; do
  clock "$jump"
  sleep 4
  route "jump" "jump.test" echo
  check "clock $jump s: a change is served" within 20 answers jump.test
  request DELETE "$ingresses/jump" >/dev/null
  [[ $jump != +3600 ]] || check "the programs saw it" test "$(log_hour | cut -d: -f1)" != "$real"
done
check "the same worker serves" is "$(worker_pid)" "$worker"
check "held WebSockets live" is "$(load_value fault held)" 4
loses_nothing 100000

# A certificate whose time is over by the clock is served on, and told: its metric is what it was.
expiry=$(inside curl -s --noproxy '*' "http://127.0.0.1:$controller_admin/metrics" | grep -c '^nginx_ingress_controller_ssl_expire_time_seconds' || true)
clock +8640000
sleep 3
handshake() { inside openssl s_client -connect "127.0.0.1:$https" -servername "$host" </dev/null 2>/dev/null | grep 'BEGIN CERTIFICATE' >/dev/null; }
check "100 days later handshakes still succeed" within 5 handshake
check "no certificate is forgotten" is "$(inside curl -s --noproxy '*' "http://127.0.0.1:$controller_admin/metrics" | grep -c '^nginx_ingress_controller_ssl_expire_time_seconds' || true)" "$expiry"
fault_line 20
