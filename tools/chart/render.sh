#!/usr/bin/env bash
# render.sh [--check]: makes deploy/static/weir.yaml, deploy/rbac.yaml and deploy/alerts/weir.yaml from the chart, and the roles of its
# narrower modes for the e2e tests; with --check says whether they differ. Without helm's own objects. WEIR_HELM_BIN is the folder of helm
# (tools/dev/go_programs.sh tests/helm/tools prints it).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
helm=${WEIR_HELM_BIN:-}/helm
check=${1:-}
[[ -x $helm ]] || { echo "WEIR_HELM_BIN names no folder with helm in it" >&2 && exit 77; }
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT

template() {
  "$helm" template weir helm/weir --namespace weir --no-hooks --kube-version 1.30.0 "$@" | grep -vE '^ *(# Source: |helm\.sh/chart: |app\.kubernetes\.io/managed-by: )'
}

# documents KIND...: those of standard input that are of one of the kinds.
documents() {
  awk -v kinds=" $* " 'BEGIN { RS = "---\n"; ORS = "" }
    match($0, /\nkind: [A-Za-z]+/) { kind = substr($0, RSTART + 7, RLENGTH - 7); if (index(kinds, " " kind " ")) print "---\n" $0 }'
}

namespace() {
  cat <<'TEXT'
apiVersion: v1
kind: Namespace
metadata:
  name: weir
  labels:
    pod-security.kubernetes.io/enforce: restricted
TEXT
}

# roles SETTING...: what a mode lets the account do.
roles() { made_from && template "$@" | documents ClusterRole ClusterRoleBinding Role RoleBinding; }

made_from() { echo "# Made from helm/weir by tools/chart/render.sh: change that, not this."; }

deploy=$out/deploy
roles=$out/e2e/roles
mkdir -p "$deploy/static" "$deploy/alerts" "$roles"
template >"$out/all"
{ made_from && namespace && template --include-crds; } >"$deploy/static/weir.yaml"
{
  echo "# Who weir-controller is and what it may do: exactly what it needs, no more. The e2e tests run it with this file."
  made_from
  namespace
  documents ServiceAccount ClusterRole ClusterRoleBinding Role RoleBinding <"$out/all"
} >"$deploy/rbac.yaml"
scope='controller.scope.enabled=true,controller.scope.namespaces={shop}'
roles --set "$scope,rbac.mode=namespaces" >"$roles/namespaces.yaml"
roles --set "$scope,rbac.mode=named,rbac.secrets.shop={web-tls}" >"$roles/named.yaml"
template --set controller.metrics.prometheusRule.enabled=true --show-only templates/monitoring.yaml >"$out/rule"
{ made_from && sed '1{/^---$/d}' "$out/rule"; } >"$deploy/alerts/weir.yaml"

for file in deploy/static/weir.yaml deploy/rbac.yaml deploy/alerts/weir.yaml e2e/roles/namespaces.yaml e2e/roles/named.yaml; do
  if [[ $check == --check ]]; then
    diff -u "$file" "$out/$file" || { echo "$file is not what the chart renders: run tools/chart/render.sh" >&2 && exit 1; }
  else
    mkdir -p "$(dirname "$file")"
    cp "$out/$file" "$file"
  fi
done
