"""Rendering the chart with helm, and what must hold for every rendering."""

import json
import os
import subprocess
import tempfile

import yaml

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
CHART = os.path.join(TOP, "helm", "weir")
PROGRAMS = os.environ.get("WEIR_HELM_BIN", "")
RELEASE, NAMESPACE = "edge", "weir-system"
# The YAML of libyaml is ten times faster, where it is there.
LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class Refused(Exception):
    """What helm said."""


def put(values, path, value):
    """Sets values[a][b][c] for the path "a.b.c"."""
    *parents, last = path.split(".")
    for key in parents:
        values = values.setdefault(key, {})
    values[last] = value
    return values


def values_of(settings):
    """{"a.b": 1, "a.c": 2} as nested maps; a value that is a map stays one."""
    out = {}
    for path, value in settings.items():
        put(out, path, value)
    return out


def render_text(settings, kube="1.30.0", hooks=True):
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump(values_of(settings), file)
        file.flush()
        command = [os.path.join(PROGRAMS, "helm"), "template", RELEASE, CHART, "--namespace", NAMESPACE, "--kube-version", kube,
                   "--values", file.name]
        done = subprocess.run(command + ([] if hooks else ["--no-hooks"]), capture_output=True, text=True, timeout=60, check=False)
    if done.returncode != 0:
        raise Refused(done.stderr)
    return done.stdout


def documents(text):
    return [one for one in yaml.load_all(text, Loader=LOADER) if one]


def strict(text):
    """Kubernetes' own decoder: (what it named as not of Kubernetes, errors)."""
    done = subprocess.run([os.path.join(PROGRAMS, "strict")], input=text, capture_output=True, text=True, timeout=60, check=False)
    return done.stdout, done.stderr


def of_kind(objects, *kinds):
    return [one for one in objects if one["kind"] in kinds]


def workload(objects):
    (one,) = of_kind(objects, "Deployment", "DaemonSet")
    return one


def pod_spec(objects):
    return workload(objects)["spec"]["template"]["spec"]


def containers(objects):
    spec = pod_spec(objects)
    return {one["name"]: one for one in spec.get("initContainers", []) + spec["containers"]}


def flags(container):
    """{"name": [value, …]}; a flag without a value has True."""
    out = {}
    for argument in container["args"]:
        name, _, value = argument.removeprefix("--").partition("=")
        out.setdefault(name, []).append(value if "=" in argument else True)
    return out


def matches(selector, labels):
    return all(labels.get(key) == value for key, value in selector.items())


def rules(objects):
    """(where, resource, verb, names): where is "" for the cluster; names a tuple, empty: all."""
    out = set()
    for role in of_kind(objects, "ClusterRole", "Role"):
        for rule in role["rules"]:
            for group in rule["apiGroups"]:
                for resource in rule["resources"]:
                    for verb in rule["verbs"]:
                        whole = f"{group}/{resource}" if group else resource
                        out.add((role["metadata"].get("namespace", ""), whole, verb, tuple(rule.get("resourceNames", ()))))
    return out


# What must hold for every rendering: each yields findings.

def check_names(objects):
    seen = set()
    for one in objects:
        meta = one["metadata"]
        key = one["kind"], meta.get("namespace", ""), meta["name"]
        if key in seen:
            yield f"twice: {key}"
        seen.add(key)
        if len(meta["name"]) > 63:
            yield f"name too long: {key}"


def check_selectors(objects):
    labels = workload(objects)["spec"]["template"]["metadata"]["labels"]
    if not matches(workload(objects)["spec"]["selector"]["matchLabels"], labels):
        yield "the workload does not select its own pods"
    for one in of_kind(objects, "Service"):
        if not matches(one["spec"]["selector"], labels):
            yield f"Service {one['metadata']['name']} selects no pod"
    for one in of_kind(objects, "PodDisruptionBudget", "PodMonitor"):
        if not matches(one["spec"]["selector"]["matchLabels"], labels):
            yield f"{one['kind']} selects no pod"
    for one in of_kind(objects, "NetworkPolicy"):
        if not matches(one["spec"]["podSelector"]["matchLabels"], labels):
            yield "NetworkPolicy selects no pod"
    for one in of_kind(objects, "ServiceMonitor"):
        found = [s for s in of_kind(objects, "Service") if matches(one["spec"]["selector"]["matchLabels"], s["metadata"]["labels"])]
        ports = {port["name"] for service in found for port in service["spec"]["ports"]}
        if len(found) != 1 or {end["port"] for end in one["spec"]["endpoints"]} - ports:
            yield f"ServiceMonitor selects {len(found)} Services with the ports {ports}"
    for one in of_kind(objects, "HorizontalPodAutoscaler"):
        target = one["spec"]["scaleTargetRef"]
        if (target["kind"], target["name"]) != (workload(objects)["kind"], workload(objects)["metadata"]["name"]):
            yield f"HorizontalPodAutoscaler scales {target}"
    if of_kind(objects, "HorizontalPodAutoscaler") and "replicas" in workload(objects)["spec"]:
        yield "replicas fights with the HorizontalPodAutoscaler"


