#!/usr/bin/env bash
# node_certs.sh DIR: after certs.sh, the certificates and kubeconfigs of what a cluster with a node has more, in DIR/pki.
set -euo pipefail
dir=$(realpath "$1")
here=$(dirname "$(realpath "${BASH_SOURCE[0]}")")
# shellcheck source=e2e/cluster/common.sh
source "$here/common.sh"
# shellcheck source=e2e/cluster/pki.sh
source "$here/pki.sh"

umask 077
leaf apiserver-kubelet /O=system:masters/CN=kube-apiserver-kubelet-client clientAuth
leaf controller-manager /CN=system:kube-controller-manager clientAuth
leaf scheduler /CN=system:kube-scheduler clientAuth
leaf proxy /CN=system:kube-proxy clientAuth
leaf kubelet "/O=system:nodes/CN=system:node:$node_name" clientAuth,serverAuth "IP:$address,DNS:$node_name"
for name in controller-manager scheduler proxy kubelet; do
  kubeconfig "$name" >"$pki/$name.kubeconfig"
done
