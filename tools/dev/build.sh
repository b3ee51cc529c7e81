# shellcheck shell=bash disable=SC2154
# ./dev build: the three programs, release. Also what the other verbs use to build.

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

# build_targets PRESET [TARGET...]: of a configured preset; all of it without targets.
build_targets() {
  local preset=$1 start=$SECONDS
  shift
  say "building $preset in build/$preset, $jobs at a time"
  cmake --build "build/$preset" --parallel "$jobs" ${1:+--target "$@"}
  say "built $preset in $(elapsed "$start") s"
}

programs=(weir-controller weir-dataplane weirctl weir-echo)

# build_known PRESET NAME...: of a configured preset, those of the named targets that it has.
build_known() {
  local preset=$1
  local -a targets
  shift
  mapfile -t targets < <(comm -12 <(preset_targets "$preset" '[A-Za-z0-9_-]*' | sort -u) <(printf '%s\n' "$@" | sort -u))
  [[ ${#targets[@]} -gt 0 ]] || fail "the preset $preset has none of the targets $*"
  build_targets "$preset" "${targets[@]}"
}

# tests_labelled PRESET REGEX: names of the tests with such a label, one a line.
tests_labelled() { ctest --test-dir "build/$1" -N -L "$2" | sed -n 's/^ *Test *#[0-9]*: //p'; }

# build_labelled PRESET REGEX: the programs of these tests, and ours that they start; a test's name is its target's.
build_labelled() {
  local -a tests
  configure_preset "$1"
  mapfile -t tests < <(tests_labelled "$1" "$2")
  build_known "$1" "${programs[@]}" "${tests[@]}"
}

# require_programs NAME...: they are in build/release/bin.
require_programs() {
  local program
  for program in "$@"; do
    [[ -x build/release/bin/$program ]] || fail "build/release/bin/$program was not built"
  done
}

verb_build() {
  [[ $# == 0 ]] || fail "build takes no arguments"
  need build
  configure_preset release
  build_known release "${programs[@]}"
  require_programs weir-controller weir-dataplane weirctl
  say "build/release/bin/{weir-controller,weir-dataplane,weirctl}"
}
