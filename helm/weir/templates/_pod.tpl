{{- /* The pod: weir-controller and weir-dataplane, and a socket between them. */ -}}

{{- /* --name=value lines of a map; a list repeats the flag. */ -}}
{{- define "weir.flags" -}}
{{- range $name, $value := . }}
{{- if kindIs "slice" $value }}
{{- range $value }}
- {{ printf "--%s=%v" $name . | quote }}
{{- end }}
{{- else if kindIs "float64" $value }}
- {{ printf "--%s=%s" $name (toString (ternary (int64 $value) $value (eq (float64 (int64 $value)) $value))) | quote }}
{{- else }}
- {{ printf "--%s=%v" $name $value | quote }}
{{- end }}
{{- end }}
{{- end -}}

{{- define "weir.controllerFlags" -}}
{{- $public := include "weir.publicPorts" . | fromJson -}}
{{- with .Values.controller -}}
- --guard
- --control-socket=/run/weir/control.sock
- --admin-port={{ .metrics.controllerPort }}
- --http-port={{ .containerPort.http }}
- --https-port={{ .containerPort.https }}
- --public-http-port={{ $public.http }}
- --public-https-port={{ $public.https }}
- --controller-class={{ .ingressClassResource.controllerValue }}
- --ingress-class={{ .ingressClass }}
{{- if .ingressClassByName }}
- --ingress-class-by-name
{{- end }}
{{- if .watchIngressWithoutClass }}
- --watch-ingress-without-class
{{- end }}
{{- range (include "weir.scope" $ | fromJson).list }}
- --watch-namespace={{ . }}
{{- end }}
- --election-id={{ include "weir.election" $ }}
- --pod-name=$(POD_NAME)
- --pod-namespace=$(POD_NAMESPACE)
{{- with include "weir.published" $ }}
- --publish-service={{ . }}
{{- end }}
{{- with include "weir.tickets" $ }}
- --ticket-keys-secret={{ include "weir.namespace" $ }}/{{ . }}
- --ticket-keys-period={{ $.Values.controller.ticketKeys.period }}
{{- end }}
- --settings={{ include "weir.namespace" $ }}/{{ include "weir.fullname" $ }}
{{- with include "weir.peers" $ }}
- --peers-service={{ include "weir.namespace" $ }}/{{ . }}
- --peers-address=$(POD_IP)
- --peers-port={{ $.Values.controller.peers.port }}
- --peers-patience={{ $.Values.controller.peers.patience }}
{{- end }}
{{- if $.Values.tcp }}
- --tcp-services-configmap={{ include "weir.namespace" $ }}/{{ include "weir.fullname" $ }}-tcp
{{- end }}
{{- if $.Values.udp }}
- --udp-services-configmap={{ include "weir.namespace" $ }}/{{ include "weir.fullname" $ }}-udp
{{- end }}
{{- include "weir.flags" .extraArgs }}
{{- end -}}
{{- end -}}

{{- define "weir.environment" -}}
- name: POD_NAME
  valueFrom:
    fieldRef:
      fieldPath: metadata.name
- name: POD_NAMESPACE
  valueFrom:
    fieldRef:
      fieldPath: metadata.namespace
{{- with .Values.controller.extraEnvs }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- define "weir.containerSecurity" -}}
runAsNonRoot: true
runAsUser: 65532
runAsGroup: 65532
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop:
  - ALL
seccompProfile:
  type: RuntimeDefault
{{- end -}}

{{- /* Ports below 1024 of the node: the sysctl is not to be had there, so the program's file brings the one capability, which a process
without the right to gain privileges would not get. The worker process gives it up. */ -}}
{{- define "weir.lowPortSecurity" -}}
runAsNonRoot: true
runAsUser: 65532
runAsGroup: 65532
allowPrivilegeEscalation: true
readOnlyRootFilesystem: true
capabilities:
  drop:
  - ALL
  add:
  - NET_BIND_SERVICE
seccompProfile:
  type: RuntimeDefault
{{- end -}}

{{- define "weir.bindsLowOnNode" -}}
{{- if and .Values.controller.hostNetwork (lt (int (include "weir.lowestPort" .)) 1024) -}}yes{{- end -}}
{{- end -}}

