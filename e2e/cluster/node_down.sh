#!/usr/bin/env bash
# node_down.sh DIR: ends the node of a cluster: pods, kubelet, kube-proxy, containerd, controller-manager, scheduler; removes
# their mounts, cgroups and files. down.sh calls it before it ends the rest. Silent; may be run twice.
set -euo pipefail
here=$(dirname "$(realpath "${BASH_SOURCE[0]}")")
dir=$(realpath "$1")
# shellcheck source=e2e/cluster/common.sh
source "$here/common.sh"
# shellcheck source=e2e/cluster/node_common.sh
source "$here/node_common.sh"

# Containers that no kubelet ends any more. Their shims end with their last task.
end_containers() {
  local name turn
  for turn in 1 2 3; do
    for name in $(runtime tasks ls -q 2>/dev/null); do
      runtime tasks kill --signal SIGKILL "$name" >/dev/null 2>&1 || true
    done
    for name in $(runtime containers ls -q 2>/dev/null); do
      runtime tasks delete --force "$name" >/dev/null 2>&1 || true
      runtime containers delete "$name" >/dev/null 2>&1 || true
    done
    [[ -n $(runtime containers ls -q 2>/dev/null) ]] || break
    sleep $((turn))
  done
}

# The namespaces of pods are mounts of files that containerd's network plugin made; they are named by nobody but the store.
unmount_all() {
  local mount
  awk -v dir="$dir/" 'index($2, dir) == 1 { print $2 }' /proc/mounts | sort -r | while read -r mount; do
    umount -l "$mount" 2>/dev/null || true
  done
}

remove_cgroups() {
  local hierarchy name
  name=$(cgroup_name 2>/dev/null) || return 0
  cgroup_hierarchies | while read -r hierarchy; do
    [[ ! -d $hierarchy/$name ]] || find "$hierarchy/$name" -depth -type d -exec rmdir {} \; 2>/dev/null || true
  done
}

# Pods' network namespaces: those that the sandboxes of this store name.
pod_namespaces() {
  local name
  for name in $(runtime containers ls -q 2>/dev/null); do
    runtime containers info "$name" 2>/dev/null | sed -n 's|.*"path": "/var/run/netns/\(cni-[^"]*\)".*|\1|p'
  done | sort -u
}

stop proxy 3
stop kubelet 5
namespaces=$(pod_namespaces)
if running containerd; then end_containers; fi
stop containerd 5
for name in $namespaces; do ip netns del "$name" 2>/dev/null || true; done
stop scheduler 3
stop controller-manager 3
unmount_all
remove_cgroups
rm -rf "$dir"/{kubelet,containerd,cni,cni-addresses,kubelet.yaml,proxy.yaml,resolv.conf,helm,world,rolling-ends} "$dir"/load-* "$dir"/session.*
