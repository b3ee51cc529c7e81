#!/usr/bin/env bash
# row_17_descriptors_test.sh DIR: the worker may hold only a few descriptors more than it has, and clients want many: accepting
# pauses without spinning, and it serves at once when they are gone.
# shellcheck source=e2e/faults/fault.sh
source "$(dirname "$0")/fault.sh"

make_world
install_weir
within 20 answers http "$(service_address)" 80 >/dev/null
pod=$(one_pod)
at=$(pod_addresses | head -n 1)
worker=$(worker_pid "$pod")
limit=$(prlimit --pid "$worker" --nofile --noheadings --output SOFT | tr -d ' ')
open=$(find "/proc/$worker/fd" -mindepth 1 | wc -l)
prlimit --pid "$worker" --nofile=$((open + 60)):
# Two hundred connections that say nothing.
nsenter --net="/run/netns/$(cat "$dir/netns")" \
  bash -c "for i in {1..200}; do exec {fd}<>/dev/tcp/$at/8080 || exit; done; exec sleep 60" >/dev/null 2>&1 &
crowd=$!
sleep 3
ticks() { awk '{ print $14 + $15 }' "/proc/$worker/stat"; }
before=$(ticks)
sleep 5
spent=$(($(ticks) - before))
bound "processor while it cannot accept, per cent" $((spent * 100 / 5 / $(getconf CLK_TCK))) 10 ""
kill "$crowd"
wait "$crowd" 2>/dev/null || true
start=$(millis)
check "it answers when they are gone" within 10 answers http "$at" 8080
bound "answered again after" $(($(millis) - start)) 2000 ms
prlimit --pid "$worker" --nofile="$limit":
check "the same worker lives" is "$(worker_pid "$pod")" "$worker"
fault_line 17
