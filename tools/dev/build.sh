# shellcheck shell=bash disable=SC2154
# ./dev build: the three programs, release. Also `build_preset` for the other verbs.

# configure_preset PRESET
configure_preset() {
  local log=build/$1.configure.log
  mkdir -p build
  if ! cmake --preset "$1" >"$log" 2>&1; then
    tail -n 30 "$log" >&2
    fail "cmake --preset $1 failed (whole output: $log)"
  fi
}

# preset_targets PRESET PATTERN: names of its targets that match the whole pattern, one a line.
preset_targets() { ninja -C "build/$1" -t targets all | sed -n "s/^\($2\): phony\$/\1/p"; }

# build_preset PRESET [TARGET...]: configures and builds.
build_preset() {
  local preset=$1 start=$SECONDS
  shift
  configure_preset "$preset"
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
