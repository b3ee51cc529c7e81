#!/usr/bin/env python3
"""changes.py DIR PATH HOST PORT COUNT: how long a change of one Ingress takes to be live, among all that are there.

Changes the path of the first rule of the Ingress at PATH, COUNT times; each time from the API server's answer until Weir on PORT has a route for
the new path and none for the one before (404). Prints p50, p99 and the longest, milliseconds. Run in the cluster's network namespace.
"""
import http.client
import json
import ssl
import sys
import time

folder, path, host, port, count = sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4]), int(sys.argv[5])
address = open(f"{folder}/ip").read().strip()
tls = ssl.create_default_context(cafile=f"{folder}/ca.crt")
tls.load_cert_chain(f"{folder}/pki/admin.crt", f"{folder}/pki/admin.key")
server = http.client.HTTPSConnection(address, int(open(f"{folder}/port").read()), timeout=30, context=tls)
client = http.client.HTTPConnection("127.0.0.1", port, timeout=30)


def ask_server(method, body=None):
    server.request(method, path, body, {"Content-Type": "application/merge-patch+json"})
    answer = server.getresponse()
    text = answer.read()
    if answer.status != 200:
        sys.exit(f"the API server answers {answer.status}: {text[:500]}")
    return json.loads(text)


def has_route(place):
    client.request("GET", place, headers={"Host": host})
    answer = client.getresponse()
    answer.read()
    return answer.status != 404


rules = ask_server("GET")["spec"]["rules"]
before = "/never"
times = []
for turn in range(count):
    place = f"/place-{turn}"
    rules[0]["http"]["paths"][0]["path"] = place
    ask_server("PATCH", json.dumps({"spec": {"rules": rules}}))
    start = time.monotonic()
    while not has_route(place) or has_route(before):
        if time.monotonic() - start > 30:
            sys.exit(f"change {turn} was not live within 30 s")
        time.sleep(0.001)
    before = place
    times.append((time.monotonic() - start) * 1000)
    time.sleep(0.01)
times.sort()
print(f"{times[len(times) // 2]:.0f} {times[len(times) * 99 // 100]:.0f} {times[-1]:.0f}")
