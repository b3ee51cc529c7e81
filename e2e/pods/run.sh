#!/usr/bin/env bash
# run.sh DIR [REGEX]: the tests in a cluster that prepare.sh filled, one after the other; with REGEX those whose path matches.
# Prints what each checked and how long it took; the exit code says whether all held.
set -euo pipefail
dir=$(realpath "$1")
chosen=${2:-.}
e2e=$(realpath "$(dirname "${BASH_SOURCE[0]}")/..")
passed=0 summary=()
read -ra folders <<<"${WEIR_E2E_TESTS:-$e2e/pods $e2e/faults}" # WEIR_E2E_TESTS: another folder of tests

while read -r test; do
  name=${test#"$e2e/"}
  echo "== $name"
  start=$SECONDS
  # Bounded, whatever a script waits for; its end is then its own.
  if timeout --foreground --signal TERM --kill-after 120 "${WEIR_E2E_TIMEOUT:-900}" bash "$test" "$dir"; then
    passed=$((passed + 1))
    word=passed
  else
    word=FAILED
  fi
  summary+=("$(printf '  %-6s %4d s  %s' "$word" "$((SECONDS - start))" "$name")")
done < <(find "${folders[@]}" -maxdepth 1 -name '*_test.sh' | sort | grep -E -- "$chosen")

echo "== all in $SECONDS s"
printf '%s\n' "${summary[@]}"
echo "$passed passed, $((${#summary[@]} - passed)) failed"
((${#summary[@]} > 0 && passed == ${#summary[@]}))
