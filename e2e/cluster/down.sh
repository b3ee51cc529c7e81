#!/usr/bin/env bash
# down.sh DIR: ends what up.sh started there and removes what it left: processes, namespace, files. Silent; may be run twice.
# WEIR_E2E_KEEP_LOGS=1 leaves DIR/log.
set -euo pipefail
here=$(dirname "$(realpath "${BASH_SOURCE[0]}")")
[[ -d $1 ]] || exit 0
dir=$(realpath "$1")
# shellcheck source=e2e/cluster/common.sh
source "$here/common.sh"

[[ ! -e $dir/node ]] || bash "$here/node_down.sh" "$dir"
stop kube-apiserver 3
stop etcd 3
if [[ -e $dir/netns ]]; then
  ip netns del "$(cat "$dir/netns")" 2>/dev/null || true
fi
rm -rf "$dir"/{audit-policy.yaml,etcd,pki,run,netns,ip,port,pods,node,ca.crt,admin.kubeconfig}
if [[ -z ${WEIR_E2E_KEEP_LOGS:-} ]]; then
  rm -rf "$dir/log"
  rmdir "$dir" 2>/dev/null || true
fi
