"""For each value of the chart: another value than its default, and the settings that it needs to have any effect."""

# Values that decide about others; the longest prefix of a path says what it needs.
NEEDS = {
    "controller.autoscaling": {"controller.autoscaling.enabled": True},
    "controller.hostPort.ports": {"controller.hostPort.enabled": True},
    "controller.minAvailable": {"controller.replicaCount": 2},
    "controller.maxUnavailable": {"controller.replicaCount": 2},
    "controller.scope.namespace": {"controller.scope.enabled": True},
    "controller.scope.namespaces": {"controller.scope.enabled": True},
    "controller.service.internal": {"controller.service.internal.enabled": True},
    "controller.service.nodePorts.tcp": {"tcp": {"9000": "shop/queue:5672"}},
    "controller.service.nodePorts.udp": {"udp": {"5353": "shop/names:53"}},
    "controller.metrics.service": {"controller.metrics.enabled": True},
    "controller.metrics.serviceMonitor": {"controller.metrics.enabled": True, "controller.metrics.serviceMonitor.enabled": True},
    "controller.metrics.podMonitor": {"controller.metrics.podMonitor.enabled": True},
    "controller.metrics.dashboards": {"controller.metrics.dashboards.enabled": True},
    "controller.metrics.prometheusRule": {"controller.metrics.prometheusRule.enabled": True},
    "rbac.mode": {"controller.scope.enabled": True},
    "rbac.secrets": {"rbac.mode": "named"},
    "portNamePrefix": {"tcp": {"9000": "shop/queue:5672"}},
}

# Another value, where one made from the type of the default would not do.
SAMPLES = {
    "image.digest": "sha256:" + "0" * 64,
    "image.pullPolicy": "Always",
    "imagePullSecrets": [{"name": "registry"}],
    "controller.kind": "DaemonSet",
    "controller.updateStrategy": {"type": "Recreate"},
    "controller.ingressClassResource.aliases": ["nginx"],
    "controller.ingressClassResource.controllerValue": "k8s.io/ingress-nginx",
    "controller.scope.namespaces": ["shop", "bank"],
    "controller.publishService.pathOverride": "edge/balancer",
    "controller.extraArgs": {"log-level": "debug", "min-body-rate": 100, "publish-status-address": ["10.0.0.1", "10.0.0.2"]},
    "controller.extraEnvs": [{"name": "HTTPS_PROXY", "value": "http://proxy.test:3128"}],
    "controller.dnsPolicy": "Default",
    "controller.dnsConfig": {"options": [{"name": "ndots", "value": "1"}]},
    "controller.hostAliases": [{"ip": "10.0.0.1", "hostnames": ["a.test"]}],
    "controller.resources": {"limits": {"memory": "1Gi"}},
    "sidecar.resources": {"limits": {"memory": "1Gi"}},
    "controller.tolerations": [{"operator": "Exists"}],
    "controller.affinity": {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {
        "nodeSelectorTerms": [{"matchExpressions": [{"key": "edge", "operator": "Exists"}]}]}}},
    "controller.topologySpreadConstraints": [
        {"maxSkew": 1, "topologyKey": "topology.kubernetes.io/zone", "whenUnsatisfiable": "ScheduleAnyway"}],
    "controller.sysctls": {"net.ipv4.tcp_keepalive_time": "60"},
    "controller.autoscaling.behavior": {"scaleDown": {"stabilizationWindowSeconds": 60}},
    "controller.maxUnavailable": "25%",
    "controller.service.type": "NodePort",
    "controller.service.clusterIP": "10.96.0.77",
    "controller.service.externalIPs": ["192.0.2.1"],
    "controller.service.loadBalancerSourceRanges": ["192.0.2.0/24"],
    "controller.service.externalTrafficPolicy": "Local",
    "controller.service.sessionAffinity": "ClientIP",
    "controller.service.ipFamilyPolicy": "PreferDualStack",
    "controller.service.ipFamilies": ["IPv6", "IPv4"],
    "controller.service.targetPorts.https": "http",
    "controller.service.targetPorts.http": "https",
    "controller.service.nodePorts.http": 30080,
    "controller.service.nodePorts.https": 30443,
    "controller.service.nodePorts.tcp": {"9000": 30900},
    "controller.service.nodePorts.udp": {"5353": 30533},
    "controller.service.internal.type": "ClusterIP",
    "controller.service.internal.loadBalancerSourceRanges": ["10.0.0.0/8"],
    "controller.metrics.port": 9254,
    "controller.metrics.controllerPort": 9255,
    "controller.peers.port": 9266,
    "controller.peers.patience": "20s",
    "controller.metrics.service.type": "NodePort",
    "controller.startupProbe": {"periodSeconds": 2},
    "controller.livenessProbe": {"periodSeconds": 2},
    "controller.readinessProbe": {"periodSeconds": 1},
    "sidecar.startupProbe": {"periodSeconds": 2},
    "sidecar.livenessProbe": {"periodSeconds": 2},
    "dataplane.extraArgs": {"log-level": "debug"},
    "rbac.mode": "namespaces",
    "rbac.secrets": {"shop": ["shop-tls"]},
    "tcp": {"9000": "shop/queue:5672"},
    "udp": {"5353": "shop/names:53"},
}
RELABEL = [{"action": "labeldrop", "regex": "pod"}]
RULE = [{"alert": "Ours", "expr": "vector(1)"}]


