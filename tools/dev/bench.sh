# shellcheck shell=bash disable=SC2154
# ./dev bench [ARGS]: the benchmark of what ./dev ship makes against other proxies. ARGS go to bench/run.py.

# shellcheck source=tools/dev/ship.sh
source tools/dev/ship.sh

verb_bench() {
  need build bench
  unpack_peers
  build_shipped
  build_targets shipped weir-bench-origin weir-bench-null weir-bench-null-tls weir-bench-null-h2
  say "python3 bench/run.py $*"
  WEIR_PEERS=$cache/peers WEIR_BIN=$top/build/shipped/bin exec python3 bench/run.py "$@"
}
