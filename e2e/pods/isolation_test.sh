#!/usr/bin/env bash
# isolation_test.sh DIR: the dataplane's container holds no credential of the API server; what it can reach refuses it; the
# controller's token is not in it; the pod passes the restricted Pod Security level.
# shellcheck source=e2e/pods/stage.sh
source "$(dirname "$0")/stage.sh"

make_world
kubectl create namespace "$release" --dry-run=client -o yaml | kubectl apply -f - >/dev/null
kubectl label namespace "$release" --overwrite pod-security.kubernetes.io/enforce=restricted >/dev/null
check "the pods are admitted under Pod Security 'restricted'" install_weir
pod=$(pod_names | head -n 1)

# The root of the container's process, as the host sees it; the id of its first process.
container_pid() {
  local id
  id=$(kw get pod "$pod" -o json | jq -r --arg name "$1" '[.status.containerStatuses[]?, .status.initContainerStatuses[]?][]
    | select(.name == $name) | .containerID | sub("containerd://"; "")')
  runtime tasks ls | awk -v id="$id" '$1 == id { print $2 }'
}
dataplane=$(container_pid dataplane)
controller=$(container_pid controller)
token=$(cat "/proc/$controller/root/var/run/secrets/kubernetes.io/serviceaccount/token")

# The looks below see it where it is.
check "the controller's container has a token mounted" grep -q serviceaccount "/proc/$controller/mountinfo"
no_token_file() {
  local found
  found=$(find "/proc/$dataplane/root" -xdev \( -path '*/serviceaccount*' -o -name token \) 2>/dev/null)
  found+=$(awk '$5 ~ /serviceaccount/ { print $5 }' "/proc/$dataplane/mountinfo")
  is "$found" ""
}
check "no token is mounted into the dataplane's container" no_token_file

no_token_bytes() {
  local part
  # The signature is what no one else has.
  part=${token##*.}
  ! grep -rqF -- "$part" "/proc/$dataplane/environ" "/proc/$dataplane/cmdline" "/proc/$dataplane/root/run" "/proc/$dataplane/root/tmp" 2>/dev/null
}
check "the controller's token is in no file, variable or argument that the dataplane sees" no_token_bytes
check "the controller's token works where it is" namespace curl -sf --max-time 5 --noproxy '*' --cacert "$dir/ca.crt" \
  -H "Authorization: Bearer $token" "https://$address:6443/apis/networking.k8s.io/v1/ingresses"

# Asked from the pod's network, with all that the dataplane has: nothing.
refused_from_pod() {
  local status
  status=$(nsenter --target "$dataplane" --net curl -sk -o /dev/null -w '%{http_code}' --max-time 5 --noproxy '*' \
    "https://10.96.0.1:443$1")
  [[ $status == 401 || $status == 403 ]] || { echo "the API server answered $status"; return 1; }
}
check "the API server refuses the dataplane's secrets request" refused_from_pod /api/v1/secrets
check "the API server refuses the dataplane's Ingress request" refused_from_pod /apis/networking.k8s.io/v1/ingresses

# connections PROCESS: its connections to the API server, by its Service or its address.
connections() {
  nsenter --target "$1" --net ss -Htnp state established "( dport = :443 or dport = :6443 )" | grep -c "pid=$1," || true
}
check "the controller is connected to the API server" at_least "$(connections "$(pgrep -P "$controller")")" 1
check "its guard is not" is "$(connections "$controller")" 0
check "the dataplane is not" is "$(connections "$dataplane")" 0

field() { awk -v name="$1:" '$1 == name { print $2 }' "/proc/$dataplane/status"; }
check "the dataplane runs as 65532" is "$(field Uid)" 65532
check "without capabilities" is "$(field CapBnd)" 0000000000000000
check "without new privileges" is "$(field NoNewPrivs)" 1
check "under a seccomp filter" is "$(field Seccomp)" 2
read_only() { awk '$5 == "/" { print $6 }' "/proc/$dataplane/mountinfo" | grep '^ro' >/dev/null; }
check "on a read-only root" read_only
