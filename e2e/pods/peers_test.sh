#!/usr/bin/env bash
# peers_test.sh DIR: replicas find each other by their Service and trust each other by their Secret; a new Ingress gets its address,
# and none while the dataplane of a ready replica stands still; a client without a certificate is told nothing.
# shellcheck source=e2e/pods/stage.sh
source "$(dirname "$0")/stage.sh"

make_world
install_weir --set controller.replicaCount=2
mapfile -t replicas < <(pod_addresses)
check "there are two replicas" is "${#replicas[@]}" 2
leader_sees() { # STATE COUNT: the one that leads has a count above zero of some state
  local at
  for at in "${replicas[@]}"; do
    namespace curl -s --max-time 5 "http://$at:10255/metrics" | grep -xF "weir_controller_peers{state=\"$1\"} $2" >/dev/null && return
  done
  return 1
}
has_authorities() { kw get secret weir-peers -o json | jq -e '.data["authorities.json"] | length > 0' >/dev/null; }
check "the leader writes the authorities" within 30 has_authorities
check "it hears the other replica" within 30 leader_sees in_step 1

address_of() { kubectl -n "$world" get ingress "$1" -o jsonpath='{.status.loadBalancer.ingress[0].ip}'; }
has_address() { [[ -n $(address_of "$1") ]]; }
put_ingress() {
  kubectl -n "$world" delete ingress "$1" --ignore-not-found >/dev/null
  kubectl -n "$world" create ingress "$1" --class weir --rule "$1.test/*=echo:80" >/dev/null
}
put_ingress first
check "a new Ingress gets its address" within 20 has_address first

# The processes of the second pod's dataplane: the supervisor stops first and goes on last, so that it does not find the worker hanging.
pod=$(kw get pods -l app.kubernetes.io/name=weir -o json |
  jq -r --arg ip "${replicas[1]}" '.items[] | select(.status.podIP == $ip) | .metadata.name')
id=$(kw get pod "$pod" -o json | jq -r '.status.containerStatuses[] | select(.name == "dataplane") | .containerID | sub("containerd://"; "")')
supervisor=$(runtime tasks ls | awk -v id="$id" '$1 == id { print $2 }')
mapfile -t processes < <(echo "$supervisor" && pgrep -P "$supervisor")
kill -STOP "${processes[@]}"
put_ingress second
sleep 2 # the readiness probe takes longer than this to fail
check "none while a ready replica's dataplane stands still" is "$(address_of second)" ""
kill -CONT "${processes[@]:1}" && kill -CONT "$supervisor"
check "it comes when that goes on" within 20 has_address second

told() {
  local said
  said=$(namespace timeout 5 openssl s_client -connect "${replicas[0]}:10266" -tls1_3 </dev/null 2>/dev/null | grep -F '"applied"' || true)
  is "$said" ""
}
check "a client without a certificate is told nothing" told
kubectl -n "$world" delete ingress first second >/dev/null
