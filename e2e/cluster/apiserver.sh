#!/usr/bin/env bash
# apiserver.sh DIR stop|start: takes the API server of a cluster away, and brings it back on the same address with the same
# data. stop returns when it has ended (SIGTERM, then SIGKILL after 3 s), start when it is ready. Silent when all is well.
set -euo pipefail
here=$(dirname "$(realpath "${BASH_SOURCE[0]}")")
dir=$(realpath "$1")
# shellcheck source=e2e/cluster/common.sh
source "$here/common.sh"

case ${2:-} in
  stop) stop kube-apiserver 3 ;;
  start)
    find_programs
    start_apiserver
    ;;
  *) fail "usage: apiserver.sh DIR stop|start" ;;
esac
