#!/usr/bin/env bash
# certs.sh DIR: a CA, the API server's certificate, an administrator's client certificate and the key that signs
# service-account tokens, in DIR/pki; DIR/ca.crt and DIR/admin.kubeconfig beside it.
set -euo pipefail
dir=$(realpath "$1")
here=$(dirname "$(realpath "${BASH_SOURCE[0]}")")
# shellcheck source=e2e/cluster/common.sh
source "$here/common.sh"
# shellcheck source=e2e/cluster/pki.sh
source "$here/pki.sh"

umask 077
mkdir -p "$pki"
new_key "$pki/ca.key"
openssl req -x509 -new -key "$pki/ca.key" -sha256 -days 30 -subj /CN=weir-e2e-ca -out "$pki/ca.crt" \
  -addext keyUsage=critical,keyCertSign,cRLSign,digitalSignature
names="IP:127.0.0.1,IP:$address,IP:${service_range%.0.0/16}.0.1,DNS:localhost,DNS:kubernetes,DNS:kubernetes.default"
leaf apiserver /CN=kube-apiserver serverAuth "$names,DNS:kubernetes.default.svc,DNS:kubernetes.default.svc.cluster.local"
leaf admin /O=system:masters/CN=e2e-admin clientAuth
openssl genrsa -out "$pki/service-account.key" 2048 2>/dev/null
openssl rsa -in "$pki/service-account.key" -pubout -out "$pki/service-account.pub" 2>/dev/null
cp "$pki/ca.crt" "$dir/ca.crt"
kubeconfig admin >"$dir/admin.kubeconfig"
