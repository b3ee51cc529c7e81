#!/usr/bin/env bash
# build.sh OUTDIR: builds etcd and kube-apiserver for the e2e tests, from the versions that go.mod names.
# Needs: go on PATH, at least as new as go.mod says. CPU about nine minutes from nothing, half a minute from a warm cache.
#
# To move to another Kubernetes release: change the k8s.io/kubernetes version, set every replace line to the matching
# v0.MINOR.PATCH, take the etcd version that this release requires, then run `go mod tidy`.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
out=$1
mkdir -p "$out"
export CGO_ENABLED=0 GOFLAGS="${GOFLAGS:-} -mod=readonly -buildvcs=false"

kubernetes=$(go list -m -f '{{.Version}}' k8s.io/kubernetes)
minor=$(cut -d. -f2 <<<"$kubernetes")

# Without these the server calls itself v0.0.0-master, and clients that look at the version go wrong.
flags="-s -w"
for package in k8s.io/component-base/version k8s.io/client-go/pkg/version; do
  flags+=" -X $package.gitVersion=$kubernetes -X $package.gitMajor=1 -X $package.gitMinor=$minor"
  flags+=" -X $package.gitTreeState=clean -X $package.gitCommit=0000000000000000000000000000000000000000"
  flags+=" -X $package.buildDate=1970-01-01T00:00:00Z"
done

# One after the other: each link needs up to 2.6 GiB of memory.
go build -trimpath -ldflags "$flags" -o "$out/etcd" go.etcd.io/etcd/server/v3
go build -trimpath -ldflags "$flags" -o "$out/kube-apiserver" k8s.io/kubernetes/cmd/kube-apiserver
