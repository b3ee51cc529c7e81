# shellcheck shell=bash disable=SC2034,SC2154,SC2119,SC2120
# What the fault rows without pods share: both programs as processes, backends on pod addresses, and clients of every kind, all in the
# network namespace of a real etcd and kube-apiserver (e2e/cluster/up.sh). A row is a script
#
#   #!/usr/bin/env bash
#   source "$(dirname "$0")/alone.sh"
#   check "what is so" COMMAND...
#
# started as `ROW DIR` with the folder of such a cluster. At its end, however it ends, its processes and its objects are gone.
set -euo pipefail
here=$(realpath "$(dirname "${BASH_SOURCE[0]}")/../../cluster")
top=$(realpath "$here/../..")
alone=$top/e2e/faults/alone
dir=$(realpath "${1:?the folder of a cluster}")
# shellcheck source=e2e/cluster/common.sh
source "$here/common.sh"
# shellcheck source=e2e/cluster/checks.sh
source "$here/checks.sh"
# shellcheck source=e2e/pods/load.sh
source "$top/e2e/pods/load.sh"
# shellcheck source=e2e/faults/bounds.sh
source "$top/e2e/faults/bounds.sh"

binaries=${WEIR_E2E_BUILD:-$top/build/release/bin}
row=$dir/row              # files of this row
world=shop                # the namespace of what is served
host=shop.test            # the host of its Ingress
http=9080 https=9443      # Weir's ports
dataplane_admin=9254 controller_admin=9255
load_at=alone
kubeconfig=$dir/admin.kubeconfig # what the controller reads
declare -A pids=()

inside() { nsenter --net="/run/netns/$(cat "$dir/netns")" "$@"; }

# process NAME COMMAND...: runs it in the namespace; its process id is ${pids[NAME]}, its log ROW/NAME.log.
process() {
  local name=$1
  shift
  nsenter --net="/run/netns/$(cat "$dir/netns")" "$@" >>"$row/$name.log" 2>&1 9>&- &
  pids[$name]=$!
}

# finished NAME [SIGNAL]: ends it and waits.
finished() {
  [[ -n ${pids[$1]:-} ]] || return 0
  kill -s "${2:-TERM}" "${pids[$1]}" 2>/dev/null || true
  kill -s CONT "${pids[$1]}" 2>/dev/null || true
  wait "${pids[$1]}" 2>/dev/null || true
  unset "pids[$1]"
}

# --- the cluster ---

# request METHOD PATH [CURL-ARG...]: of the API server, as its administrator.
request() {
  local method=$1 path=$2
  shift 2
  inside curl -sS --fail-with-body --max-time 30 --noproxy '*' --cacert "$dir/ca.crt" --cert "$dir/pki/admin.crt" --key "$dir/pki/admin.key" -X "$method" \
    "https://$address:$api_port$path" "$@"
}

# apply PATH: creates or changes the object there, from YAML on standard input.
apply() {
  request PATCH "$1?fieldManager=e2e&force=true" -H 'Content-Type: application/apply-patch+yaml' --data-binary @- >/dev/null
}
networking=/apis/networking.k8s.io/v1
ingresses=$networking/namespaces/$world/ingresses

# slice NAME ADDRESS...: the endpoints of the Service NAME.
slice() {
  local name=$1
  shift
  apply "/apis/discovery.k8s.io/v1/namespaces/$world/endpointslices/$name-1" <<YAML
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: $name-1, labels: {kubernetes.io/service-name: $name}}
addressType: IPv4
endpoints: [$(printf '{addresses: ["%s"], conditions: {ready: true}},' "$@")]
ports: [{name: http, port: 8080, protocol: TCP}]
YAML
}

service() {
  apply "/api/v1/namespaces/$world/services/$1" <<YAML
apiVersion: v1
kind: Service
metadata: {name: $1}
spec: {ports: [{name: http, port: 80, targetPort: 8080}]}
YAML
}

# route NAME HOST SERVICE [SECRET]: an Ingress for "/"; with a Secret it answers plain HTTP too.
route() {
  apply "$ingresses/$1" <<YAML
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: $1, annotations: {nginx.ingress.kubernetes.io/ssl-redirect: "false"}}
spec:
  ingressClassName: weir
  ${4:+tls: [{hosts: [$2], secretName: $4\}]}
  rules: [{host: $2, http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: $3, port: {name: http}}}}]}}]
YAML
}

# certificate SECRET HOST [DAYS]: a new pair for that host.
certificate() {
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days "${3:-30}" -subj "/CN=$2" -addext "subjectAltName=DNS:$2" \
    -keyout "$row/$1.key" -out "$row/$1.crt" 2>/dev/null
  apply "/api/v1/namespaces/$world/secrets/$1" <<YAML
apiVersion: v1
kind: Secret
metadata: {name: $1}
type: kubernetes.io/tls
data: {tls.crt: $(base64 -w0 "$row/$1.crt"), tls.key: $(base64 -w0 "$row/$1.key")}
YAML
}

