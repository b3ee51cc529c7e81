#!/usr/bin/env python3
"""fill.py COUNT [NAMESPACES] [SERVICES]: so many Ingresses, each with a host of its own, written into the etcd of a cluster. COUNT 0 takes
what was written away.

Written past the API server, which would take minutes for them: it finds what it would have stored itself, in JSON, with
the managedFields of an object that kubectl applied. Run in the cluster's network namespace; prints the number of objects.
"""
import base64
import http.client
import json
import sys
import uuid

ETCD = ("127.0.0.1", 2379)
BATCH = 100  # etcd takes 128 operations in a transaction
CREATED = "2026-01-01T00:00:00Z"


def meta(name, namespace, fields, labels=None):
    out = {
        "name": name,
        "uid": str(uuid.uuid4()),
        "generation": 1,
        "creationTimestamp": CREATED,
        "managedFields": [
            {
                "manager": "kubectl-client-side-apply",
                "operation": "Update",
                "apiVersion": fields["apiVersion"],
                "time": CREATED,
                "fieldsType": "FieldsV1",
                "fieldsV1": fields["owned"],
            }
        ],
    }
    if namespace:
        out["namespace"] = namespace
    if labels:
        out["labels"] = labels
    return out


INGRESS_FIELDS = {
    "apiVersion": "networking.k8s.io/v1",
    "owned": {
        "f:metadata": {"f:annotations": {".": {}, "f:nginx.ingress.kubernetes.io/proxy-read-timeout": {}}},
        "f:spec": {"f:ingressClassName": {}, "f:rules": {}},
    },
}
SERVICE_FIELDS = {"apiVersion": "v1", "owned": {"f:spec": {"f:ports": {}, "f:selector": {}, "f:type": {}}}}
SLICE_FIELDS = {"apiVersion": "discovery.k8s.io/v1", "owned": {"f:addressType": {}, "f:endpoints": {}, "f:ports": {}}}


def namespace(name):
    yield f"/registry/namespaces/{name}", {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": meta(name, None, {"apiVersion": "v1", "owned": {}}),
        "spec": {"finalizers": ["kubernetes"]},
        "status": {"phase": "Active"},
    }


def service(ns, name, number):
    yield f"/registry/services/specs/{ns}/{name}", {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": meta(name, ns, SERVICE_FIELDS),
        "spec": {
            "type": "ClusterIP",
            "clusterIP": "None",
            "clusterIPs": ["None"],
            "ipFamilies": ["IPv4"],
            "ipFamilyPolicy": "SingleStack",
            "internalTrafficPolicy": "Cluster",
            "sessionAffinity": "None",
            "selector": {"app": name},
            "ports": [{"name": "http", "protocol": "TCP", "port": 80, "targetPort": 8080}],
        },
        "status": {"loadBalancer": {}},
    }
    ready = {"ready": True, "serving": True, "terminating": False}
    yield f"/registry/endpointslices/{ns}/{name}-1", {
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": meta(name + "-1", ns, SLICE_FIELDS, {"kubernetes.io/service-name": name}),
        "addressType": "IPv4",
        "endpoints": [{"addresses": [f"10.200.1.{number % 250 + 1}"], "conditions": ready}],
        "ports": [{"name": "http", "protocol": "TCP", "port": 8080}],
    }


def ingress(ns, number, backend):
    name = f"web-{number}"
    backend = {"service": {"name": backend, "port": {"name": "http"}}}
    paths = [{"path": "/", "pathType": "Prefix", "backend": backend}]
    metadata = meta(name, ns, INGRESS_FIELDS)
    metadata["annotations"] = {"nginx.ingress.kubernetes.io/proxy-read-timeout": "30"}
    yield f"/registry/ingress/{ns}/{name}", {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "Ingress",
        "metadata": metadata,
        "spec": {"ingressClassName": "weir", "rules": [{"host": f"{name}.{ns}.test", "http": {"paths": paths}}]},
        "status": {"loadBalancer": {}},
    }


def objects(count, namespaces, services):
    yield "/registry/ingressclasses/weir", {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "IngressClass",
        "metadata": meta("weir", None, {"apiVersion": "networking.k8s.io/v1", "owned": {}}),
        "spec": {"controller": "weir.ingress/controller"},
    }
    for i in range(namespaces):
        yield from namespace(f"team-{i}")
        for j in range(services):
            yield from service(f"team-{i}", f"app-{j}", i * services + j)
    for number in range(count):
        yield from ingress(f"team-{number % namespaces}", number, f"app-{number // namespaces % services}")


def encoded(text):
    return base64.b64encode(text.encode()).decode()


def put(etcd, batch):
    puts = [{"requestPut": {"key": encoded(key), "value": encoded(json.dumps(value))}} for key, value in batch]
    ask(etcd, "/v3/kv/txn", {"success": puts})


def ask(etcd, path, message):
    etcd.request("POST", path, json.dumps(message), {"Content-Type": "application/json"})
    answer = etcd.getresponse()
    body = answer.read()
    if answer.status != 200:
        sys.exit(f"etcd answers {answer.status}: {body[:500]}")


def take_away(etcd):
    for prefix in ("ingress/", "services/specs/", "endpointslices/", "namespaces/"):
        start = f"/registry/{prefix}team-"
        ask(etcd, "/v3/kv/deleterange", {"key": encoded(start), "range_end": encoded(start[:-1] + ".")})


def main():
    count = int(sys.argv[1])
    namespaces = int(sys.argv[2]) if len(sys.argv) > 2 else 100
    services = int(sys.argv[3]) if len(sys.argv) > 3 else 10
    etcd = http.client.HTTPConnection(*ETCD, timeout=60)
    if count == 0:
        take_away(etcd)
    batch, written = [], 0
    for one in objects(count, namespaces, services) if count else ():
        batch.append(one)
        if len(batch) == BATCH:
            put(etcd, batch)
            written += len(batch)
            batch = []
    if batch:
        put(etcd, batch)
    print(written + len(batch))


main()
