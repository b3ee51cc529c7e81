#!/usr/bin/env bash
# build.sh OUTDIR: builds what a node and its administrator need beside etcd and kube-apiserver (which e2e/tools builds), from the
# versions that go.mod names. Needs: go on PATH, at least as new as go.mod says, and gcc. CPU about ten minutes from nothing, half
# a minute from a warm cache.
#
# To move to another Kubernetes release: the same version and replace lines as in e2e/tools/go.mod, then `go mod tidy`.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
out=$1
mkdir -p "$out"
export CGO_ENABLED=0 GOFLAGS="${GOFLAGS:-} -mod=readonly -buildvcs=false"

kubernetes=$(go list -m -f '{{.Version}}' k8s.io/kubernetes)
minor=$(cut -d. -f2 <<<"$kubernetes")

# Without these the programs call themselves v0.0.0-master.
flags="-s -w"
for package in k8s.io/component-base/version k8s.io/client-go/pkg/version; do
  flags+=" -X $package.gitVersion=$kubernetes -X $package.gitMajor=1 -X $package.gitMinor=$minor"
  flags+=" -X $package.gitTreeState=clean -X $package.gitCommit=0000000000000000000000000000000000000000"
  flags+=" -X $package.buildDate=1970-01-01T00:00:00Z"
done

# One after the other: each link needs up to 2.6 GiB of memory.
build() { go build -trimpath -ldflags "$flags" -o "$out/" "$1"; }
for name in kube-controller-manager kube-scheduler kubelet kube-proxy kubectl; do
  build "k8s.io/kubernetes/cmd/$name"
done
build ./coredns

# The program that holds a pod's namespaces, from Kubernetes' own source.
pause=$(go list -m -f '{{.Dir}}' k8s.io/kubernetes)/build/pause/linux/pause.c
gcc -Os -static -s -DVERSION="$kubernetes" -o "$out/pause" "$pause"
