#!/usr/bin/env python3
"""changes.py DIR PATH HOST PORT COUNT: how long a change of one Ingress takes to be live, among all that are there.

Changes where the Ingress at PATH redirects to, COUNT times; each time from the API server's answer until a client of Weir on PORT is sent to
the new place. Prints p50, p99 and the longest, milliseconds. Run in the cluster's network namespace.
"""
import http.client
import json
import ssl
import sys
import time

folder, path, host, port, count = sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4]), int(sys.argv[5])
KEY = "nginx.ingress.kubernetes.io/permanent-redirect"
address = open(f"{folder}/ip").read().strip()
tls = ssl.create_default_context(cafile=f"{folder}/ca.crt")
tls.load_cert_chain(f"{folder}/pki/admin.crt", f"{folder}/pki/admin.key")
server = http.client.HTTPSConnection(address, int(open(f"{folder}/port").read()), timeout=30, context=tls)
client = http.client.HTTPConnection("127.0.0.1", port, timeout=30)


def change(target):
    patch = json.dumps({"metadata": {"annotations": {KEY: target}}})
    server.request("PATCH", path, patch, {"Content-Type": "application/merge-patch+json"})
    answer = server.getresponse()
    body = answer.read()
    if answer.status != 200:
        sys.exit(f"the API server answers {answer.status}: {body[:500]}")


def sent_to():
    client.request("GET", "/", headers={"Host": host})
    answer = client.getresponse()
    answer.read()
    return answer.getheader("Location")


times = []
for turn in range(count):
    target = f"http://elsewhere.test/{turn}"
    change(target)
    start = time.monotonic()
    while sent_to() != target:
        if time.monotonic() - start > 30:
            sys.exit(f"change {turn} was not live within 30 s")
        time.sleep(0.001)
    times.append((time.monotonic() - start) * 1000)
    time.sleep(0.01)
times.sort()
print(f"{times[len(times) // 2]:.0f} {times[len(times) * 99 // 100]:.0f} {times[-1]:.0f}")
