#!/usr/bin/env bash
# build.sh OUTDIR: builds helm, and `strict` beside this file, for the tests of the chart, from the versions that go.mod names. Needs:
# go on PATH, at least as new as go.mod says. A minute or two from nothing.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
out=$1
mkdir -p "$out"
export CGO_ENABLED=0 GOFLAGS="${GOFLAGS:-} -mod=readonly -buildvcs=false"

helm=$(go list -m -f '{{.Version}}' helm.sh/helm/v3)
minor=$(go list -m -f '{{.Version}}' k8s.io/client-go | cut -d. -f2)

# Without these helm takes every cluster that it is not told about for Kubernetes 1.20, and refuses our chart.
flags="-s -w -X helm.sh/helm/v3/internal/version.version=$helm -X helm.sh/helm/v3/internal/version.gitTreeState=clean"
for package in pkg/chartutil pkg/lint/rules; do
  flags+=" -X helm.sh/helm/v3/$package.k8sVersionMajor=1 -X helm.sh/helm/v3/$package.k8sVersionMinor=$minor"
done
go build -trimpath -ldflags "$flags" -o "$out/helm" helm.sh/helm/v3/cmd/helm
go build -trimpath -ldflags "-s -w" -o "$out/strict" ./strict