{{- define "weir.controllerContainer" -}}
- name: controller
  image: {{ include "weir.image" . }}
  imagePullPolicy: {{ .Values.image.pullPolicy }}
  {{- if .Values.controller.nativeSidecar }}
  restartPolicy: Always
  {{- else }}
  lifecycle:
    preStop:
      exec:
        command:
        - /usr/bin/weirctl
        - probe
        - --gone
        - --wait={{ add .Values.dataplane.shutdownDelay .Values.dataplane.drainTimeout 5 }}s
        - http://127.0.0.1:{{ .Values.controller.metrics.port }}/healthz
  {{- end }}
  command:
  - /usr/bin/weir-controller
  args:
  {{- include "weir.controllerFlags" . | nindent 2 }}
  env:
  {{- include "weir.environment" . | nindent 2 }}
  {{- if include "weir.peers" . }}
  - name: POD_IP
    valueFrom:
      fieldRef:
        fieldPath: status.podIP
  {{- end }}
  ports:
  - name: controller
    containerPort: {{ .Values.controller.metrics.controllerPort }}
  {{- if include "weir.peers" . }}
  - name: peers
    containerPort: {{ .Values.controller.peers.port }}
  {{- end }}
  startupProbe:
    httpGet:
      path: /healthz
      port: controller
    {{- toYaml .Values.sidecar.startupProbe | nindent 4 }}
  # Only tells, by Events on the pod, and never ends the container: what dies or hangs in it is started again by its guard (--guard),
  # and while that takes long the pod has to stay in the Service, for its dataplane serves. No readinessProbe for the same reason.
  livenessProbe:
    httpGet:
      path: /healthz
      port: controller
    {{- toYaml .Values.sidecar.livenessProbe | nindent 4 }}
  {{- with .Values.sidecar.resources }}
  resources:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  securityContext:
    {{- include "weir.containerSecurity" . | nindent 4 }}
  volumeMounts:
  - name: run
    mountPath: /run/weir
  - name: token
    mountPath: /var/run/secrets/kubernetes.io/serviceaccount
    readOnly: true
{{- end -}}

{{- define "weir.dataplaneContainer" -}}
- name: dataplane
  image: {{ include "weir.image" . }}
  imagePullPolicy: {{ .Values.image.pullPolicy }}
  command:
  - /usr/bin/weir-dataplane
  args:
  - --control-socket=/run/weir/control.sock
  - --dump-socket=/run/weir/dump.sock
  - --admin-port={{ .Values.controller.metrics.port }}
  - --shutdown-delay={{ .Values.dataplane.shutdownDelay }}s
  - --drain-timeout={{ .Values.dataplane.drainTimeout }}s
  - --workers={{ .Values.dataplane.workers }}
  {{- with include "weir.flags" .Values.dataplane.extraArgs }}
  {{- . | nindent 2 }}
  {{- end }}
  env:
  {{- include "weir.environment" . | nindent 2 }}
  # The zone of the node, for zone preference; from Kubernetes 1.35 on a pod has this label, before that it is empty.
  - name: NODE_ZONE
    valueFrom:
      fieldRef:
        fieldPath: metadata.labels['topology.kubernetes.io/zone']
  ports:
  {{- include "weir.dataplanePorts" . | nindent 2 }}
  startupProbe:
    httpGet:
      path: /healthz
      port: metrics
    {{- toYaml .Values.controller.startupProbe | nindent 4 }}
  livenessProbe:
    httpGet:
      path: /healthz
      port: metrics
    {{- toYaml .Values.controller.livenessProbe | nindent 4 }}
  readinessProbe:
    httpGet:
      path: /readyz
      port: metrics
    {{- toYaml .Values.controller.readinessProbe | nindent 4 }}
  {{- with .Values.controller.resources }}
  resources:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  securityContext:
    {{- include (ternary "weir.lowPortSecurity" "weir.containerSecurity" (eq (include "weir.bindsLowOnNode" .) "yes")) . | nindent 4 }}
  volumeMounts:
  - name: run
    mountPath: /run/weir
{{- end -}}

{{- define "weir.dataplanePorts" -}}
{{- $host := .Values.controller.hostPort -}}
- name: http
  containerPort: {{ .Values.controller.containerPort.http }}
  protocol: TCP
  {{- if $host.enabled }}
  hostPort: {{ $host.ports.http }}
  {{- end }}
