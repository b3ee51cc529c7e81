#!/usr/bin/env bash
# node_up.sh DIR [OWNER_PID]: what up.sh brings up, and a whole Kubernetes around it: controller-manager, scheduler, and one
# node with containerd, kubelet and kube-proxy, all in the same network namespace. Root only.
#
# Leaves in DIR what up.sh leaves, and `node`. Images of pods have to be in the store before pods name them (images.sh):
# nothing can be pulled. containerd is the machine's program with a store and a socket of its own under DIR.
set -euo pipefail
here=$(dirname "$(realpath "${BASH_SOURCE[0]}")")
WEIR_E2E_NODE=1 bash "$here/up.sh" "$@"
dir=$(realpath "$1")
# shellcheck source=e2e/cluster/common.sh
source "$here/common.sh"
# shellcheck source=e2e/cluster/node_common.sh
source "$here/node_common.sh"
# shellcheck source=e2e/cluster/node_files.sh
source "$here/node_files.sh"
trap '[[ $? == 0 ]] || WEIR_E2E_KEEP_LOGS=1 bash "$here/down.sh" "$dir"' EXIT

# until_true NAME COMMAND...: at most 60 s, and only while the program NAME lives.
until_true() {
  local name=$1 deadline=$((SECONDS + 60))
  shift
  until "$@" >/dev/null 2>&1; do
    running "$name" || died "$name"
    ((SECONDS < deadline)) || fail "$name: no success of '$*' within 60 s; its log: $dir/log/$name.log"
    sleep 0.05
  done
}

prepare_namespace() {
  # A gateway that is not there: addresses of Services need a route before kube-proxy turns them into others.
  namespace ip route add default via "${address%.1}.254" dev node0
  namespace sysctl -qw net.ipv4.ip_forward=1 net.ipv4.ip_unprivileged_port_start=0
}

# Only now: before the API server has its roles, the controller-manager ends at once.
start_control_plane() {
  start controller-manager "$node_programs/kube-controller-manager" --kubeconfig "$dir/pki/controller-manager.kubeconfig" \
    --bind-address 127.0.0.1 --leader-elect=false --use-service-account-credentials --root-ca-file "$dir/pki/ca.crt" \
    --service-account-private-key-file "$dir/pki/service-account.key" --allocate-node-cidrs=false
  start scheduler "$node_programs/kube-scheduler" --kubeconfig "$dir/pki/scheduler.kubeconfig" --bind-address 127.0.0.1 \
    --leader-elect=false
}

start_containerd() {
  write_containerd
  write_cni
  start containerd containerd --config "$dir/containerd/config.toml"
  until_true containerd runtime version
}

make_cgroups() {
  local hierarchy
  cgroup_hierarchies | while read -r hierarchy; do mkdir -p "$hierarchy/$(cgroup_name)"; done
  # A cpuset without processors takes no process (cgroup v1).
  local set=/sys/fs/cgroup/cpuset file
  [[ ! -d $set ]] || for file in cpuset.cpus cpuset.mems; do cat "$set/$file" >"$set/$(cgroup_name)/$file"; done
}

start_node() {
  write_kubelet
  write_proxy
  make_cgroups
  start kubelet "$node_programs/kubelet" --kubeconfig "$dir/pki/kubelet.kubeconfig" --config "$dir/kubelet.yaml" \
    --root-dir "$dir/kubelet" --cert-dir "$dir/pki" --hostname-override "$node_name" --node-ip "$address"
  start proxy "$node_programs/kube-proxy" --config "$dir/proxy.yaml"
  until_true kubelet kubectl wait --for=condition=Ready "node/$node_name" --timeout=1s
  until_true proxy namespace curl -sf --max-time 1 http://127.0.0.1:10256/healthz
}

find_node_programs
prepare_namespace
start_control_plane
start_containerd
WEIR_E2E_NODE_BIN=$node_programs bash "$here/node_images.sh" "$dir"
start_node
until_true controller-manager kubectl get serviceaccount default
kubectl apply -f "$here/dns.yaml" >/dev/null
