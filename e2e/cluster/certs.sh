#!/usr/bin/env bash
# certs.sh DIR: a CA, the API server's certificate, an administrator's client certificate and the key that signs
# service-account tokens, in DIR/pki; DIR/ca.crt and DIR/admin.kubeconfig beside it.
set -euo pipefail
dir=$(realpath "$1")
here=$(dirname "$(realpath "${BASH_SOURCE[0]}")")
# shellcheck source=e2e/cluster/common.sh
source "$here/common.sh"
pki=$dir/pki

new_key() { openssl ecparam -name prime256v1 -genkey -noout -out "$1"; }

# leaf NAME SUBJECT USAGE [SAN]
leaf() {
  local name=$pki/$1
  new_key "$name.key"
  {
    echo "basicConstraints=CA:FALSE"
    echo "keyUsage=critical,digitalSignature"
    echo "extendedKeyUsage=$3"
    [[ -z ${4:-} ]] || echo "subjectAltName=$4"
  } >"$name.ext"
  openssl req -new -key "$name.key" -subj "$2" |
    openssl x509 -req -CA "$pki/ca.crt" -CAkey "$pki/ca.key" -set_serial "0x$(openssl rand -hex 8)" -days 30 -sha256 \
      -extfile "$name.ext" -out "$name.crt" 2>/dev/null
  rm "$name.ext"
}

write_kubeconfig() {
  cat <<YAML
apiVersion: v1
kind: Config
clusters:
- name: e2e
  cluster:
    server: https://$address:$api_port
    certificate-authority-data: $(base64 -w0 "$pki/ca.crt")
users:
- name: admin
  user:
    client-certificate-data: $(base64 -w0 "$pki/admin.crt")
    client-key-data: $(base64 -w0 "$pki/admin.key")
contexts:
- name: e2e
  context: {cluster: e2e, user: admin}
current-context: e2e
YAML
}

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
write_kubeconfig >"$dir/admin.kubeconfig"
