#!/usr/bin/env bash
# row_24_backends_test.sh DIR: backends that reset, cut, close idle connections, answer late and go (tests/scenario/backend_faults_test.cc with
# 10^5 requests), then one that goes silent in the middle of everything: its packets are dropped.
# shellcheck source=e2e/faults/alone/alone.sh disable=SC2119
source "$(dirname "$0")/alone.sh"

check "10^5 requests at failing backends" env WEIR_ROW_REQUESTS=100000 bash -c "'$binaries/scenario_backend_faults' >'$row/backends.log' 2>&1"
grep '^\[ row 24' "$row/backends.log" || true

# Half-open: connections to one of the two backends, those in the pool too, get no packet any more.
make_world
request PATCH "$ingresses/shop" -H 'Content-Type: application/merge-patch+json' >/dev/null --data-binary \
  '{"metadata":{"annotations":{"nginx.ingress.kubernetes.io/proxy-connect-timeout":"1","nginx.ingress.kubernetes.io/proxy-read-timeout":"5","nginx.ingress.kubernetes.io/proxy-next-upstream":"error timeout"}}}'
weir
get_ok() { # REQUESTS: how many of so many GETs, each on a connection of its own, were answered 200
  local n good=0
  for ((n = 0; n < $1; n++)); do [[ $(status_of "$http" "/$n" "$host") != 200 ]] || good=$((good + 1)); done
  echo "$good"
}
check "both backends answer" is "$(get_ok 40)" 40
inside nft -f - <<'NFT'
table inet half_open {
  chain silent { type filter hook input priority 0; ip daddr 10.200.1.2 tcp dport 8080 drop; ip saddr 10.200.1.2 tcp sport 8080 drop; }
}
NFT
start=$(millis)
good=$(get_ok 100)
inside nft delete table inet half_open
# What was in work there, or was written to a pooled connection, may wait for its time-out; GETs are tried elsewhere.
bound "GETs of 100 that failed while one of two backends was silent" $((100 - good)) 0
say "100 requests took $(($(millis) - start)) ms"
fault_line 24
