# shellcheck shell=bash disable=SC2034,SC2154
# What the scripts beside it share: where things are, how a program of the cluster is started and ended. Sourced, not run.
#
# Everything of a cluster lives in one folder (dir) and one network namespace without an uplink, so that any number of
# clusters run side by side with the same addresses and nothing leaves the machine.

address=10.200.0.1      # of the API server, and of whatever a test starts in the namespace
pod_range=10.200.1.0/24 # every address of it is local in the namespace: endpoints for tests
api_port=6443
service_range=10.96.0.0/16
node_name=node1
node_pods=10.244.0.0/24 # addresses of the pods of a cluster that has a node

fail() {
  echo "e2e cluster: $*" >&2
  exit 1
}

# running NAME: true while the program of this cluster is alive. The folder's path in the command line tells it from a
# stranger that got the same process id later. The line is empty while one program makes way for the next, which takes seconds where a
# large one is read from a disk; and it is of a zombie.
running() {
  local pid words
  pid=$(cat "$dir/run/$1.pid" 2>/dev/null) || return 1
  words=$(tr '\0' ' ' 2>/dev/null <"/proc/$pid/cmdline") || return 1
  [[ $words == *"$dir"* ]] || { [[ -z $words ]] && grep -Eqs '^State:[[:space:]]+[^ZX[:space:]]' "/proc/$pid/status"; }
}

# start NAME COMMAND...: runs it in the namespace, detached; log and pid file in the folder. COMMAND names
# the folder. Returns when its command line can be read, so that running is right from then on.
start() {
  local name=$1 turns=200
  shift
  setsid nsenter --net="/run/netns/$(cat "$dir/netns")" "$@" >>"$dir/log/$name.log" 2>&1 </dev/null 9>&- &
  echo $! >"$dir/run/$name.pid"
  until running "$name" || ((turns-- == 0)); do sleep 0.01; done
}

# stop NAME SECONDS: SIGTERM, after so many seconds SIGKILL; returns when it has ended.
stop() {
  local signal turns
  for signal in TERM KILL; do
    running "$1" || break
    kill -s "$signal" "$(cat "$dir/run/$1.pid")" 2>/dev/null || true
    turns=$(($2 * 50))
    while running "$1" && ((turns-- > 0)); do sleep 0.02; done
  done
  rm -f "$dir/run/$1.pid"
}

# died NAME: ends with the last lines of its log.
died() {
  tail -n 5 "$dir/log/$1.log" >&2
  fail "$1 ended; its log: $dir/log/$1.log"
}

# Sets programs to the folder of etcd and kube-apiserver; builds them when nobody has.
find_programs() {
  programs=${WEIR_E2E_BIN:-$("$here/../../tools/dev/go_programs.sh" e2e/tools)}
}

# What the API server writes to log/audit.log: every request of Weir's service account. The tests compare it with its roles.
write_audit_policy() {
  cat >"$dir/audit-policy.yaml" <<'POLICY'
apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [ResponseStarted, ResponseComplete]
rules:
- level: Metadata
  users: ["system:serviceaccount:weir:weir"]
- level: None
POLICY
}

# Flags of the API server for what it has beside it: nothing, or a node with a kubelet and pods that dial it by its Service.
apiserver_flags() {
  if [[ -e $dir/node ]]; then
    echo "--authorization-mode Node,RBAC --enable-admission-plugins NodeRestriction --allow-privileged"
    echo "--kubelet-preferred-address-types InternalIP --kubelet-certificate-authority $dir/pki/ca.crt"
    echo "--kubelet-client-certificate $dir/pki/apiserver-kubelet.crt --kubelet-client-key $dir/pki/apiserver-kubelet.key"
  else
    echo "--authorization-mode RBAC --endpoint-reconciler-type none"
  fi
}

# Returns when it is ready. No aggregation: nothing here needs it.
start_apiserver() {
  write_audit_policy
  # shellcheck disable=SC2046 # a list of words
  start kube-apiserver "$programs/kube-apiserver" --etcd-servers http://127.0.0.1:2379 \
    --bind-address "$address" --advertise-address "$address" --secure-port "$api_port" \
    --service-cluster-ip-range "$service_range" $(apiserver_flags) \
    --tls-cert-file "$dir/pki/apiserver.crt" --tls-private-key-file "$dir/pki/apiserver.key" \
    --client-ca-file "$dir/pki/ca.crt" \
    --service-account-issuer https://kubernetes.default.svc \
    --service-account-key-file "$dir/pki/service-account.pub" \
    --service-account-signing-key-file "$dir/pki/service-account.key" --profiling=false \
    --audit-policy-file "$dir/audit-policy.yaml" --audit-log-path "$dir/log/audit.log" --audit-log-mode blocking
  wait_for /readyz
}

api() {
  nsenter --net="/run/netns/$(cat "$dir/netns")" curl -sf --max-time 5 --noproxy '*' --cacert "$dir/ca.crt" \
    --cert "$dir/pki/admin.crt" --key "$dir/pki/admin.key" "https://$address:$api_port$1"
}

# wait_for PATH: until the API server answers it with success, at most 60 s.
wait_for() {
  local deadline=$((SECONDS + 60))
  until api "$1" >/dev/null 2>&1; do
    running etcd || died etcd
    running kube-apiserver || died kube-apiserver
    ((SECONDS < deadline)) || fail "no answer to $1 within 60 s; its log: $dir/log/kube-apiserver.log"
    sleep 0.05
  done
}
