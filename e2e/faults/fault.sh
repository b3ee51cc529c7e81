# shellcheck shell=bash disable=SC2034,SC2154
# What the fault rows share: Weir under load, its processes from outside, the line that each row prints at its end. Sourced in the
# place of pods/stage.sh. The rows are those of docs/testing-in-a-cluster.md.
# shellcheck source=e2e/pods/stage.sh
source "$(realpath "$(dirname "${BASH_SOURCE[0]}")")/../pods/stage.sh"

# shellcheck source=e2e/faults/bounds.sh
source "$(realpath "$(dirname "${BASH_SOURCE[0]}")")/bounds.sh"

# under_load REPLICAS [LOAD-ARG...]: the world, Weir, and clients of every kind that go on until loses_nothing.
under_load() {
  local replicas=$1
  shift
  make_world
  install_weir --set controller.replicaCount="$replicas"
  within 20 answers http "$(service_address)" 80 >/dev/null
  within 20 answers https "$(service_address)" 443 >/dev/null
  load_start fault "$@"
  load_reaches fault 500 30
}

# loses_nothing: goes on until WEIR_E2E_REQUESTS (100,000) have been asked in all, 2,000 of them after the last fault, ends the load, checks
# that none failed.
loses_nothing() {
  local all=${WEIR_E2E_REQUESTS:-100000} more=$(($(load_value fault requests) + 2000))
  load_reaches fault $((more > all ? more : all)) 300
  load_stop fault
  check "nothing was lost" nothing_lost fault
}

rm -f "$dir/load-fault"

# container_pid POD CONTAINER: its first process, as the host numbers it.
container_pid() {
  local id
  id=$(kw get pod "$1" -o json | jq -r --arg name "$2" '[.status.containerStatuses[]?, .status.initContainerStatuses[]?][]
    | select(.name == $name) | .containerID // "" | sub("containerd://"; "")')
  runtime tasks ls | awk -v id="$id" '$1 == id { print $2 }'
}
one_pod() { pod_names | head -n 1; }

# child_pid POD CONTAINER: what its first process keeps alive: the dataplane's worker process, the controller itself.
child_pid() { pgrep -P "$(container_pid "$1" "$2")" | head -n 1; }
worker_pid() { child_pid "$1" dataplane; }
controller_pid() { child_pid "$1" controller; }

# restarts POD CONTAINER
restarts() {
  kw get pod "$1" -o json | jq -r --arg name "$2" \
    '[.status.containerStatuses[]?, .status.initContainerStatuses[]?][] | select(.name == $name) | .restartCount'
}

# reaches_api_server POD: there is a way from the pod to the API server. Behind the server's return the node's proxy has to hear of it
# first, with a back-off of its own.
reaches_api_server() {
  nsenter --target "$(container_pid "$1" dataplane)" --net curl -sk -o /dev/null --max-time 1 --noproxy '*' https://10.96.0.1:443/
}

# metric ADDRESS PORT NAME: the sum of its series.
metric() {
  namespace curl -s --max-time 5 --noproxy '*' "http://$1:$2/metrics" |
    awk -v name="$3" '$1 == name || index($1, name "{") == 1 { sum += $2 } END { printf "%d\n", sum }'
}
leader() { kw get lease -o jsonpath='{.items[0].spec.holderIdentity}'; }

# new_route NAME: one more Ingress, host NAME.test; answered when the dataplane has it.
new_route() {
  kubectl apply -f - >/dev/null <<YAML
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: $1, namespace: $world}
spec:
  ingressClassName: weir
  rules:
  - host: $1.test
    http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: echo, port: {name: http}}}}]}
YAML
}
has_route() {
  namespace curl -sf --max-time 5 --noproxy '*' -H "Host: $1.test" "http://${2:-$(service_address)}:${3:-80}/" | grep '^GET / echo' >/dev/null
}
