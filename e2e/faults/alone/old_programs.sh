#!/usr/bin/env bash
# old_programs.sh [COMMIT]: builds weir-controller and weir-dataplane of an earlier commit of this repository, once, and prints the folder
# that holds them. Without a commit: of the last one that knew neither HTTP/2 nor balancing policies nor streams.
set -euo pipefail
top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../../.." && pwd)
cache=${WEIR_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/weir}
commit=${1:-c222e06}
commit=$(git -C "$top" rev-parse --verify "$commit^{commit}")
out=$cache/old-bin/$commit

if [[ ! -x $out/weir-dataplane ]]; then
  source=$(mktemp -d)
  trap 'rm -rf "$source"' EXIT
  echo "  building the programs of ${commit:0:10} into $out (once)" >&2
  git -C "$top" archive "$commit" | tar -x -C "$source"
  (cd "$source" && cmake --preset release >/dev/null && cmake --build build/release --parallel "${WEIR_JOBS:-$(nproc)}" --target weir-controller weir-dataplane) >&2
  mkdir -p "$out"
  cp "$source"/build/release/bin/weir-{controller,dataplane} "$out"
fi
echo "$out"
