# shellcheck shell=bash disable=SC2154
# ./dev bench [ARGS]: the benchmark against nginx and HAProxy. ARGS go to bench/run.py.
verb_bench() {
  need build bench
  unpack_peers
  configure_preset release
  build_targets release
  say "python3 bench/run.py $*"
  WEIR_PEERS=$cache/peers WEIR_BIN=$top/build/release/bin exec python3 bench/run.py "$@"
}
