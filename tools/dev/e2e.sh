# shellcheck shell=bash disable=SC2154
# ./dev e2e [REGEX]: the tests against a real etcd and kube-apiserver.

# need_cluster: sets WEIR_E2E_BIN to the folder of etcd and kube-apiserver, built when missing.
need_cluster() {
  need e2e
  say "etcd and kube-apiserver for the e2e tests"
  WEIR_E2E_BIN=$(tools/dev/go_programs.sh e2e/tools)
  export WEIR_E2E_BIN
  say "they are in $WEIR_E2E_BIN"
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

verb_e2e() {
  [[ $(id -u) == 0 ]] || fail "e2e makes a network namespace: run it as root"
  need build test
  need_cluster
  build_labelled release '^e2e$'
  ctest --test-dir build/release -L '^e2e$' --output-on-failure --no-tests=error ${1:+-R "$1"}
}
