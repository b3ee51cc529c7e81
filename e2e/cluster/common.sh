# shellcheck shell=bash disable=SC2034,SC2154
# What up.sh and down.sh share: where things are, how a program of the cluster is started and ended. Sourced, not run.
#
# Everything of a cluster lives in one folder (dir) and one network namespace without an uplink, so that any number of
# clusters run side by side with the same addresses and nothing leaves the machine.

address=10.200.0.1      # of the API server, and of whatever a test starts in the namespace
pod_range=10.200.1.0/24 # every address of it is local in the namespace: endpoints for tests
api_port=6443
service_range=10.96.0.0/16

fail() {
  echo "e2e cluster: $*" >&2
  exit 1
}

# running NAME: true while the program of this cluster is alive. The folder's path in the command line tells it from a
# stranger that got the same process id later.
running() {
  local pid
  pid=$(cat "$dir/run/$1.pid" 2>/dev/null) || return 1
  grep -qsF -- "$dir" "/proc/$pid/cmdline"
}

# start NAME COMMAND...: runs it in the namespace, in a session of its own; log and pid file in the folder. COMMAND names
# the folder. Returns when its command line can be read, so that running is right from then on.
start() {
  local name=$1 turns=200
  shift
  setsid nsenter --net="/run/netns/$(cat "$dir/netns")" "$@" >>"$dir/log/$name.log" 2>&1 </dev/null 9>&- &
  echo $! >"$dir/run/$name.pid"
  until running "$name" || ((turns-- == 0)); do sleep 0.01; done
}

# stop NAME [SECONDS]: SIGTERM, then SIGKILL after so many seconds.
stop() {
  local pid turns=$((${2:-5} * 20))
  if running "$1"; then
    pid=$(cat "$dir/run/$1.pid")
    kill "$pid" 2>/dev/null || true
    while running "$1" && ((turns-- > 0)); do sleep 0.05; done
    if running "$1"; then kill -9 "$pid" 2>/dev/null || true; fi
  fi
  rm -f "$dir/run/$1.pid"
}

# died NAME: ends with the last lines of its log.
died() {
  tail -n 5 "$dir/log/$1.log" >&2
  fail "$1 ended; its log: $dir/log/$1.log"
}
