#!/usr/bin/env bash
# row_15_bad_object_test.sh DIR: one Ingress among many has a value that is refused: it alone gets an Event, the others are served in
# the usual time. (Among 10,000: tests/scenario/faults_test.cc.)
# shellcheck source=e2e/faults/fault.sh
source "$(dirname "$0")/fault.sh"

under_load 1
count=${WEIR_E2E_OBJECTS:-500}
many() {
  local i
  for i in $(seq 1 "$count"); do
    cat <<YAML
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: many-$i
  namespace: $world
  labels: {many: "yes"}
  annotations: {nginx.ingress.kubernetes.io/proxy-read-timeout: "$([[ $i == 7 ]] && echo soon || echo 60)"}
spec:
  ingressClassName: weir
  rules:
  - host: many-$i.test
    http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: echo, port: {name: http}}}}]}
YAML
  done
}
many | kubectl apply -f - >/dev/null
start=$(millis)
check "the last of $count is served" within 30 has_route "many-$count"
bound "the last of $count served after" $(($(millis) - start)) 10000 ms
check "the first too" has_route many-1
events() { kubectl get events -A --field-selector type=Warning -o json | jq -r '.items[] | (.involvedObject // .regarding).name' | sort -u | grep '^many-'; }
only_the_bad() { is "$(events | paste -sd' ')" many-7; }
check "the bad one, and no other, has an Event" within 20 only_the_bad
kubectl -n "$world" delete ingress -l many=yes --wait=false >/dev/null
loses_nothing
fault_line 15