def needs(path):
    parts = path.split(".")
    for length in range(len(parts), 0, -1):
        found = NEEDS.get(".".join(parts[:length]))
        if found is not None:
            return {key: value for key, value in found.items() if key != path}
    return {}


def another(path, default):
    if path in SAMPLES:
        return SAMPLES[path]
    last = path.rsplit(".", 1)[-1]
    if last in ("relabelings", "metricRelabelings"):
        return RELABEL
    if last == "rules":
        return RULE
    if last == "scrapeInterval":
        return "7s"
    if isinstance(default, bool):
        return not default
    if isinstance(default, int):
        return default + 1
    if isinstance(default, str):
        return "another"
    if isinstance(default, dict):
        return {"weir.test/key": "value"}
    raise AssertionError(f"{path}: say in SAMPLES what else it may be")


# Renderings that are looked at whole.
COMBINATIONS = {
    "defaults": {},
    "daemon set on the nodes' ports": {"controller.kind": "DaemonSet", "controller.hostPort.enabled": True,
                                       "controller.service.enabled": False},
    "daemon set in the nodes' network": {"controller.kind": "DaemonSet", "controller.hostNetwork": True,
                                         "controller.dnsPolicy": "ClusterFirstWithHostNet",
                                         "controller.service.external.enabled": False},
    "low ports of the nodes": {"controller.kind": "DaemonSet", "controller.hostNetwork": True, "controller.containerPort.http": 80,
                               "controller.containerPort.https": 443},
    "no native sidecar": {"controller.nativeSidecar": False},
    "several, scaled, watched": {
        "controller.autoscaling.enabled": True, "controller.metrics.enabled": True, "controller.networkPolicy.enabled": True,
        "controller.metrics.serviceMonitor.enabled": True, "controller.metrics.podMonitor.enabled": True,
        "controller.metrics.prometheusRule.enabled": True, "controller.service.internal.enabled": True,
        "controller.topologySpreadConstraints": SAMPLES["controller.topologySpreadConstraints"]},
    "streams": {"tcp": {"9000": "shop/queue:5672", "853": "dns/dot:853"}, "udp": {"53": "dns/dns:53"},
                "controller.networkPolicy.enabled": True, "controller.service.type": "NodePort",
                "controller.service.nodePorts.tcp": {"9000": 30900}, "controller.service.nodePorts.udp": {"53": 30053}},
    "one port for TCP and UDP": {"tcp": {"5353": "dns/dns:53"}, "udp": {"5353": "dns/dns:53"}},
    "privileged ports": {"controller.containerPort.http": 80, "controller.containerPort.https": 443},
    "ingress-nginx's place": {
        "controller.name": "controller", "controller.ingressClass": "nginx", "controller.ingressClassResource.name": "nginx",
        "controller.ingressClassResource.controllerValue": "k8s.io/ingress-nginx", "controller.replicaCount": 3},
    "another name": {"fullnameOverride": "gate", "namespaceOverride": "gates", "commonLabels": {"team": "edge"}},
    "an account of somebody else": {"serviceAccount.create": False, "serviceAccount.name": "given", "rbac.create": True},
    "no roles": {"rbac.create": False},
    "namespaces": {"rbac.mode": "namespaces", "controller.scope.enabled": True,
                   "controller.scope.namespaces": ["shop", "bank"], "tcp": {"9000": "shop/queue:5672"}},
    "own namespace": {"rbac.mode": "namespaces", "controller.scope.enabled": True},
    "named": {"rbac.mode": "named", "rbac.secrets": {"shop": ["shop-tls", "users"], "bank": ["bank-tls"]},
              "controller.extraArgs": {"default-ssl-certificate": "certs/wildcard"}, "tcp": {"9000": "shop/queue:5672"}},
    "named and scoped": {"rbac.mode": "named", "controller.scope.enabled": True, "controller.scope.namespaces": ["shop"],
                         "rbac.secrets": {"shop": ["shop-tls"]}},
    "scoped, all readable": {"controller.scope.enabled": True, "controller.scope.namespaces": ["shop"]},
}

