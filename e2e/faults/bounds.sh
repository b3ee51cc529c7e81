# shellcheck shell=bash disable=SC2154
# What a fault row measured against what it allows, and the line that it prints at its end. Sourced behind e2e/cluster/checks.sh and
# e2e/pods/load.sh.

bounds=()

# bound NAME VALUE LIMIT [UNIT]: checks value <= limit, and remembers it.
bound() {
  bounds+=("$1: $2${4:+ $4} (<= $3)")
  check "$1: $2${4:+ $4}, at most $3" at_most "$2" "$3"
}

# fault_line ROW: what the load saw, where there was one, and the bounds.
fault_line() {
  local held load="no load"
  held=$(printf '%s; ' "${bounds[@]}")
  [[ ! -e $dir/load-fault ]] || load="requests $(load_value fault requests), lost $(load_value fault failed)"
  [[ ! -e $dir/load-fault ]] || load+=", closed $(load_value fault closed)"
  printf '  row %s: %s; %s\n' "$1" "$load" "${held%; }"
}
