{{- /* Rules: exactly what weir-controller needs, no more; the e2e tests compare them with what it did. */ -}}

{{- define "weir.rulesOfObjects" -}}
# What is translated.
- apiGroups: [networking.k8s.io]
  resources: [ingresses]
  verbs: [list, watch]
- apiGroups: [""]
  resources: [services]
  verbs: [list, watch]
- apiGroups: [discovery.k8s.io]
  resources: [endpointslices]
  verbs: [list, watch]
- apiGroups: [weir.ingress]
  resources: [weirsettings]
  verbs: [list, watch]
# The answer to the owner: addresses, and Events on the object.
- apiGroups: [networking.k8s.io]
  resources: [ingresses/status]
  verbs: [patch]
- apiGroups: [events.k8s.io]
  resources: [events]
  verbs: [create, patch]
{{- end -}}

{{- define "weir.rulesOfClasses" -}}
- apiGroups: [networking.k8s.io]
  resources: [ingressclasses]
  verbs: [list, watch]
{{- end -}}

{{- define "weir.rulesOfNamedThings" -}}
# Certificates and password files that an Ingress names; TCP and UDP services. Each is watched by its name, once it is named.
- apiGroups: [""]
  resources: [secrets]
  verbs: [list, watch]
- apiGroups: [""]
  resources: [configmaps]
  verbs: [list, watch]
{{- end -}}

{{- /* "resource" and "names": objects that may be read by name only. */ -}}
{{- define "weir.ruleOfNames" -}}
- apiGroups: [""]
  resources: [{{ .resource }}]
  resourceNames:
  {{- range sortAlpha (uniq .names) }}
  - {{ . | quote }}
  {{- end }}
  verbs: [list, watch]
{{- end -}}

{{- /* "apiVersion" to "metadata" of a role or binding: root, kind, name, namespace (empty: of the cluster). */ -}}
{{- define "weir.rbacHead" -}}
apiVersion: rbac.authorization.k8s.io/v1
kind: {{ .kind }}
metadata:
  name: {{ .name }}
  {{- with .namespace }}
  namespace: {{ . }}
  {{- end }}
  labels:
    {{- include "weir.labels" .root | nindent 4 }}
{{- end -}}

{{- define "weir.binding" -}}
{{- $kind := ternary "Role" "ClusterRole" (ne .namespace "") -}}
---
{{ include "weir.rbacHead" (dict "root" .root "kind" (printf "%sBinding" $kind) "name" .name "namespace" .namespace) }}
roleRef:
  apiGroup: rbac.authorization.k8s.io
  kind: {{ $kind }}
  name: {{ .name }}
subjects:
- kind: ServiceAccount
  name: {{ include "weir.account" .root }}
  namespace: {{ include "weir.namespace" .root }}
{{- end -}}

{{- /* What is read by name in each namespace, as JSON: {namespace: {"secrets": [...], "configmaps": [...], "services": [...]}}. What
the cluster-wide rules or those of a served namespace cover already is left out. */ -}}
{{- define "weir.readByName" -}}
{{- $all := dict -}}
{{- $c := .Values.controller -}}
{{- $own := include "weir.namespace" . -}}
{{- $scope := (include "weir.scope" . | fromJson).list -}}
{{- $wanted := list -}}
{{- with include "weir.tickets" . -}}{{- $wanted = append $wanted (list "secrets" $own .) -}}{{- end -}}
{{- with include "weir.peers" . -}}{{- $wanted = append $wanted (list "secrets" $own .) -}}{{- end -}}
{{- with get $c.extraArgs "default-ssl-certificate" -}}{{- $wanted = append $wanted (concat (list "secrets") (splitList "/" .)) -}}{{- end -}}
{{- range $protocol := list "tcp" "udp" -}}
{{- if get $.Values $protocol -}}{{- $wanted = append $wanted (list "configmaps" $own (printf "%s-%s" (include "weir.fullname" $) $protocol)) -}}{{- end -}}
{{- with get $c.extraArgs (printf "%s-services-configmap" $protocol) -}}{{- $wanted = append $wanted (concat (list "configmaps") (splitList "/" .)) -}}{{- end -}}
{{- end -}}
{{- if $scope -}}{{- with include "weir.published" . -}}{{- $wanted = append $wanted (concat (list "services") (splitList "/" .)) -}}{{- end -}}{{- end -}}
{{- range $namespace, $names := .Values.rbac.secrets -}}
{{- range $names -}}{{- $wanted = append $wanted (list "secrets" $namespace .) -}}{{- end -}}
{{- end -}}
{{- range $wanted -}}
{{- $resource := index . 0 -}}{{- $namespace := index . 1 -}}{{- $name := index . 2 -}}
{{- $served := or (not $scope) (has $namespace $scope) -}}
{{- $covered := $served -}}
{{- if ne $resource "services" -}}{{- $covered = or (eq $.Values.rbac.mode "cluster") (and $served (eq $.Values.rbac.mode "namespaces")) -}}{{- end -}}
{{- if not $covered -}}
{{- $place := get $all $namespace | default dict -}}
{{- $_ := set $place $resource (append (get $place $resource | default list) $name) -}}
{{- $_ := set $all $namespace $place -}}
{{- end -}}
{{- end -}}
{{- toJson $all -}}
{{- end -}}