# What is refused, and the words that say so.
REFUSALS = [
    ({"controller.config": {"use-gzip": "true"}}, "at '/controller': additional properties 'config' not allowed"),
    ({"controller.image.tag": "v1.12.0"}, "at '/controller': additional properties 'image' not allowed"),
    ({"defaultBackend.enabled": True}, "at '': additional properties 'defaultBackend' not allowed"),
    ({"controller.kind": "StatefulSet"}, "at '/controller/kind': value must be one of 'Deployment', 'DaemonSet'"),
    ({"controller.replicaCount": "two"}, "at '/controller/replicaCount': got string, want integer"),
    ({"controller.containerPort.http": 0}, "at '/controller/containerPort/http': minimum: got 0, want 1"),
    ({"image.digest": "sha256:abc"}, "at '/image/digest': 'sha256:abc' does not match pattern"),
    ({"rbac.mode": "all"}, "at '/rbac/mode': value must be one of 'cluster', 'namespaces', 'named'"),
    ({"tcp": {"9000": "queue:5672"}}, "at '/tcp/9000': 'queue:5672' does not match pattern"),
    ({"udp": {"dns": "dns/dns:53"}}, "propertyName 'dns'"),
    ({"controller.livenessProbe.path": "/healthz"}, "additional properties 'path' not allowed"),
    ({"controller.terminationGracePeriodSeconds": 60}, "60 is less than dataplane.shutdownDelay + dataplane.drainTimeout + 10 = 260"),
    ({"rbac.mode": "namespaces"}, "rbac.mode: namespaces needs controller.scope.enabled=true"),
    ({"rbac.secrets": {"shop": ["shop-tls"]}}, "rbac.secrets: has an effect only with rbac.mode=named"),
    ({"rbac.create": False, "rbac.mode": "named"}, "rbac.mode: has no effect with rbac.create=false"),
    ({"controller.kind": "DaemonSet", "controller.autoscaling.enabled": True}, "a DaemonSet has one pod per node"),
    ({"controller.hostNetwork": True, "controller.hostPort.enabled": True}, "the pod's ports are the node's already"),
    ({"controller.metrics.serviceMonitor.enabled": True}, "needs controller.metrics.enabled=true"),
    ({"controller.containerPort.http": 8443}, "8443 is used twice"),
    ({"tcp": {"10254": "shop/queue:5672"}}, "tcp.10254: the port is Weir's own"),
]
