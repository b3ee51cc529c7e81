# shellcheck shell=bash disable=SC2154
# The load of a test: weir-e2e-load in the cluster's namespace. Sourced by stage.sh.

declare -A load_pids=()

# load_start NAME [ARG...]: clients of every kind, at the Service's address, at that of the first pod with load_at=pod, or where ARGs say
# with load_at=alone.
load_start() {
  local name=$1 at
  shift
  case ${load_at:-service} in
    service) at="--address $(service_address)" ;;
    pod) at="--address $(pod_addresses | head -n 1) --http-port 8080 --https-port 8443" ;;
    alone) at= ;;
  esac
  rm -f "$dir/load-$name"
  # shellcheck disable=SC2086 # a list of words
  # Not by a function: the process id has to be the program's.
  nsenter --net="/run/netns/$(cat "$dir/netns")" "$binaries/weir-e2e-load" $at --host "${load_host:-$host}" --backends "${load_backends:-echo}" --report "$dir/load-$name" \
    "$@" >"$dir/log/load-$name.log" 2>&1 9>&- &
  load_pids[$name]=$!
}

# load_value NAME KEY: a number of its report; 0 while there is none.
load_value() {
  local value
  value=$(sed -n "s/^$2=//p" "$dir/load-$1" 2>/dev/null | head -n 1)
  echo "${value:-0}"
}

# load_reaches NAME REQUESTS SECONDS: waits until so many were asked.
load_reaches() {
  local deadline=$((SECONDS + $3))
  while (($(load_value "$1" requests) < $2)); do
    kill -0 "${load_pids[$1]}" 2>/dev/null || { echo "the load $1 has ended"; return 1; }
    ((SECONDS < deadline)) || { echo "only $(load_value "$1" requests) of $2 requests in $3 s"; return 1; }
    sleep 0.2
  done
}

# load_stop NAME: returns when its last request is answered and counted.
load_stop() {
  kill -TERM "${load_pids[$1]}" 2>/dev/null || true
  wait "${load_pids[$1]}" 2>/dev/null || true
  unset "load_pids[$1]"
}

load_end_all() {
  local name
  for name in "${!load_pids[@]}"; do load_stop "$name"; done
}

# load_summary NAME: one line of what it saw.
load_summary() {
  grep -v '^held' "$dir/load-$1" | tr '\n' ' '
  echo "held=$(load_value "$1" held)"
}

# nothing_lost NAME: its report says so; else what the clients complained about.
nothing_lost() {
  [[ $(load_value "$1" failed) == 0 && $(load_value "$1" requests) != 0 ]] && return
  load_summary "$1"
  tail -n 60 "$dir/log/load-$1.log"
  return 1
}
