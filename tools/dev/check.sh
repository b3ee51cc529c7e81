# shellcheck shell=bash disable=SC2154
# ./dev check [--all]: what a reviewer's eye need not do. Builds the dev preset's compile commands, not the programs.

check_format() {
  say "formatting"
  cpp_files | xargs -r clang-format-19 --dry-run -Werror
}

check_structure() {
  say "structure"
  ctest --test-dir build/dev -L structure --output-on-failure --no-tests=error
}

check_shell() {
  say "shellcheck"
  shellcheck -x dev .ci/run tools/dev/*.sh e2e/tools/*.sh e2e/cluster/*.sh e2e/pods/*.sh e2e/pods/tools/*.sh \
    e2e/faults/*.sh e2e/faults/alone/*.sh tools/image/*.sh tools/chart/*.sh tests/helm/tools/*.sh
}

# changed_sources: .cc files that differ from main, or all of them without git.
changed_sources() {
  local base
  if [[ ${1:-} == --all ]] || ! base=$(git merge-base HEAD main 2>/dev/null); then
    cpp_files common controller dataplane weirctl | grep '\.cc$' || true
  else
    { git diff --name-only --diff-filter=d "$base" -- '*.cc'; git ls-files --others --exclude-standard -- '*.cc'; } |
      grep -E '^(common|controller|dataplane|weirctl)/' | sort -u || true
  fi
}

check_tidy() {
  local files
  files=$(changed_sources "$@")
  say "clang-tidy on $(grep -c . <<<"$files") files"
  # The compile commands are g++'s: one of its warnings is unknown to clang.
  [[ -z $files ]] ||
    xargs -P "$jobs" -n 1 clang-tidy-19 -quiet -p build/dev --extra-arg=-Wno-unknown-warning-option <<<"$files"
}

verb_check() {
  [[ $# == 0 || $* == --all ]] || fail "check takes --all or nothing, not '$*'"
  need build check
  configure_preset dev
  local failed=()
  check_format || failed+=(formatting)
  check_structure || failed+=(structure)
  check_shell || failed+=(shellcheck)
  check_tidy "$@" || failed+=(clang-tidy)
  [[ ${#failed[@]} == 0 ]] || fail "not clean: ${failed[*]}"
  say "clean"
}
