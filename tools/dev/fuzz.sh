# shellcheck shell=bash disable=SC2154
# ./dev fuzz [SECONDS]: every libFuzzer target of tests/fuzz for so long each. Inputs that grow coverage are kept in the cache
# folder, a crash leaves its input in build/fuzz/crashes.

fuzz_passed=0
fuzz_failed=0

# run_fuzz_target PROGRAM SECONDS: leaves the word passed or failed in build/fuzz/NAME.verdict.
run_fuzz_target() {
  local name corpus seeds log
  name=$(basename "$1")
  log=build/fuzz/$name.log
  corpus=$cache/fuzz/$name
  seeds=tests/fuzz/corpus/${name#fuzz_}
  mkdir -p "$corpus" build/fuzz/crashes
  [[ -d $seeds ]] || seeds=
  # fuzz_seed: a fixed one for `./dev test`, whose verdict must not depend on the day; none for `./dev fuzz`, which explores.
  # shellcheck disable=SC2086 # no seeds, no word
  if "$1" ${fuzz_seed:+-seed="$fuzz_seed"} -max_total_time="$2" -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 \
    -artifact_prefix="build/fuzz/crashes/$name-" "$corpus" $seeds >"$log" 2>&1; then
    say "fuzz $name: $(sed -n 's/^stat::number_of_executed_units: *//p' "$log") inputs in $2 s, no crash"
    echo passed >"build/fuzz/$name.verdict"
  else
    tail -n 40 "$log"
    say "fuzz $name: FAILED, its input is in build/fuzz/crashes"
    echo failed >"build/fuzz/$name.verdict"
  fi
}

# build_fuzz_targets: the programs fuzz_* of the fuzz preset and nothing else of it.
build_fuzz_targets() {
  configure_preset fuzz
  local -a targets
  mapfile -t targets < <(preset_targets fuzz 'fuzz_[a-z0-9_]*')
  [[ ${#targets[@]} -gt 0 ]] || fail "the fuzz preset has no target fuzz_*"
  build_targets fuzz "${targets[@]}"
}

# run_fuzz_targets SECONDS: as many at a time as there are processors; counts into fuzz_passed and fuzz_failed.
run_fuzz_targets() {
  local program verdict at_once
  at_once=$(nproc)
  rm -f build/fuzz/fuzz_*.verdict
  for program in build/fuzz/bin/fuzz_*; do
    [[ -x $program ]] || continue
    while (($(jobs -rp | wc -l) >= at_once)); do wait -n || true; done
    run_fuzz_target "$program" "$1" &
  done
  wait
  for program in build/fuzz/bin/fuzz_*; do
    [[ -x $program ]] || continue
    verdict=build/fuzz/$(basename "$program").verdict
    # One without a verdict was ended from outside: it has not passed.
    if [[ $(cat "$verdict" 2>/dev/null) == passed ]]; then
      fuzz_passed=$((fuzz_passed + 1))
    else
      fuzz_failed=$((fuzz_failed + 1))
    fi
  done
}

verb_fuzz() {
  local seconds=${1:-60}
  [[ $seconds =~ ^[1-9][0-9]*$ ]] || fail "fuzz takes a number of seconds, not '$seconds'"
  need build fuzz
  build_fuzz_targets
  run_fuzz_targets "$seconds"
  echo "$fuzz_passed passed, $fuzz_failed failed"
  ((fuzz_failed == 0))
}
