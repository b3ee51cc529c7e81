# shellcheck shell=bash disable=SC2154
# ./dev ship: the programs as they are shipped, in build/shipped/bin: link-time optimisation, and a profile of the request path that the
# benchmark's traffic trained. The profile is kept in the cache folder by what it depends on: sources, build rules, compiler.

# profile_key: names the profile of this tree.
profile_key() {
  {
    g++ -dumpfullversion -dumpmachine
    find common dataplane cmake CMakeLists.txt CMakePresets.json bench/train.py bench/run.py -type f -print0 | sort -z | xargs -0 sha256sum
  } | sha256sum | cut -c 1-16
}

# make_profile FOLDER: an instrumented dataplane carries the benchmark's traffic; its counts become the profile.
make_profile() {
  local counts=$top/build/train/counts
  need build bench
  cmake --preset train -DWEIR_PROFILE="make:$counts" >build/train.configure.log 2>&1 || fail "cmake --preset train failed: build/train.configure.log"
  build_targets train weir-dataplane weir-controller weirctl weir-bench-origin
  rm -rf "$counts"
  say "training on the benchmark's traffic"
  WEIR_BIN=$top/build/train/bin python3 bench/train.py
  [[ -n $(find "$counts" -name '*.gcda' -print -quit 2>/dev/null) ]] || fail "the training left no counts in $counts"
  rm -rf "$1.new"
  mkdir -p "$(dirname "$1")"
  cp -r "$counts" "$1.new"
  rm -rf "$1"
  mv "$1.new" "$1"
}

build_shipped() {
  local profile
  profile=$cache/profiles/$(profile_key)
  mkdir -p build
  [[ -d $profile ]] || make_profile "$profile"
  cmake --preset shipped -DWEIR_PROFILE="use:$profile" >build/shipped.configure.log 2>&1 || fail "cmake --preset shipped failed: build/shipped.configure.log"
  build_targets shipped weir-dataplane weir-controller weirctl
}

verb_ship() {
  [[ $# == 0 ]] || fail "ship takes no arguments"
  need build
  build_shipped
  say "build/shipped/bin/{weir-controller,weir-dataplane,weirctl}"
}
