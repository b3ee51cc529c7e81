{{- /* Ports of a Service for clients; "withNodePorts" says whether the values' node ports are used. */ -}}
{{- define "weir.servicePorts" -}}
{{- $root := .root -}}
{{- $nodePorts := .withNodePorts -}}
{{- with $root.Values.controller.service -}}
{{- if .enableHttp }}
- name: http
  port: {{ .ports.http }}
  protocol: TCP
  targetPort: {{ .targetPorts.http }}
  {{- if .appProtocol }}
  appProtocol: http
  {{- end }}
  {{- if and $nodePorts .nodePorts.http }}
  nodePort: {{ .nodePorts.http }}
  {{- end }}
{{- end }}
{{- if .enableHttps }}
- name: https
  port: {{ .ports.https }}
  protocol: TCP
  targetPort: {{ .targetPorts.https }}
  {{- if .appProtocol }}
  appProtocol: https
  {{- end }}
  {{- if and $nodePorts .nodePorts.https }}
  nodePort: {{ .nodePorts.https }}
  {{- end }}
{{- end }}
{{- $numbers := dict "TCP" .nodePorts.tcp "UDP" .nodePorts.udp }}
{{- range (include "weir.streams" $root | fromJson).list }}
- name: {{ .name }}
  port: {{ .port }}
  protocol: {{ .protocol }}
  targetPort: {{ .name }}
  {{- with and $nodePorts (get (get $numbers .protocol) .key) }}
  nodePort: {{ . }}
  {{- end }}
{{- end }}
{{- end -}}
{{- end -}}