def check_ports(objects):
    both = containers(objects)
    controller, dataplane = flags(both["controller"]), flags(both["dataplane"])
    named = {port["name"]: port["containerPort"] for one in both.values() for port in one["ports"]}
    wanted = {"http": controller["http-port"], "https": controller["https-port"], "metrics": dataplane["admin-port"],
              "controller": controller["admin-port"]}
    for name, value in wanted.items():
        if [str(named[name])] != value:
            yield f"port {name} is {named[name]}, the flag says {value}"
    numbers = [(port["containerPort"], port.get("protocol", "TCP")) for one in both.values() for port in one["ports"]]
    if len(set(numbers)) != len(numbers):
        yield f"ports twice: {numbers}"
    for service in of_kind(objects, "Service"):
        for port in service["spec"]["ports"]:
            if isinstance(port["targetPort"], str) and port["targetPort"] not in named:
                yield f"Service {service['metadata']['name']}: no container has the port {port['targetPort']}"
    for name, one in both.items():
        own = {port["name"] for port in one["ports"]}
        for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
            if probe in one and one[probe]["httpGet"]["port"] not in own:
                yield f"{name}: {probe} asks a port that the container does not have"


def check_token(objects):
    spec = pod_spec(objects)
    if spec["automountServiceAccountToken"] is not False:
        yield "the token is mounted everywhere"
    projected = {v["name"] for v in spec["volumes"] if "projected" in v}
    holders = [name for name, one in containers(objects).items()
               for mount in one["volumeMounts"] if mount["name"] in projected]
    if holders != ["controller"]:
        yield f"the token is mounted into {holders}"
    volumes = {v["name"] for v in spec["volumes"]}
    for name, one in containers(objects).items():
        if {mount["name"] for mount in one["volumeMounts"]} - volumes:
            yield f"{name} mounts a volume that is not there"
    for pod in of_kind(objects, "Pod"):
        if pod["spec"]["automountServiceAccountToken"] is not False:
            yield "the test's pod has a token"


def check_accounts(objects):
    account = pod_spec(objects)["serviceAccountName"]
    roles = {(one["kind"], one["metadata"].get("namespace", ""), one["metadata"]["name"])
             for one in of_kind(objects, "ClusterRole", "Role")}
    bound = set()
    for binding in of_kind(objects, "ClusterRoleBinding", "RoleBinding"):
        namespace = binding["metadata"].get("namespace", "")
        bound.add((binding["roleRef"]["kind"], namespace, binding["roleRef"]["name"]))
        if [(s["name"], s["namespace"]) for s in binding["subjects"]] != [(account, workload(objects)["metadata"]["namespace"])]:
            yield f"{binding['kind']} {binding['metadata']['name']} is for somebody else than {account}"
    if bound != roles:
        yield f"roles {roles}, bound {bound}"


def check_restricted(objects):
    """Pod Security 'restricted', by its own list; the node's network and ports are the user's wish."""
    low = pod_spec(objects).get("hostNetwork") and min(port["containerPort"] for port in containers(objects)["dataplane"]["ports"]) < 1024
    pods = [pod_spec(objects)] + [one["spec"] for one in of_kind(objects, "Pod")]
    for spec in pods:
        if spec["securityContext"].get("runAsNonRoot") is not True:
            yield "a pod may run as root"
        for one in spec.get("initContainers", []) + spec["containers"]:
            context = one["securityContext"]
            gains = bool(low and spec is pods[0] and one["name"] == "dataplane")
            capabilities = {"drop": ["ALL"], "add": ["NET_BIND_SERVICE"]} if gains else {"drop": ["ALL"]}
            good = (context["runAsNonRoot"] is True and context["runAsUser"] == 65532 and context["readOnlyRootFilesystem"] is True
                    and context["allowPrivilegeEscalation"] is gains and context["capabilities"] == capabilities
                    and context["seccompProfile"] == {"type": "RuntimeDefault"})
            if not good:
                yield f"{one['name']}: {context}"
        for volume in spec.get("volumes", []):
            if not {"emptyDir", "projected"} & set(volume):
                yield f"volume {volume}"


def check_end(objects):
    spec, both = pod_spec(objects), containers(objects)
    seconds = {name: int(value[0].rstrip("s")) for name, value in flags(both["dataplane"]).items()
               if name in ("shutdown-delay", "drain-timeout")}
    if spec["terminationGracePeriodSeconds"] < sum(seconds.values()) + 10:
        yield f"the pod is killed after {spec['terminationGracePeriodSeconds']} s, while it drains: {seconds}"
    sidecar = both["controller"].get("restartPolicy") == "Always"
    if sidecar != ("initContainers" in spec) or sidecar == ("lifecycle" in both["controller"]):
        yield "the controller is neither a sidecar nor a container that waits for the dataplane's end"


CHECKS = (check_names, check_selectors, check_ports, check_token, check_accounts, check_restricted, check_end)


def findings(objects):
    return [finding for check in CHECKS for finding in check(objects)]
