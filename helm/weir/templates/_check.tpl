{{- /* What the schema cannot say: values that contradict each other. */ -}}
{{- define "weir.check" -}}
{{- $c := .Values.controller -}}
{{- $needed := add .Values.dataplane.shutdownDelay .Values.dataplane.drainTimeout 10 -}}
{{- if lt (int $c.terminationGracePeriodSeconds) (int $needed) -}}
{{- fail (printf "controller.terminationGracePeriodSeconds: %v is less than dataplane.shutdownDelay + dataplane.drainTimeout + 10 = %v: pods would be killed while they drain" $c.terminationGracePeriodSeconds $needed) -}}
{{- end -}}
{{- if and $c.nativeSidecar (semverCompare "<1.29.0-0" .Capabilities.KubeVersion.Version) -}}
{{- fail (printf "controller.nativeSidecar: Kubernetes %s has no sidecar containers (1.29 has them): set it to false" .Capabilities.KubeVersion.Version) -}}
{{- end -}}
{{- if and (ne .Values.rbac.mode "cluster") (not .Values.rbac.create) -}}
{{- fail "rbac.mode: has no effect with rbac.create=false" -}}
{{- end -}}
{{- if and (eq .Values.rbac.mode "namespaces") (not $c.scope.enabled) -}}
{{- fail "rbac.mode: namespaces needs controller.scope.enabled=true, which says which namespaces" -}}
{{- end -}}
{{- if and .Values.rbac.secrets (ne .Values.rbac.mode "named") -}}
{{- fail "rbac.secrets: has an effect only with rbac.mode=named" -}}
{{- end -}}
{{- if and $c.autoscaling.enabled (eq $c.kind "DaemonSet") -}}
{{- fail "controller.autoscaling.enabled: a DaemonSet has one pod per node and cannot be scaled" -}}
{{- end -}}
{{- if and $c.hostPort.enabled $c.hostNetwork -}}
{{- fail "controller.hostPort.enabled: with controller.hostNetwork the pod's ports are the node's already" -}}
{{- end -}}
{{- if and (or $c.metrics.serviceMonitor.enabled) (not $c.metrics.enabled) -}}
{{- fail "controller.metrics.serviceMonitor.enabled: needs controller.metrics.enabled=true, whose Service it names; controller.metrics.podMonitor needs none" -}}
{{- end -}}
{{- $ports := list -}}
{{- $own := list $c.containerPort.http $c.containerPort.https $c.metrics.port $c.metrics.controllerPort -}}
{{- if $c.peers.enabled -}}{{- $own = append $own $c.peers.port -}}{{- end -}}
{{- range $own -}}
{{- if has (int .) $ports -}}
{{- fail (printf "controller.containerPort, controller.metrics.port, controller.metrics.controllerPort, controller.peers.port: %v is used twice" .) -}}
{{- end -}}
{{- $ports = append $ports (int .) -}}
{{- end -}}
{{- range $port, $target := .Values.tcp -}}
{{- if has (int $port) $ports -}}
{{- fail (printf "tcp.%s: the port is Weir's own" $port) -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- /* One more pod at a time and none less. In the node's network the old pod holds the ports, so it must go first. */ -}}
{{- define "weir.strategy" -}}
type: RollingUpdate
rollingUpdate:
{{- if or .Values.controller.hostNetwork .Values.controller.hostPort.enabled }}
  maxSurge: 0
  maxUnavailable: 1
{{- else }}
  maxSurge: 1
  maxUnavailable: 0
{{- end }}
{{- end -}}
