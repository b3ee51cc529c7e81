#!/usr/bin/env bash
# build.sh OUTDIR: builds gRPC's own interoperability client and server for the test grpc_interop, from the version that
# go.mod names, and health/ with its health service. Needs: go on PATH, at least as new as go.mod says. About a minute from nothing.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
out=$1
mkdir -p "$out"
export CGO_ENABLED=0 GOFLAGS="${GOFLAGS:-} -mod=readonly -buildvcs=false"
for program in client server; do
  go build -trimpath -ldflags "-s -w" -o "$out/grpc-interop-$program" "google.golang.org/grpc/interop/$program"
done
go build -trimpath -ldflags "-s -w" -o "$out/grpc-health" ./health
