#!/usr/bin/env bash
# up.sh DIR [OWNER_PID]: a real etcd and kube-apiserver, RBAC on, in a network namespace of its own. Root only.
#
# Leaves in DIR: admin.kubeconfig, ca.crt, netns (the namespace's name), ip and port (of the API server), pods (a range whose
# every address is local in the namespace), log/, run/NAME.pid. Silent when all is well. Enter the namespace with
# `nsenter --net=/run/netns/NAME` (not `ip netns exec`: that hides /sys/fs/cgroup).
# WEIR_E2E_NODE=1 (node_up.sh sets it): the control plane of a cluster with a node; DIR/node says so from then on.
# With OWNER_PID the cluster ends by itself when that process has ended, however it ended.
set -euo pipefail
[[ $# -ge 1 && $# -le 2 ]] || { echo "usage: up.sh DIR [OWNER_PID]" >&2; exit 2; }
here=$(dirname "$(realpath "${BASH_SOURCE[0]}")")
mkdir -p "$1"
dir=$(realpath "$1")
owner=${2:-}
# shellcheck source=e2e/cluster/common.sh
source "$here/common.sh"

make_namespace() {
  local name turn
  for turn in $(seq 1 50); do
    name=weir-e2e-$$-$turn
    if ip netns add "$name" 2>/dev/null; then
      echo "$name" >"$dir/netns"
      ip -n "$name" link set lo up
      ip -n "$name" link add node0 type bridge
      ip -n "$name" addr add "$address/24" dev node0
      ip -n "$name" link set node0 up
      ip -n "$name" route add local "$pod_range" dev lo
      return
    fi
  done
  fail "cannot make a network namespace: $(ip netns add "$name" 2>&1 || true)"
}

start_etcd() {
  start etcd "$programs/etcd" --name e2e --data-dir "$dir/etcd" --unsafe-no-fsync --log-level warn \
    --listen-client-urls http://127.0.0.1:2379 --advertise-client-urls http://127.0.0.1:2379 \
    --listen-peer-urls http://127.0.0.1:2380 --initial-advertise-peer-urls http://127.0.0.1:2380 \
    --initial-cluster e2e=http://127.0.0.1:2380
}

guard_owner() {
  # shellcheck disable=SC2016 # the inner shell expands them
  setsid bash -c 'while kill -0 "$1" 2>/dev/null && [[ -e $2/netns ]]; do sleep 0.5; done; [[ ! -e $2/netns ]] || exec bash "$3" "$2"' \
    weir-e2e-guard "$owner" "$dir" "$here/down.sh" >/dev/null 2>&1 </dev/null &
}

[[ $(id -u) == 0 ]] || fail "a network namespace needs root"
[[ ! -e $dir/netns ]] || fail "$dir holds a cluster already: end it with down.sh"
mkdir -p "$dir/run" "$dir/log"
[[ -z ${WEIR_E2E_NODE:-} ]] || touch "$dir/node"
find_programs
trap '[[ $? == 0 ]] || WEIR_E2E_KEEP_LOGS=1 bash "$here/down.sh" "$dir"' EXIT
make_namespace
start_etcd
bash "$here/certs.sh" "$dir"
[[ ! -e $dir/node ]] || bash "$here/node_certs.sh" "$dir"
echo "$address" >"$dir/ip"
echo "$api_port" >"$dir/port"
echo "$pod_range" >"$dir/pods"
start_apiserver
wait_for /api/v1/namespaces/default
[[ -z $owner ]] || guard_owner
