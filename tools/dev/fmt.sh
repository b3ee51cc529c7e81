# shellcheck shell=bash disable=SC2154
# ./dev fmt: formats all our C++ files in place.
verb_fmt() {
  need format
  local count
  count=$(cpp_files | wc -l)
  say "clang-format-19 on $count files"
  cpp_files | xargs -r clang-format-19 -i
}
