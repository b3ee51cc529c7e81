#!/usr/bin/env bash
# upgrade_test.sh DIR: helm upgrade with a value that replaces the pods, and helm rollback, under load.
# shellcheck source=e2e/pods/stage.sh
source "$(dirname "$0")/stage.sh"

make_world
install_weir --set controller.replicaCount=2
within 10 answers http "$(service_address)" 80 >/dev/null
before=$(pod_names | sort | paste -sd' ')
load_start upgrade
load_reaches upgrade 1000 30

start=$(millis)
check "helm upgrade replaces the pods under load" install_weir --set controller.replicaCount=2 \
  --set dataplane.extraArgs.log-level=warn
check "the new value is in the pods" grep -q -- --log-level=warn <(kw get pods -o yaml)
say "upgraded after $(($(millis) - start)) ms"
start=$(millis)
check "helm rollback under load" helm rollback "$release" 1 --namespace "$release" --wait --timeout 120s
check "the old value is back" grep -qv -- --log-level=warn <(kw get deployment weir -o jsonpath='{.spec.template}')
say "rolled back after $(($(millis) - start)) ms"
rollout 180
check "all pods are others" is "$(comm -12 <(tr ' ' '\n' <<<"$before") <(pod_names | sort) | wc -l)" 0
ended() { is "$(kw get pods -o name | wc -l)" 2; }
check "the replaced pods have ended" within 60 ended
load_stop upgrade
check "nothing was lost" nothing_lost upgrade
say "$(load_summary upgrade)"
