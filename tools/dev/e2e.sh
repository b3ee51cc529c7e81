# shellcheck shell=bash disable=SC2154,SC2119,SC2120
# ./dev e2e [pods [REGEX] | api [REGEX] | rows [REGEX] | up | down]: Weir in a real Kubernetes. Without a word: `api`, `rows`, `pods`.
#
#   api    the C++ tests against a real etcd and kube-apiserver; ./dev test runs these
#   rows   rows of the fault matrix that need no pods, on a real etcd and kube-apiserver (e2e/faults/alone)
#   pods   a whole cluster with a node, the image built from the Dockerfile, helm install, the tests of e2e/pods and e2e/faults
#   up     the cluster of `pods`, kept: then `pods` uses it, until `down`

kept_cluster=/tmp/weir-e2e

# need_cluster: sets WEIR_E2E_BIN to the folder of etcd and kube-apiserver, built when missing.
need_cluster() {
  need e2e
  say "etcd and kube-apiserver for the e2e tests"
  WEIR_E2E_BIN=$(tools/dev/go_programs.sh e2e/tools)
  export WEIR_E2E_BIN
  say "they are in $WEIR_E2E_BIN"
}

# need_node: sets WEIR_E2E_NODE_BIN to the folder of the rest of Kubernetes, built when missing, and what need_helm sets.
need_node() {
  need pods
  need_helm
  say "kubelet, scheduler, controller-manager, kube-proxy, kubectl and a DNS for the tests with pods"
  WEIR_E2E_NODE_BIN=$(tools/dev/go_programs.sh e2e/pods/tools)
  export WEIR_E2E_NODE_BIN
  say "they are in $WEIR_E2E_NODE_BIN"
}

# need_grpc: sets WEIR_GRPC_BIN to the folder of gRPC's interoperability programs, built when missing.
need_grpc() {
  need e2e
  say "gRPC's client and server for the test grpc_interop"
  WEIR_GRPC_BIN=$(tools/dev/go_programs.sh tests/grpc_interop/tools)
  export WEIR_GRPC_BIN
}

# need_helm: sets WEIR_HELM_BIN to the folder of helm and of the strict decoder of the chart's tests, built when missing.
need_helm() {
  need e2e
  say "helm for the tests of the chart"
  WEIR_HELM_BIN=$(tools/dev/go_programs.sh tests/helm/tools)
  export WEIR_HELM_BIN
}

e2e_api() {
  need build test
  need_cluster
  build_labelled release '^e2e$'
  ctest --test-dir build/release -L '^e2e$' --output-on-failure --no-tests=error ${1:+-R "$1"}
}

# rows_name WORD [REGEX]: a chosen row has this word.
rows_name() {
  find e2e/faults/alone -name '*_test.sh' | grep -E -- "${2:-.}" | xargs -r grep -lqF -- "$1"
}

e2e_rows() {
  local dir status=0
  need build
  need rows
  need_cluster
  configure_preset release
  build_known release "${programs[@]}" weir-e2e-load weir-e2e-backend push_frames scenario_backend_faults
  # Each takes as long as a build of this tree: only for rows that ask.
  rows_name WEIR_E2E_OLD_BIN "$@" && WEIR_E2E_OLD_BIN=$(bash e2e/faults/alone/old_programs.sh)
  # Knows memory pressure, keeps nothing of routes and certificates that are gone, lets bodies through where memory stays short, and loses none that waited.
  rows_name WEIR_E2E_LAST_BIN "$@" && WEIR_E2E_LAST_BIN=$(bash e2e/faults/alone/old_programs.sh 3192459)
  export WEIR_E2E_OLD_BIN WEIR_E2E_LAST_BIN
  dir=$(mktemp -d /tmp/weir-e2e-XXXXXX)
  bash e2e/cluster/up.sh "$dir" $$
  WEIR_E2E_TESTS=$top/e2e/faults/alone WEIR_E2E_BUILD=$top/build/release/bin \
    WEIR_E2E_TIMEOUT=3600 bash e2e/pods/run.sh "$dir" "$@" || status=$?
  WEIR_E2E_KEEP_LOGS=$( ((status == 0)) || echo 1) bash e2e/cluster/down.sh "$dir"
  [[ $status == 0 ]] || fail "the logs are in $dir/log"
}

# bring_up DIR [OWNER_PID]: the cluster with everything that the tests need.
bring_up() {
  local start=$SECONDS
  need_cluster
  need_node
  configure_preset release
  build_targets release weir-e2e-load weir-e2e-backend
  say "a cluster in $1"
  start=$SECONDS
  bash e2e/cluster/node_up.sh "$@"
  say "the node is ready after $(elapsed "$start") s; building the image of Weir"
  start=$SECONDS
  WEIR_E2E_BUILD=$top/build/release/bin bash e2e/pods/prepare.sh "$1"
  say "the images are in the cluster after $(elapsed "$start") s"
}

e2e_pods() {
  local dir status=0
  if [[ -e $kept_cluster/node ]]; then
    need_cluster
    need_node
    WEIR_E2E_BUILD=$top/build/release/bin bash e2e/pods/run.sh "$kept_cluster" "$@"
    return
  fi
  dir=$(mktemp -d /tmp/weir-e2e-XXXXXX)
  bring_up "$dir" $$
  WEIR_E2E_BUILD=$top/build/release/bin bash e2e/pods/run.sh "$dir" "$@" || status=$?
  WEIR_E2E_KEEP_LOGS=$( ((status == 0)) || echo 1) bash e2e/cluster/down.sh "$dir"
  [[ $status == 0 ]] || fail "the logs are in $dir/log"
}

verb_e2e() {
  [[ $(id -u) == 0 ]] || fail "e2e makes a network namespace: run it as root"
  local part=${1:-all}
  [[ $# == 0 ]] || shift
  case $part in
    all)
      e2e_api
      e2e_rows
      e2e_pods
      ;;
    api | rows | pods) "e2e_$part" "$@" ;;
    up)
      [[ ! -e $kept_cluster/node ]] || fail "$kept_cluster is a cluster already: ./dev e2e down"
      bring_up "$kept_cluster"
      say "kept; ./dev e2e pods uses it, e2e/cluster/kubectl.sh $kept_cluster is kubectl in it, ./dev e2e down ends it"
      ;;
    down) bash e2e/cluster/down.sh "$kept_cluster" ;;
    *) fail "there is no e2e '$part': api, rows, pods, up, down" ;;
  esac
}