- name: https
  containerPort: {{ .Values.controller.containerPort.https }}
  protocol: TCP
  {{- if $host.enabled }}
  hostPort: {{ $host.ports.https }}
  {{- end }}
- name: metrics
  containerPort: {{ .Values.controller.metrics.port }}
  protocol: TCP
{{- range (include "weir.streams" . | fromJson).list }}
- name: {{ .name }}
  containerPort: {{ .port }}
  protocol: {{ .protocol }}
  {{- if $host.enabled }}
  hostPort: {{ .port }}
  {{- end }}
{{- end }}
{{- end -}}

{{- define "weir.sysctls" -}}
{{- $sysctls := dict -}}
{{- $low := int (include "weir.lowestPort" .) -}}
{{- if and (lt $low 1024) (not .Values.controller.hostNetwork) -}}
{{- $sysctls = dict "net.ipv4.ip_unprivileged_port_start" (toString $low) -}}
{{- end -}}
{{- range $name, $value := merge (deepCopy .Values.controller.sysctls) $sysctls }}
- name: {{ $name }}
  value: {{ $value | quote }}
{{- end }}
{{- end -}}

{{- define "weir.spread" -}}
{{- range .Values.controller.topologySpreadConstraints }}
{{- $one := deepCopy . }}
{{- if not (hasKey $one "labelSelector") }}
{{- $_ := set $one "labelSelector" (dict "matchLabels" (include "weir.selector" $ | fromYaml)) }}
{{- end }}
- {{ toYaml $one | nindent 2 | trim }}
{{- end }}
{{- end -}}

{{- define "weir.volumes" -}}
- name: run
  emptyDir:
    medium: Memory
    sizeLimit: 1Mi
- name: token
  projected:
    defaultMode: 0440
    sources:
    - serviceAccountToken:
        path: token
        expirationSeconds: 3607
    - configMap:
        name: kube-root-ca.crt
        items:
        - key: ca.crt
          path: ca.crt
    - downwardAPI:
        items:
        - path: namespace
          fieldRef:
            fieldPath: metadata.namespace
{{- end -}}

{{- define "weir.podSettings" -}}
{{- with .Values.controller -}}
nodeSelector:
  {{- toYaml .nodeSelector | nindent 2 }}
{{- with .tolerations }}
tolerations:
{{ toYaml . }}
{{- end }}
{{- with .affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with include "weir.spread" $ }}
topologySpreadConstraints:
{{- . }}
{{- end }}
{{- with .priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- with .runtimeClassName }}
runtimeClassName: {{ . }}
{{- end }}
{{- if .hostNetwork }}
hostNetwork: true
{{- end }}
dnsPolicy: {{ .dnsPolicy }}
{{- with .dnsConfig }}
dnsConfig:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .hostAliases }}
hostAliases:
{{ toYaml . }}
{{- end }}
{{- with $.Values.imagePullSecrets }}
imagePullSecrets:
{{ toYaml . }}
{{- end }}
{{- end -}}
{{- end -}}

{{- define "weir.podTemplate" -}}
metadata:
  labels:
    {{- include "weir.labels" . | nindent 4 }}
    {{- with .Values.controller.podLabels }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  {{- with .Values.controller.podAnnotations }}
  annotations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
spec:
  serviceAccountName: {{ include "weir.account" . }}
  automountServiceAccountToken: false
  enableServiceLinks: false
  terminationGracePeriodSeconds: {{ .Values.controller.terminationGracePeriodSeconds }}
  securityContext:
    runAsNonRoot: true
    runAsUser: 65532
    runAsGroup: 65532
    fsGroup: 65532
    seccompProfile:
      type: RuntimeDefault
    {{- with include "weir.sysctls" . }}
    sysctls:
    {{- . | nindent 4 }}
    {{- end }}
  {{- if .Values.controller.nativeSidecar }}
  initContainers:
  {{- include "weir.controllerContainer" . | nindent 2 }}
  containers:
  {{- else }}
  containers:
  {{- include "weir.controllerContainer" . | nindent 2 }}
  {{- end }}
  {{- include "weir.dataplaneContainer" . | nindent 2 }}
  volumes:
  {{- include "weir.volumes" . | nindent 2 }}
  {{- include "weir.podSettings" . | nindent 2 }}
{{- end -}}
