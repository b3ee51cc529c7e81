#!/usr/bin/env python3
"""values.py: makes docs/values.md and helm/weir/values.schema.json from helm/weir/values.yaml; with --check says whether they differ.

The comment above a value is its description, the value itself its default and its type. What a type does not say (accepted words,
forms, what is inside an open map) stands in RULES, by path. Every other map is closed: a key that is not in values.yaml is refused.
"""

import argparse
import json
import os
import re
import sys

import yaml

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
VALUES = "helm/weir/values.yaml"
SCHEMA = "helm/weir/values.schema.json"
PAGE = "docs/values.md"

PORT = {"type": "integer", "minimum": 1, "maximum": 65535}
COUNT = {"type": "integer", "minimum": 0}
STRINGS = {"type": "array", "items": {"type": "string"}}
OBJECTS = {"type": "array", "items": {"type": "object"}}
TEXTS = {"type": "object", "additionalProperties": {"type": "string"}}
ANY_MAP = {"type": "object"}
SCALAR = {"type": ["string", "number", "boolean"]}
FLAGS = {"type": "object", "propertyNames": {"pattern": "^[a-z0-9][a-z0-9-]*$"},
         "additionalProperties": {"anyOf": [SCALAR, {"type": "array", "items": SCALAR}]}}
PAIR = {"type": "string", "pattern": "^([a-z0-9-]+/[a-z0-9.-]+)?$"}
SERVICE_TYPE = {"enum": ["LoadBalancer", "NodePort", "ClusterIP"]}
TARGET = {"anyOf": [PORT, {"type": "string", "minLength": 1}]}
NODE_PORT = {"anyOf": [PORT, {"const": ""}]}
NODE_PORTS = {"type": "object", "propertyNames": {"pattern": "^[1-9][0-9]{0,4}$"}, "additionalProperties": PORT}
AMOUNT = {"anyOf": [COUNT, {"type": "string", "pattern": "^([0-9]+%?)?$"}]}
PROBE = {"type": "object", "additionalProperties": False, "properties": {
    name: COUNT for name in
    ("initialDelaySeconds", "periodSeconds", "timeoutSeconds", "failureThreshold", "successThreshold")}}
DURATION = {"type": "string", "pattern": "^[0-9]+(ms|s|m|h)$"}


def streams(form):
    return {"type": "object", "propertyNames": {"pattern": "^[1-9][0-9]{0,4}$"},
            "additionalProperties": {"type": "string", "pattern": form}}


# By path, or by the last key of a path with a leading `*.`.
RULES = {
    "*.annotations": TEXTS, "*.labels": TEXTS, "*.additionalLabels": TEXTS, "commonLabels": TEXTS, "*.podAnnotations": TEXTS,
    "*.podLabels": TEXTS, "*.nodeSelector": TEXTS, "*.resources": ANY_MAP, "*.affinity": ANY_MAP, "*.dnsConfig": ANY_MAP,
    "*.updateStrategy": ANY_MAP, "*.behavior": ANY_MAP, "*.tolerations": OBJECTS, "*.hostAliases": OBJECTS,
    "*.topologySpreadConstraints": OBJECTS, "*.extraEnvs": OBJECTS, "imagePullSecrets": OBJECTS, "*.relabelings": OBJECTS,
    "*.metricRelabelings": OBJECTS, "*.rules": OBJECTS, "*.namespaces": STRINGS, "*.aliases": STRINGS, "*.externalIPs": STRINGS,
    "*.loadBalancerSourceRanges": STRINGS, "*.startupProbe": PROBE, "*.livenessProbe": PROBE, "*.readinessProbe": PROBE,
    "*.extraArgs": FLAGS, "*.scrapeInterval": DURATION, "*.ticketKeys.period": DURATION, "*.peers.patience": DURATION, "controller.peers.port": PORT,
    "*.shutdownDelay": COUNT, "*.drainTimeout": COUNT, "*.workers": COUNT,
    "image.repository": {"type": "string", "minLength": 1},
    "image.tag": {"type": "string", "pattern": "^[A-Za-z0-9_.-]*$"},
    "image.digest": {"type": "string", "pattern": "^(sha256:[0-9a-f]{64})?$"},
    "image.pullPolicy": {"enum": ["Always", "IfNotPresent", "Never"]},
    "controller.kind": {"enum": ["Deployment", "DaemonSet"]},
    "controller.replicaCount": COUNT,
    "controller.sysctls": {"type": "object", "additionalProperties": SCALAR},
    "controller.dnsPolicy": {"enum": ["ClusterFirst", "ClusterFirstWithHostNet", "Default", "None"]},
    "controller.ingressClassResource.controllerValue": {"type": "string", "pattern": "^[a-z0-9.-]+/[A-Za-z0-9._/-]+$"},
    "controller.publishService.pathOverride": PAIR,
    "controller.containerPort.http": PORT, "controller.containerPort.https": PORT,
    "controller.hostPort.ports.http": PORT, "controller.hostPort.ports.https": PORT,
    "controller.minAvailable": AMOUNT, "controller.maxUnavailable": AMOUNT,
    "controller.service.type": SERVICE_TYPE, "controller.service.internal.type": SERVICE_TYPE,
    "controller.service.externalTrafficPolicy": {"enum": ["", "Cluster", "Local"]},
    "controller.service.sessionAffinity": {"enum": ["", "None", "ClientIP"]},
    "controller.service.ipFamilyPolicy": {"enum": ["", "SingleStack", "PreferDualStack", "RequireDualStack"]},
    "controller.service.ipFamilies": {"type": "array", "items": {"enum": ["IPv4", "IPv6"]}},
    "controller.service.ports.http": PORT, "controller.service.ports.https": PORT,
    "controller.service.targetPorts.http": TARGET, "controller.service.targetPorts.https": TARGET,
    "controller.service.nodePorts.http": NODE_PORT, "controller.service.nodePorts.https": NODE_PORT,
    "controller.service.nodePorts.tcp": NODE_PORTS, "controller.service.nodePorts.udp": NODE_PORTS,
    "controller.metrics.port": PORT, "controller.metrics.controllerPort": PORT, "controller.metrics.service.type": SERVICE_TYPE,
    "rbac.mode": {"enum": ["cluster", "namespaces", "named"]},
    "rbac.secrets": {"type": "object", "additionalProperties": STRINGS},
    "tcp": streams("^[a-z0-9-]+/[a-z0-9.-]+:[a-z0-9-]+(:(PROXY)?(:(PROXY|PROXY-V2)?)?)?$"),
    "udp": streams("^[a-z0-9-]+/[a-z0-9.-]+:[a-z0-9-]+$"),
}
TYPES = {bool: "boolean", int: "integer", str: "string", list: "array", dict: "object"}


