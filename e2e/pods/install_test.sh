#!/usr/bin/env bash
# install_test.sh DIR: helm install, an Ingress with TLS at every address that a pod has, status, helm test, uninstall.
# shellcheck source=e2e/pods/stage.sh
source "$(dirname "$0")/stage.sh"

make_world
start=$(millis)
check "helm install brings up a ready pod" install_weir
say "ready after $(($(millis) - start)) ms"

# answers_at WHERE ADDRESS HTTP-PORT HTTPS-PORT
answers_at() {
  check "HTTP at the address of the $1 ($2:$3)" within 10 answers http "$2" "$3"
  check "HTTPS at the address of the $1 ($2:$4)" within 10 answers https "$2" "$4"
}

answers_at pod "$(pod_addresses | head -n 1)" 8080 8443
answers_at Service "$(service_address)" 80 443
answers_at node "$address" 30080 30443
answers_at "load balancer" "$load_balancer" 80 443

status_says() {
  is "$(kubectl -n "$world" get ingress shop -o jsonpath='{.status.loadBalancer.ingress[*].ip}')" "$1"
}
check "the Ingress' status says the load balancer's address" within 20 status_says "$load_balancer"
check "helm test passes" helm test "$release" --namespace "$release" --timeout 120s

check "helm upgrade to ports of the node (hostPort)" install_weir --set controller.hostPort.enabled=true \
  --set controller.updateStrategy.type=Recreate
answers_at "node, hostPort" "$address" 80 443

# left_behind: whatever carries the release's label, of every kind that can be listed, and whatever else is in its namespace but
# what every namespace has.
left_behind() {
  local kinds
  kinds=$(kubectl api-resources --verbs=list -o name | grep -v '^events' | paste -sd,)
  kubectl get "$kinds" -A -l "app.kubernetes.io/instance=$release" -o name --ignore-not-found 2>/dev/null
  kinds=$(kubectl api-resources --verbs=list --namespaced -o name | grep -v '^events' | paste -sd,)
  kw get "$kinds" -o name --ignore-not-found 2>/dev/null | grep -vxE 'configmap/kube-root-ca.crt|serviceaccount/default'
}
is_gone() { is "$(left_behind || true)" ""; }
check "helm uninstall" helm uninstall "$release" --namespace "$release" --wait --timeout 120s
check "nothing is left behind" within 30 is_gone
refused() { ! fetch http "$address" 30080; }
check "no address answers any more" within 10 refused
