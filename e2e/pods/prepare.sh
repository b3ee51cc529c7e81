#!/usr/bin/env bash
# prepare.sh DIR: what the tests need in a cluster that node_up.sh made: the image of Weir, built from the Dockerfile, and that of
# the backends, both in containerd's store. WEIR_E2E_BUILD: the folder of weir-e2e-backend.
set -euo pipefail
dir=$(realpath "$1")
here=$(realpath "$(dirname "${BASH_SOURCE[0]}")/../cluster")
# shellcheck source=e2e/cluster/common.sh
source "$here/common.sh"
# shellcheck source=e2e/cluster/node_common.sh
source "$here/node_common.sh"
# shellcheck source=e2e/cluster/images.sh
source "$here/images.sh"

import_image "$(program_archive weir-e2e-backend "${WEIR_E2E_BUILD:-$here/../../build/release/bin}/weir-e2e-backend")"
import_image "$(weir_archive)"
