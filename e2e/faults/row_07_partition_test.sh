#!/usr/bin/env bash
# row_07_partition_test.sh DIR: nothing passes between the controller and the API server, in silence, while connections stay open
# (rows 5 and 7). Traffic does not notice; after the partition everything that changed meanwhile is served within a bound.
# shellcheck source=e2e/faults/fault.sh
source "$(dirname "$0")/fault.sh"

under_load 1
pod=$(pod_addresses | head -n 1)
partition() {
  namespace nft -f - <<NFT
table inet weir_partition {
  chain from { type filter hook prerouting priority 10; ip saddr $pod tcp dport 6443 drop; }
  chain to { type filter hook output priority 10; ip daddr $pod tcp sport 6443 drop; }
}
NFT
}
heal() { namespace nft delete table inet weir_partition; }

namespace nft delete table inet weir_partition 2>/dev/null || true
check "the partition begins" partition
long=${WEIR_E2E_PARTITION:-75}
new_route meanwhile
sleep "$long"
not_served() { ! has_route meanwhile "$pod" 8080; }
check "it was a partition: the change has not come through" not_served
check "still ready" namespace curl -sf --max-time 5 --noproxy '*' "http://$pod:10254/readyz"
check "the partition ends" heal
start=$(millis)
check "what changed meanwhile is served" within 90 has_route meanwhile
bound "served after a partition of $long s within" $(($(millis) - start)) 5000 ms
kubectl -n "$world" delete ingress meanwhile >/dev/null
loses_nothing
fault_line "5 and 7"