def read(path):
    with open(os.path.join(TOP, path), encoding="utf-8") as file:
        return file.read()


def rule_of(path):
    return RULES.get(path) or RULES.get("*." + path.rsplit(".", 1)[-1])


def descriptions(text):
    """{path: comment}; the comment is the block of lines directly above the key."""
    out, stack, comment = {}, [], []
    for line in text.splitlines():
        stripped = line.strip()
        if stripped.startswith("#"):
            comment.append(stripped.lstrip("# "))
            continue
        match = re.match(r"( *)([\w.]+):", line)
        if match:
            depth = len(match[1]) // 2
            stack = stack[:depth] + [match[2]]
            if comment:
                out[".".join(stack)] = " ".join(comment)
        comment = []
    return out


def schema_of(value, path, words):
    if rule := rule_of(path):
        out = dict(rule)
    elif isinstance(value, dict):
        if not value:
            raise SystemExit(f"{VALUES}: {path} is an open map: say in RULES what may be inside")
        out = {"type": "object", "additionalProperties": False,
               "properties": {key: schema_of(inner, f"{path}.{key}" if path else key, words) for key, inner in value.items()}}
    elif isinstance(value, list):
        raise SystemExit(f"{VALUES}: {path} is a list: say in RULES of what")
    else:
        out = {"type": TYPES[type(value)]}
    if path in words:
        out["description"] = words[path]
    return out


def make_schema(values, words):
    out = {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema_of(values, "", words)}
    out["properties"]["global"] = {"type": "object", "description": "Of a chart that has this one as a part; not read."}
    return json.dumps(out, indent=1) + "\n"


def leaves(value, path=""):
    """(path, default) of all values; a map that a rule describes is one value."""
    for key, inner in value.items():
        here = f"{path}.{key}" if path else key
        if isinstance(inner, dict) and inner and not rule_of(here):
            yield from leaves(inner, here)
        else:
            yield here, inner


def make_page(values, words):
    lines = ["# Values of the chart", "",
             "Made from `helm/weir/values.yaml` by `tools/chart/values.py`. A key that is not here is refused. How to install: "
             "[install.md](install.md).", ""]
    sections = {}
    for path, default in leaves(values):
        if path not in words:
            raise SystemExit(f"{VALUES}: {path} has no comment")
        parts = path.split(".")
        heading = ".".join(parts[:2]) if len(parts) > 2 else parts[0] if len(parts) == 2 else "General"
        shown = f"`{json.dumps(default)}`" if default != "" else ""
        meaning = words[path].replace("|", "\\|")
        sections.setdefault(heading, []).append(f"| `{path}` | {shown} | {meaning} |")
    for heading, rows in sections.items():
        lines += [f"## {heading}", "", "| Value | Default | Meaning |", "|---|---|---|", *rows, ""]
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true")
    check = parser.parse_args().check
    text = read(VALUES)
    values, words = yaml.safe_load(text), descriptions(text)
    made = {SCHEMA: make_schema(values, words), PAGE: make_page(values, words)}
    stale = []
    for path, content in made.items():
        whole = os.path.join(TOP, path)
        if check:
            if not os.path.exists(whole) or read(path) != content:
                stale.append(path)
        else:
            with open(whole, "w", encoding="utf-8") as file:
                file.write(content)
    if stale:
        sys.exit(f"not made from {VALUES} as it is: {', '.join(stale)}: run tools/chart/values.py")


if __name__ == "__main__":
    main()
