# shellcheck shell=bash disable=SC2034
# Words for what a test checks: each says what held, and failed counts what did not. Sourced.
# A grep behind a pipe reads to the end (no -q): with pipefail, whoever still writes when it leaves would fail the check.

failed=0

say() { printf '       %s\n' "$*"; }

# check WHAT COMMAND...: says what held; on failure what the command printed too.
check() {
  local what=$1 output
  shift
  if output=$("$@" 2>&1); then
    printf '  ok   %s\n' "$what"
  else
    printf '  FAIL %s\n%s\n' "$what" "$(tail -n 20 <<<"$output" | awk '{ print "         | " $0 }')"
    failed=$((failed + 1))
  fi
}

# within SECONDS COMMAND...: until it succeeds; fails with what the last attempt printed.
within() {
  local deadline=$((SECONDS + $1)) output
  shift
  until output=$("$@" 2>&1); do
    if ((SECONDS >= deadline)); then
      printf 'not within the time: %s\n%s\n' "$*" "$output"
      return 1
    fi
    sleep 0.2
  done
  printf '%s\n' "$output"
}

is() { [[ $1 == "$2" ]] || { echo "is '$1', not '$2'"; return 1; }; }
at_most() { (($1 <= $2)) || { echo "is $1, more than $2"; return 1; }; }
at_least() { (($1 >= $2)) || { echo "is $1, less than $2"; return 1; }; }
millis() { date +%s%3N; }
