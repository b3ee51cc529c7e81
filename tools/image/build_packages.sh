#!/usr/bin/env bash
# build_packages.sh: installs what ./dev build needs, in the build stage of the Dockerfile. The list is tools/dev/packages.sh.
set -euo pipefail
top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
# shellcheck source=tools/dev/common.sh
source "$top/tools/dev/common.sh"
# shellcheck source=tools/dev/packages.sh
source "$top/tools/dev/packages.sh"
need build
