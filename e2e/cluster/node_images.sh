#!/usr/bin/env bash
# node_images.sh DIR: the images that the cluster itself runs, into its containerd: what holds a pod's namespaces, and the DNS.
set -euo pipefail
here=$(dirname "$(realpath "${BASH_SOURCE[0]}")")
dir=$(realpath "$1")
# shellcheck source=e2e/cluster/common.sh
source "$here/common.sh"
# shellcheck source=e2e/cluster/node_common.sh
source "$here/node_common.sh"
# shellcheck source=e2e/cluster/images.sh
source "$here/images.sh"

find_node_programs
for name in pause coredns; do
  import_image "$(program_archive "$name" "$node_programs/$name")"
done
