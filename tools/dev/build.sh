# shellcheck shell=bash disable=SC2154
# ./dev build: the three programs, release. Also `build_preset` for the other verbs.

# build_preset PRESET [TARGET...]: configures when needed and builds.
build_preset() {
  local preset=$1 start=$SECONDS log=build/$1.configure.log
  shift
  mkdir -p build
  if ! cmake --preset "$preset" >"$log" 2>&1; then
    tail -n 30 "$log" >&2
    fail "cmake --preset $preset failed (whole output: $log)"
  fi
  say "building $preset in build/$preset, $jobs at a time"
  cmake --build "build/$preset" --parallel "$jobs" ${1:+--target "$@"}
  say "built $preset in $(elapsed "$start") s"
}

verb_build() {
  local program
  [[ $# == 0 ]] || fail "build takes no arguments"
  need build
  build_preset release
  for program in weir-controller weir-dataplane weirctl; do
    [[ -x build/release/bin/$program ]] || fail "build/release/bin/$program was not built"
    say "build/release/bin/$program"
  done
}
