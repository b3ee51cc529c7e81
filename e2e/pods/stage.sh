# shellcheck shell=bash disable=SC2034,SC2154
# What the tests in a cluster share: words for checks, Weir's release, the world that it serves, the load. A test is a script
#
#   #!/usr/bin/env bash
#   source "$(dirname "$0")/stage.sh"        (faults: ../pods/stage.sh)
#   check "what is so" COMMAND...
#
# started as `TEST DIR` with the folder of a cluster that node_up.sh made and prepare.sh filled. At its end, however it ends,
# its load and its release are gone, and the exit code says whether every check held.
set -euo pipefail
here=$(realpath "$(dirname "${BASH_SOURCE[0]}")/../cluster")
top=$(realpath "$here/../..")
pods=$top/e2e/pods
dir=$(realpath "${1:?the folder of a cluster}")
# shellcheck source=e2e/cluster/common.sh
source "$here/common.sh"
# shellcheck source=e2e/cluster/node_common.sh
source "$here/node_common.sh"
# shellcheck source=e2e/pods/load.sh
source "$pods/load.sh"

binaries=${WEIR_E2E_BUILD:-$top/build/release/bin}
release=weir           # of helm, and its namespace
world=shop             # the namespace of what is served
host=shop.test         # the host of its Ingress
load_balancer=203.0.113.9 # the address that the test writes into the Service's status, as a cloud would
shutdown_delay=4       # as in values.yaml
drain_timeout=10
find_node_programs
helm_programs=${WEIR_HELM_BIN:-$("$top/tools/dev/go_programs.sh" tests/helm/tools)}

# shellcheck source=e2e/cluster/checks.sh
source "$here/checks.sh"

# --- the cluster's tools ---

helm() {
  HELM_CACHE_HOME=$dir/helm/cache HELM_CONFIG_HOME=$dir/helm/config HELM_DATA_HOME=$dir/helm/data \
    KUBECONFIG=$dir/admin.kubeconfig namespace "$helm_programs/helm" "$@"
}

kw() { kubectl -n "$release" "$@"; }

# The addresses and names of Weir's pods that are ready and not ending.
pod_addresses() { pod_list '{.status.podIP}'; }
pod_names() { pod_list '{.metadata.name}'; }
pod_list() {
  kw get pods -l app.kubernetes.io/name=weir -o json |
    jq -r --arg what "$1" '.items[] | select(.metadata.deletionTimestamp == null)
      | select(any(.status.conditions[]?; .type == "Ready" and .status == "True"))
      | if $what == "{.status.podIP}" then .status.podIP else .metadata.name end'
}
service_address() { kw get service weir -o jsonpath='{.spec.clusterIP}'; }

# fetch SCHEME ADDRESS PORT [CURL-ARG...]: asks for / of the world's host there; TLS by the world's CA alone.
fetch() {
  local scheme=$1 at=$2 port=$3
  shift 3
  namespace curl -sS --max-time 5 --noproxy '*' --cacert "$dir/world/ca.crt" --resolve "$host:$port:$at" "$@" \
    "$scheme://$host:$port/"
}

answers() { fetch "$@" -f | grep '^GET / echo' >/dev/null; }

# --- the release ---

# install_weir [HELM-ARG...]: installs or upgrades; returns when its pods are ready.
install_weir() {
  with_cloud helm upgrade --install "$release" "$top/helm/weir" --namespace "$release" --create-namespace --values "$pods/values.yaml" \
    --wait --timeout 120s "$@" >/dev/null
}

# Also when it was never installed.
uninstall_weir() {
  helm uninstall "$release" --namespace "$release" --wait --timeout 120s --ignore-not-found >/dev/null
  kubectl delete namespace "$release" --ignore-not-found --timeout=120s >/dev/null
}

# rollout SECONDS: until every pod is of the newest kind and ready.
rollout() { kw rollout status deployment/weir --timeout="${1}s" >/dev/null; }

# As a cloud does: the Service gets its address.
give_load_balancer() {
  kw patch service weir --subresource=status --type=merge \
    -p "{\"status\":{\"loadBalancer\":{\"ingress\":[{\"ip\":\"$load_balancer\",\"ipMode\":\"VIP\"}]}}}" >/dev/null
}

# A cloud while COMMAND... runs, for helm waits until a Service of type LoadBalancer has an address.
with_cloud() {
  local cloud status=0
  (until give_load_balancer 2>/dev/null; do sleep 0.3; done) &
  cloud=$!
  "$@" || status=$?
  kill "$cloud" 2>/dev/null || true
  wait "$cloud" 2>/dev/null || true
  return "$status"
}

# --- the world ---

# A CA and a certificate for the world's host, in DIR/world.
world_certificate() {
  [[ ! -e $dir/world/tls.crt ]] || return 0
  mkdir -p "$dir/world"
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 30 -subj /CN=world-ca \
    -keyout "$dir/world/ca.key" -out "$dir/world/ca.crt" 2>/dev/null
  new_certificate
}

# new_certificate: another one for the world's host, by the same CA.
new_certificate() {
  openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj "/CN=$host" -keyout "$dir/world/tls.key" 2>/dev/null |
    openssl x509 -req -CA "$dir/world/ca.crt" -CAkey "$dir/world/ca.key" -set_serial "0x$(openssl rand -hex 8)" -days 30 \
      -extfile <(echo "subjectAltName=DNS:$host") -out "$dir/world/tls.crt" 2>/dev/null
}

apply_certificate() {
  kubectl create secret tls world -n "$world" --cert "$dir/world/tls.crt" --key "$dir/world/tls.key" --dry-run=client -o yaml |
    kubectl apply -f - >/dev/null
}

# Two backends, their Service, an Ingress with TLS. May be called again.
make_world() {
  world_certificate
  kubectl apply -f "$pods/world.yaml" >/dev/null
  apply_certificate
  kubectl -n "$world" rollout status deployment/echo --timeout=120s >/dev/null
}

# --- the end ---

finish() {
  local status=$?
  trap - EXIT
  load_end_all
  [[ $status == 0 ]] || { printf '  FAIL the test ended with status %s\n' "$status"; failed=$((failed + 1)); }
  ((failed == 0)) || leave_traces
  uninstall_weir || failed=$((failed + 1))
  exit $((failed > 0))
}

# What explains a failure: logs of Weir's pods and what the cluster says of them, in DIR/log.
leave_traces() {
  local name container
  name=$dir/log/$(basename "$0" .sh)
  { kw get pods -o wide; kw get events --sort-by=.lastTimestamp; } >"$name.cluster" 2>&1 || true
  for pod in $(kw get pods -o name 2>/dev/null); do
    for container in controller dataplane; do
      kw logs "$pod" -c "$container" >"$name.${pod#pod/}.$container" 2>&1 || true
    done
  done
  say "logs of the pods: $name.*"
}

trap finish EXIT
trap 'exit 130' INT TERM
