#!/usr/bin/env bash
# definition_test.sh DIR: a cluster has an older definition of WeirSettings. helm upgrade leaves it alone and Weir runs by it; applying
# the new one under load, as docs/install.md says, loses no request and no object, and its new field counts without a restart.
# shellcheck source=e2e/pods/stage.sh
source "$(dirname "$0")/stage.sh"

definition=weirsettings.weir.ingress
field=clientHeaderTimeout # the field that the older definition lacks

# The definition as helm installs it, without the field.
older_definition() {
  kubectl create --dry-run=client -o json -f "$top/helm/weir/crds/weir.ingress_weirsettings.yaml" |
    jq --arg field "$field" 'del(.spec.versions[].schema.openAPIV3Schema.properties.spec.properties[$field])'
}
knows_field() { kubectl get crd "$definition" -o json | grep "\"$field\"" >/dev/null; }
condition() { # TYPE
  kw get weirsettings "$release" -o jsonpath="{.status.conditions[?(@.type==\"$1\")].status}"
}
setting_holds() { is "$(condition Accepted) $(condition Programmed)" "True True"; }
settings() { # SPEC, a flow mapping
  kubectl apply -f - >/dev/null <<YAML
apiVersion: weir.ingress/v1alpha1
kind: WeirSettings
metadata: {name: $release, namespace: $release}
spec: $1
YAML
}
# The pods that stay, and how often their containers were started anew.
identities() {
  kw get pods -o json | jq -r '.items[] | select(.metadata.deletionTimestamp == null)
    | .metadata.uid, ([.status.containerStatuses[]?, .status.initContainerStatuses[]?] | map(.restartCount) | add)'
}

# A new connection that sends half a head is ended within 4 s. Each try is short, for a connection keeps the bound under which it began:
# one that is opened before the setting counts would be borne for the default 25 s.
is_impatient() {
  namespace timeout 4 bash -c "exec 3<>/dev/tcp/$(service_address)/80 && printf 'GET / HTTP/1.1\r\nHost: ' >&3 && cat <&3 >/dev/null"
}

kubectl delete crd "$definition" --ignore-not-found --timeout=60s >/dev/null
kubectl create namespace "$release" --dry-run=client -o yaml | kubectl apply -f - >/dev/null
older_definition | kubectl create -f - >/dev/null
make_world
check "helm install beside an older definition" install_weir
check "helm leaves the definition as it is" eval '! knows_field'
settings '{keepAliveTimeout: 2m}'
check "a setting that it knows holds" within 30 setting_holds
refused_as_unknown() { ! settings "{keepAliveTimeout: 2m, $field: 2s}" 2>"$dir/log/refused" && grep -q "unknown field.*$field" "$dir/log/refused"; }
check "the API server refuses the field that it does not know, by name" refused_as_unknown

load_start definition
load_reaches definition 1000 30
check "helm upgrade under load" install_weir --set dataplane.extraArgs.log-level=warn
check "and still leaves the definition as it is" eval '! knows_field'
rollout 180
before=$(identities)
check "the new definition is applied" kubectl apply --server-side --force-conflicts -f "$top/crds/"
check "it knows the field" within 10 knows_field
check "the object is still there, and holds" setting_holds
check "the field is accepted" settings "{keepAliveTimeout: 2m, $field: 2s}"
accepted=$(millis)
check "and counts on a new connection" within 20 is_impatient
say "$(($(millis) - accepted)) ms after it was accepted, of which 2,000 are its bound"
check "the object says so" within 10 setting_holds
check "no pod was restarted for it" is "$(identities)" "$before"
load_stop definition
check "nothing was lost" nothing_lost definition
say "$(load_summary definition)"

check "helm uninstall" helm uninstall "$release" --namespace "$release" --wait --timeout 120s
check "the definition stays" knows_field
check "and the object, for it is not the release's" kw get weirsettings "$release"
