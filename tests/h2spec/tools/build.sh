#!/usr/bin/env bash
# build.sh OUTDIR: builds h2spec, the conformance tests of HTTP/2, from the version that go.mod names. Needs: go on PATH.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
mkdir -p "$1"
CGO_ENABLED=0 go build -mod=readonly -buildvcs=false -trimpath -o "$1/h2spec" github.com/summerwind/h2spec/cmd/h2spec
