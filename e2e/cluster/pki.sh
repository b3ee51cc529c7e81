# shellcheck shell=bash disable=SC2154
# How the scripts beside it make keys, certificates and kubeconfigs in $dir/pki. Sourced after common.sh, not run.

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

# kubeconfig NAME: one that shows the certificate NAME, on standard output.
kubeconfig() {
  cat <<YAML
apiVersion: v1
kind: Config
clusters:
- name: e2e
  cluster:
    server: https://$address:$api_port
    certificate-authority-data: $(base64 -w0 "$pki/ca.crt")
users:
- name: $1
  user:
    client-certificate-data: $(base64 -w0 "$pki/$1.crt")
    client-key-data: $(base64 -w0 "$pki/$1.key")
contexts:
- name: e2e
  context: {cluster: e2e, user: $1}
current-context: e2e
YAML
}
