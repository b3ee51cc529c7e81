#!/usr/bin/env bash
# kubectl.sh DIR ARGS...: kubectl as administrator of the cluster in DIR.
set -euo pipefail
here=$(dirname "$(realpath "${BASH_SOURCE[0]}")")
dir=$(realpath "$1")
# shellcheck source=e2e/cluster/common.sh
source "$here/common.sh"
# shellcheck source=e2e/cluster/node_common.sh
source "$here/node_common.sh"
find_node_programs
kubectl "${@:2}"
