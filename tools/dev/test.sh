# shellcheck shell=bash disable=SC2154
# ./dev test: every test in every build that matters, in legs. Each leg leaves build/results/LEG.xml (ctest) or LEG.count.
# A leg that does not build counts as one failure and the next leg runs all the same.
#
#   release   all tests, the e2e tests included (a real etcd and kube-apiserver; root)
#   asan      address and undefined-behaviour sanitizer: labels unit and scenario
#   tsan      thread sanitizer: label dataplane
#   fuzz      clang: every fuzz target for WEIR_FUZZ_SECONDS (30), at the lowest priority beside the legs after release, where nothing is
#             measured: their tests wait more than they compute

# shellcheck source=tools/dev/e2e.sh
source tools/dev/e2e.sh
# shellcheck source=tools/dev/fuzz.sh
source tools/dev/fuzz.sh

results=build/results
# Tests wait more than they compute: the release leg's 86 that need nothing but the build took 154 s of processor in 288 s, three at a time.
test_jobs=${WEIR_TEST_JOBS:-$((2 * $(nproc)))}

# run_ctest LEG [CTEST-ARGS...]: in the preset of the same name.
run_ctest() {
  local leg=$1
  shift
  ctest --test-dir "build/$leg" -j "$test_jobs" --output-on-failure --no-tests=error \
    --output-junit "$top/$results/$leg.xml" "$@"
}

leg_release() {
  configure_preset release
  build_targets release
  local without=()
  if [[ -n $(tests_labelled release '^e2e$') ]]; then
    if [[ $(id -u) == 0 ]]; then
      need_cluster
    else
      say "not root: the e2e tests are left out (they make a network namespace)"
      without=(-LE '^e2e$')
    fi
  fi
  if [[ -n $(tests_labelled release '^grpc$') ]]; then need_grpc; fi
  if [[ -n $(tests_labelled release '^helm$') ]]; then need_helm; fi
  if [[ -n $(tests_labelled release '^prometheus$') ]]; then need_prometheus; fi
  if [[ -n $(tests_labelled release '^traces$') ]]; then need_otlp; fi
  run_ctest release "${without[@]}"
}

leg_asan() {
  build_labelled asan '^(unit|scenario)$'
  ASAN_OPTIONS=detect_leaks=1:strict_string_checks=1 UBSAN_OPTIONS=print_stacktrace=1 \
    run_ctest asan -L '^(unit|scenario)$'
}

leg_tsan() {
  build_labelled tsan '^dataplane$'
  # The thread sanitizer's shadow memory does not fit every random layout, so children get a fixed one where that is allowed.
  if setarch -R true 2>/dev/null; then
    ctest() { setarch -R ctest "$@"; }
  fi
  TSAN_OPTIONS=halt_on_error=1:second_deadlock_stack=1 run_ctest tsan -L '^dataplane$'
}

leg_fuzz() {
  build_fuzz_targets
  local fuzz_seed=1
  run_fuzz_targets "${WEIR_FUZZ_SECONDS:-30}"
  echo "$fuzz_passed $fuzz_failed" >"$results/fuzz.count"
  ((fuzz_failed == 0))
}

# suite_number XML NAME: a number in the head of ctest's JUnit file.
suite_number() { tr '\n\t' '  ' <"$1" | grep -o '<testsuite [^>]*>' | head -n 1 | sed -n "s/.* $2=\"\([0-9]*\)\".*/\1/p"; }

# leg_counts LEG STATUS: "PASSED FAILED" of a leg, from what it left; a leg that left nothing failed once.
leg_counts() {
  local xml=$results/$1.xml tests failures idle
  if [[ -s $results/$1.count ]]; then
    cat "$results/$1.count"
  elif [[ -s $xml ]]; then
    tests=$(suite_number "$xml" tests)
    failures=$(suite_number "$xml" failures)
    idle=$(($(suite_number "$xml" skipped) + $(suite_number "$xml" disabled)))
    if ((failures == 0 && $2 != 0)); then failures=1 tests=$((tests + 1)); fi
    echo "$((tests - failures - idle)) $failures"
  else
    echo "0 1"
  fi
}

# do_leg LEG: the leg itself; sets leg_status and leaves how many seconds it took in build/results/LEG.seconds. Not to be called where a
# failure is looked at ("do_leg x || ..."): bash would ignore `set -e` in all of the leg.
leg_status=0
do_leg() {
  local start=$SECONDS
  rm -f "$results/$1".{xml,count,seconds}
  set +e
  (
    set -e
    "leg_$1"
  )
  leg_status=$?
  set -e
  elapsed "$start" >"$results/$1.seconds"
}

# The legs that were begun beside the others, by name; the value is the process.
declare -A beside=()

# begin_leg LEG: starts it beside what follows, at the lowest priority; what it prints is kept in build/results/LEG.log.
begin_leg() {
  say "leg $1 begins beside the others"
  (
    renice -n 19 "$BASHPID" >/dev/null
    do_leg "$1"
    exit "$leg_status"
  ) >"$results/$1.log" 2>&1 &
  beside[$1]=$!
}

# run_leg LEG: adds to passed, failed and summary.
run_leg() {
  local leg=$1 status=0 leg_passed leg_failed
  say "leg $leg"
  if [[ -n ${beside[$leg]:-} ]]; then
    wait "${beside[$leg]}" || status=$?
    cat "$results/$leg.log"
  else
    do_leg "$leg"
    status=$leg_status
  fi
  read -r leg_passed leg_failed < <(leg_counts "$leg" "$status")
  passed=$((passed + leg_passed))
  failed=$((failed + leg_failed))
  summary+=("$(printf '    %-8s %4d passed %4d failed %6d s' "$leg" "$leg_passed" "$leg_failed" "$(cat "$results/$leg.seconds")")")
}

verb_test() {
  [[ $# == 0 ]] || fail "test takes no arguments; WEIR_LEGS=\"release asan tsan fuzz\" chooses legs"
  local leg passed=0 failed=0 legs=${WEIR_LEGS:-release asan tsan fuzz}
  local -a summary=()
  for leg in $legs; do
    [[ $leg =~ ^(release|asan|tsan|fuzz)$ ]] || fail "there is no leg '$leg': release, asan, tsan, fuzz"
  done
  need build test
  mkdir -p "$results"
  for leg in $legs; do
    # What is measured has the machine for itself.
    if [[ $leg != release && $leg != fuzz && " $legs " == *" fuzz "* && -z ${beside[fuzz]:-} ]]; then begin_leg fuzz; fi
    run_leg "$leg"
  done
  say "all legs in $SECONDS s"
  printf '%s\n' "${summary[@]}"
  echo "$passed passed, $failed failed"
  ((failed == 0))
}
