#!/usr/bin/env bash
# changes_test.sh DIR: 10^6 requests through 1,000 changes of every kind (endpoints, routes, certificates, settings): nothing lost,
# nothing closed. Once more under pressure: a dataplane of the version before, its memory at 85 % of the limit, stopped for 30 s in between.
# WEIR_E2E_CHANGES and WEIR_E2E_REQUESTS say other numbers, WEIR_E2E_LAST_BIN the folder of the version before.
# shellcheck source=e2e/faults/alone/alone.sh disable=SC2119
source "$(dirname "$0")/alone.sh"

changes=${WEIR_E2E_CHANGES:-1000}
requests=${WEIR_E2E_REQUESTS:-1000000}
last=${WEIR_E2E_LAST_BIN:?the folder of the version before}
echo_backends=(10.200.1.1 10.200.1.2 10.200.1.3)

# The world, and host moved.test between the Services left and right.
make_moving_world() {
  make_world
  process backend3 "$binaries/weir-e2e-backend" --name echo --address 10.200.1.3
  for name in left right; do
    service "$name"
    slice "$name" "$([[ $name == left ]] && echo 10.200.1.4 || echo 10.200.1.5)"
    process "$name" "$binaries/weir-e2e-backend" --name "$name" --address "$([[ $name == left ]] && echo 10.200.1.4 || echo 10.200.1.5)"
  done
  route moved moved.test left
}

# change N: the Nth change.
change() {
  local n=$1 side
  case $((n % 4)) in
    0) slice echo "${echo_backends[$((n / 4 % 3))]}" "${echo_backends[$(((n / 4 + 1) % 3))]}" ;;
    1)
      side=$([[ $((n / 4 % 2)) == 0 ]] && echo right || echo left)
      route moved moved.test "$side"
      ;;
    2) certificate world "$host" ;;
    3)
      request PATCH "$ingresses/shop" -H 'Content-Type: application/merge-patch+json' >/dev/null --data-binary \
        "{\"metadata\":{\"annotations\":{\"nginx.ingress.kubernetes.io/proxy-read-timeout\":\"$((60 + n % 50))\"}}}"
      route "extra$((n / 4 % 10))" "extra$((n / 4 % 10)).test" "$([[ $((n / 40 % 2)) == 0 ]] && echo echo || echo left)"
      ;;
  esac
}

# paced_change N: the Nth change; returns when its share of the requests has been asked, so that changes come no faster than these.
paced_change() {
  change "$1"
  while (($(asked_in_all) * changes < $1 * requests)); do sleep 0.1; done
}

loads_start() {
  load_start fault --address 127.0.0.1 --http-port "$http" --https-port "$https" --pace 0 --seconds 3000 --patience 90
  load_host=moved.test load_backends=left,right load_start moved --address 127.0.0.1 --http-port "$http" --https-port "$https" --pace 0 \
    --seconds 3000 --patience 90 --keep-alive 2 --fresh 1 --websockets 1 --streams 1
  load_reaches fault 200 30
}
asked_in_all() { echo $(($(load_value fault requests) + $(load_value moved requests))); }

# run_changes: all of them spread over the requests; then the load ends and nothing was lost.
run_changes() {
  local n start=$SECONDS level every=$(((changes + 9) / 10))
  looks=0 pressed=0
  for ((n = 0; n < changes; n++)); do
    paced_change "$n"
    if (((n + 1) % every == 0)); then
      level=$(metric "$dataplane_admin" weir_memory_pressure)
      looks=$((looks + 1)) pressed=$((pressed + (level > 0)))
      say "$((n + 1)) changes, $(asked_in_all) requests, $((SECONDS - start)) s; resident $(resident) KiB, memory pressure $level"
    fi
    [[ $n != $((changes / 2)) || -z ${in_the_middle:-} ]] || "$in_the_middle"
  done
  while (($(asked_in_all) < requests)); do sleep 0.5; done
  load_stop moved
  load_stop fault
  closed=$(($(load_value fault closed) + $(load_value moved closed)))
  say "$changes changes in $((SECONDS - start)) s; $(asked_in_all) requests"
  check "nothing was lost" nothing_lost fault
  check "nor on the host that moves" nothing_lost moved
  bound "$1: requests $(asked_in_all), changes $changes; lost" "$(($(load_value fault failed) + $(load_value moved failed)))" 0
  bound "$1: closed" "$closed" 0
}

serves_the_newest() {
  local served
  served=$(inside openssl s_client -connect "127.0.0.1:$https" -servername "$host" </dev/null 2>/dev/null | openssl x509 -noout -fingerprint)
  is "$served" "$(openssl x509 -noout -fingerprint -in "$row/world.crt")"
}

resident() { awk '/^VmRSS/ { print $2 }' "/proc/$(worker_pid)/status"; } # KiB

stop_for_30_s() {
  local worker
  worker=$(worker_pid)
  kill -STOP "${pids[dataplane]}" "$worker"
  sleep 30
  kill -CONT "$worker" "${pids[dataplane]}"
  say "the dataplane was stopped for 30 s"
}

make_moving_world
weir
loads_start
run_changes "quiet"
check "the newest certificate is served" within 10 serves_the_newest
finished controller
finished dataplane

# What the version before holds under this load and these changes is 85 % of its limit: connections keep the contexts and snapshots
# that they began with.
programs_at=$last dataplane
controller
within 30 answers >/dev/null
loads_start
load_reaches fault 20000 120
for ((n = 0; n < changes / 10; n++)); do paced_change "$n"; done
limit=$(($(resident) * 1024 * 100 / 85))
load_stop moved
load_stop fault
finished controller
finished dataplane
programs_at=$last dataplane --memory-limit "$limit"
controller
within 30 answers >/dev/null
loads_start
in_the_middle=stop_for_30_s
first_worker=$(worker_pid)
run_changes "under pressure"
check "the newest certificate is served" within 10 serves_the_newest
check "it is the same worker process" is "$(worker_pid)" "$first_worker"
bound "looks of $looks at which memory was not short" $((looks - pressed)) $((looks / 5))
rm -f "$dir/load-fault" # both runs are in the bounds
fault_line changes
