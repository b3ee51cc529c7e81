# shellcheck shell=bash disable=SC2034,SC2154
# What the scripts of a node share. Sourced after common.sh, not run.

namespace() { nsenter --net="/run/netns/$(cat "$dir/netns")" "$@"; }

# Sets node_programs to the folder of the kubelet and the others; builds them when nobody has.
find_node_programs() {
  node_programs=${WEIR_E2E_NODE_BIN:-$("$here/../../tools/dev/go_programs.sh" e2e/pods/tools)}
}

kubectl() { namespace "$node_programs/kubectl" --kubeconfig "$dir/admin.kubeconfig" "$@"; }

# runtime COMMAND...: containerd's own client, in the kubelet's part of the store.
runtime() { ctr --address "$dir/containerd/socket" --namespace k8s.io "$@"; }

# The node's part of every cgroup hierarchy (cgroup v1: one a controller; v2: one), one folder a line.
cgroup_hierarchies() { awk '$3 == "cgroup" || $3 == "cgroup2" { print $2 }' /proc/mounts; }
cgroup_name() { cat "$dir/netns"; }