# make_world: the Service echo with two backends, and its Ingress with TLS.
make_world() {
  apply "/api/v1/namespaces/$world" <<<"{apiVersion: v1, kind: Namespace, metadata: {name: $world}}"
  apply "$networking/ingressclasses/weir" <<<"{apiVersion: networking.k8s.io/v1, kind: IngressClass, metadata: {name: weir}, spec: {controller: weir.ingress/controller}}"
  certificate world "$host"
  service echo
  slice echo 10.200.1.1 10.200.1.2
  route shop "$host" echo world
  for number in 1 2; do process "backend$number" "$binaries/weir-e2e-backend" --name echo --address "10.200.1.$number"; done
}

# --- Weir ---

# dataplane [ARG...]; programs: the folder that it comes from.
dataplane() {
  process dataplane "${programs_at:-$binaries}/weir-dataplane" --control-socket "$row/control.sock" --dump-socket "$row/dump.sock" --admin-port "$dataplane_admin" \
    --workers 1 --shutdown-delay 0 --drain-timeout 1s --access-log-path /dev/null "$@"
}

# controller [ARG...]
controller() {
  process controller "${programs_at:-$binaries}/weir-controller" --kubeconfig "$kubeconfig" --control-socket "$row/control.sock" --http-port "$http" \
    --https-port "$https" --admin-port "$controller_admin" --publish-status-address 192.0.2.1 --pod-name row --pod-namespace "$world" "$@"
}

worker_pid() { pgrep -P "${pids[dataplane]}" | head -n 1; }

# metric PORT NAME [LABELS]: the sum of its series whose line holds LABELS.
metric() {
  inside curl -s --max-time 5 --noproxy '*' "http://127.0.0.1:$1/metrics" |
    awk -v name="$2" -v labels="${3:-}" '($1 == name || index($1, name "{") == 1) && index($1, labels) { sum += $2 } END { printf "%d\n", sum }'
}

# status_of PORT PATH [HOST]: the status of an answer, 000 for none.
status_of() {
  inside curl -s -o /dev/null -w '%{http_code}' --max-time 10 --noproxy '*' ${3:+-H "Host: $3"} "http://127.0.0.1:$1$2" || true
}
answers() { is "$(status_of "$http" / "${1:-$host}")" "${2:-200}"; }

# weir [ARG...]: both programs; returns when the world is served. ARGs go to the controller.
weir() {
  dataplane
  controller "$@"
  within 30 answers >/dev/null
}

# --- a sick API server ---

# behind_proxy: from now on the controller talks to the API server through api_proxy.py.
behind_proxy() {
  process proxy python3 "$alone/api_proxy.py" "$dir" 7443
  kubeconfig=$row/proxy.kubeconfig
  sed "s|:$api_port|:7443|" "$dir/admin.kubeconfig" >"$kubeconfig"
  within 10 inside curl -sf --max-time 5 --noproxy '*' --cacert "$dir/ca.crt" "https://$address:7443/readyz" >/dev/null
}

# sick JSON: what the proxy does wrong from now on; relist in it is another number each time, when asked for.
sick() {
  echo "$1" >"$row/sick.part"
  mv "$row/sick.part" "$row/sick"
}

# asked SINCE [PATTERN]: requests that came to the proxy since then (seconds of the epoch) and match.
asked() { awk -v since="$1" '$1 >= since' "$row/requests" | grep -c -- "${2:-.}" || true; }

# --- load and the last line ---

# under_load [ARG...]: clients of every kind that go on until loses_nothing.
under_load() {
  load_start fault --address 127.0.0.1 --http-port "$http" --https-port "$https" --pace 0 "$@"
  load_reaches fault 200 30
}

# loses_nothing REQUESTS: goes on until so many have been asked in all, ends the load, checks that none failed.
loses_nothing() {
  load_reaches fault "$1" 600
  load_stop fault
  check "nothing was lost of $(load_value fault requests)" nothing_lost fault
}

at_end=() # commands that a row adds for its end
finish() {
  local status=$? name command
  trap - EXIT
  for command in "${at_end[@]}"; do eval "$command" || failed=$((failed + 1)); done
  load_end_all
  [[ $status == 0 ]] || { printf '  FAIL the row ended with status %s\n' "$status"; failed=$((failed + 1)); }
  for name in "${!pids[@]}"; do finished "$name"; done
  request DELETE "$ingresses" >/dev/null || true
  request DELETE "/apis/discovery.k8s.io/v1/namespaces/$world/endpointslices" >/dev/null || true
  ((failed == 0)) || { rm -rf "$dir/log/$(basename "$0" .sh)" && cp -r "$row" "$dir/log/$(basename "$0" .sh)" && say "its logs: $dir/log/$(basename "$0" .sh)"; }
  exit $((failed > 0))
}
trap finish EXIT
trap 'exit 130' INT TERM
rm -rf "$row" "$dir/load-fault"
mkdir -p "$row"
