"""Figures of running processes, and one sample of each workload. CPU time comes from schedstat (nanoseconds) over every thread, the log
writer included; a request count comes from the load generator."""

import os
import re
import socket
import ssl
import subprocess
import time

from peers import LOAD_CPU


def cpu_ns(pids):
    total = 0
    for pid in pids:
        try:
            for task in os.listdir("/proc/%d/task" % pid):
                with open("/proc/%d/task/%s/schedstat" % (pid, task), encoding="ascii") as stat:
                    total += int(stat.read().split()[0])
        except OSError:
            pass
    return total


def pss_kb(pids):
    total = 0
    for pid in pids:
        try:
            with open("/proc/%d/smaps_rollup" % pid, encoding="ascii") as rollup:
                total += int(re.search(r"^Pss:\s+(\d+)", rollup.read(), re.M).group(1))
        except (OSError, AttributeError):
            pass
    return total


def load(command):
    return subprocess.run(["taskset", "-c", LOAD_CPU] + command, capture_output=True, text=True, check=False).stdout


def wrk(url, seconds, connections, extra=()):
    """Requests answered with 2xx; raises when some were not."""
    out = load(["wrk", "-t1", "-c%d" % connections, "-d%ss" % seconds] + list(extra) + [url])
    bad = re.search(r"Non-2xx or 3xx responses: (\d+)", out)
    if bad:
        raise RuntimeError("%s: %s answers that are not 2xx" % (url, bad.group(1)))
    found = re.search(r"(\d+) requests in", out)
    if not found:
        raise RuntimeError("wrk printed no count: " + out)
    return int(found.group(1))


def handshakes(port, count):
    """Full TLS handshakes with one request each: as many clients as requests, no session is offered."""
    out = load(["h2load", "--h1", "-t1", "-n%d" % count, "-c%d" % count, "https://127.0.0.1:%d/128" % port])
    found = re.search(r"(\d+) succeeded", out)
    if not found or int(found.group(1)) != count:
        raise RuntimeError("h2load: " + out)
    return count


def h2load(port, seconds, connections, streams, host):
    """HTTP/2 requests over TLS that were answered with 2xx; raises when some were not."""
    out = load(["h2load", "-t1", "-D%d" % seconds, "-c%d" % connections, "-m%d" % streams, "-H", ":authority: " + host, "https://127.0.0.1:%d/128" % port])
    found = re.search(r"(\d+) succeeded, (\d+) failed", out)
    codes = re.search(r"status codes: (\d+) 2xx, (\d+) 3xx, (\d+) 4xx, (\d+) 5xx", out)
    if not found or not codes or "Application protocol: h2" not in out or int(codes.group(3)) + int(codes.group(4)) > 0:
        raise RuntimeError("h2load: " + out)
    return int(codes.group(1))


def cpu_per_request(peer, run):
    """CPU microseconds per request of one sample: run() drives the load and gives the number of requests."""
    pids = peer.pids()
    before = cpu_ns(pids)
    requests = run()
    return (cpu_ns(pids) - before) / 1000.0 / max(requests, 1)


def idle_bytes(peer, connections, tls=False):
    """PSS that one idle connection adds: each has been used for one request and is then left alone."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    before = pss_kb(peer.pids())
    sockets = []
    try:
        for _ in range(connections):
            one = socket.create_connection(("127.0.0.1", peer.https_port if tls else peer.http_port), timeout=5)
            if tls:
                one = context.wrap_socket(one)
            one.sendall(b"GET /128 HTTP/1.1\r\nHost: h1.bench.test\r\n\r\n")
            one.recv(4096)
            sockets.append(one)
        time.sleep(1)
        return (pss_kb(peer.pids()) - before) * 1024.0 / connections
    finally:
        for one in sockets:
            one.close()


def syscalls_per_request(peer, seconds, connections, tls=False):
    """Attaches strace to the peer's threads during a keep-alive load."""
    url = "%s://127.0.0.1:%d/128" % ("https" if tls else "http", peer.https_port if tls else peer.http_port)
    command = ["strace", "-f", "-c", "-U", "name,calls"]
    for pid in peer.pids():
        command += ["-p", str(pid)]
    tracer = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    time.sleep(0.5)
    requests = wrk(url, seconds, connections)
    tracer.send_signal(2)
    text = tracer.communicate(timeout=20)[1]
    calls = {}
    for line in text.splitlines():
        found = re.match(r"^\s*(\w+)\s+(\d+)\s*$", line)
        if found and found.group(1) != "total":
            calls[found.group(1)] = int(found.group(2))
    return sum(calls.values()) / requests, {name: round(count / requests, 2) for name, count in calls.items() if count / requests >= 0.005}
