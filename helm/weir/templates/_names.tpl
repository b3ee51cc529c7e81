{{- /* Names, labels, the image. */ -}}

{{- define "weir.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" -}}
{{- end -}}

{{- define "weir.release" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 63 | trimSuffix "-" -}}
{{- else -}}
{{- $name := include "weir.name" . -}}
{{- if contains $name .Release.Name -}}
{{- .Release.Name | trunc 63 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name $name | trunc 63 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "weir.fullname" -}}
{{- $release := include "weir.release" . -}}
{{- if .Values.controller.name -}}
{{- printf "%s-%s" ($release | trunc (int (sub 62 (len .Values.controller.name))) | trimSuffix "-") .Values.controller.name -}}
{{- else -}}
{{- $release -}}
{{- end -}}
{{- end -}}

{{- define "weir.namespace" -}}
{{- default .Release.Namespace .Values.namespaceOverride -}}
{{- end -}}

{{- define "weir.selector" -}}
app.kubernetes.io/name: {{ include "weir.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/component: ingress
{{- end -}}

{{- define "weir.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{ include "weir.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- with .Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- define "weir.image" -}}
{{- with .Values.image -}}
{{- if .digest -}}
{{- printf "%s@%s" .repository .digest -}}
{{- else -}}
{{- printf "%s:%s" .repository (default $.Chart.AppVersion .tag) -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "weir.account" -}}
{{- if .Values.serviceAccount.create -}}
{{- default (include "weir.fullname" .) .Values.serviceAccount.name -}}
{{- else -}}
{{- default "default" .Values.serviceAccount.name -}}
{{- end -}}
{{- end -}}

{{- define "weir.election" -}}
{{- default (printf "%s-leader" (include "weir.fullname" .)) .Values.controller.electionID -}}
{{- end -}}

{{- define "weir.tickets" -}}
{{- with .Values.controller.ticketKeys -}}
{{- if .create -}}
{{- default (printf "%s-ticket-keys" (include "weir.fullname" $)) .name -}}
{{- else -}}
{{- .name -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- /* The Service by which replicas find each other and the Secret with their authorities; nothing: they do not. */ -}}
{{- define "weir.peers" -}}
{{- if .Values.controller.peers.enabled -}}
{{- printf "%s-peers" (include "weir.fullname" .) -}}
{{- end -}}
{{- end -}}

{{- /* The Service whose addresses go into the status: NAMESPACE/NAME, or nothing. */ -}}
{{- define "weir.published" -}}
{{- if .Values.controller.publishService.enabled -}}
{{- if .Values.controller.publishService.pathOverride -}}
{{- .Values.controller.publishService.pathOverride -}}
{{- else if and .Values.controller.service.enabled .Values.controller.service.external.enabled -}}
{{- printf "%s/%s" (include "weir.namespace" .) (include "weir.fullname" .) -}}
{{- else if and .Values.controller.service.enabled .Values.controller.service.internal.enabled -}}
{{- printf "%s/%s-internal" (include "weir.namespace" .) (include "weir.fullname" .) -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- /* Namespaces that are served, as JSON: {"list": [...]}; empty: all. */ -}}
{{- define "weir.scope" -}}
{{- $list := list -}}
{{- with .Values.controller.scope -}}
{{- if .enabled -}}
{{- $list = .namespaces | default (list (default (include "weir.namespace" $) .namespace)) | uniq -}}
{{- end -}}
{{- end -}}
{{- dict "list" $list | toJson -}}
{{- end -}}

{{- /* Ports that clients use: of the Service, else of the node, else of the pod. */ -}}
{{- define "weir.publicPorts" -}}
{{- $controller := .Values.controller -}}
{{- if and $controller.service.enabled (or $controller.service.external.enabled $controller.service.internal.enabled) -}}
{{- toJson $controller.service.ports -}}
{{- else if $controller.hostPort.enabled -}}
{{- toJson $controller.hostPort.ports -}}
{{- else -}}
{{- toJson $controller.containerPort -}}
{{- end -}}
{{- end -}}

{{- /* Ports of TCP and UDP services, as JSON: {"list": [{port, protocol, name}, …]} in order. */ -}}
{{- define "weir.streams" -}}
{{- $list := list -}}
{{- range $port, $target := .Values.tcp -}}
{{- $list = append $list (dict "port" (int $port) "key" $port "protocol" "TCP" "name" (printf "%s%s-tcp" $.Values.portNamePrefix $port)) -}}
{{- end -}}
{{- range $port, $target := .Values.udp -}}
{{- $list = append $list (dict "port" (int $port) "key" $port "protocol" "UDP" "name" (printf "%s%s-udp" $.Values.portNamePrefix $port)) -}}
{{- end -}}
{{- dict "list" $list | toJson -}}
{{- end -}}

{{- /* The smallest port that the dataplane binds. */ -}}
{{- define "weir.lowestPort" -}}
{{- $low := min (int .Values.controller.containerPort.http) (int .Values.controller.containerPort.https) -}}
{{- range (include "weir.streams" . | fromJson).list -}}
{{- $low = min $low (int .port) -}}
{{- end -}}
{{- $low -}}
{{- end -}}
