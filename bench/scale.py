#!/usr/bin/env python3
"""How Weir scales with its configuration: CPU per request, start and one change, with ten hosts and with 100,000 of two paths each.

WEIR_BIN is the folder of the programs. Start: from the call of weirctl to the first 200. Change: from the rename of a file that adds a host
to the moment when connections to every worker get its 200. CPU per request: interleaved rounds over random hosts, medians."""

import argparse
import http.client
import os
import statistics
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import measure  # noqa: E402
import peers as kinds  # noqa: E402

PER_FILE = 1000
CONNECTIONS = 16  # with two workers, one is missed once in 2^15 runs


def ingress(name, host):
    paths = ",".join("{path: %s, pathType: Prefix, backend: {service: {name: origin, port: {number: 80}}}}" % path for path in ("/", "/a/b"))
    return ("apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: {name: %s, namespace: default}\n"
            "spec: {ingressClassName: weir, rules: [{host: %s, http: {paths: [%s]}}]}\n---\n" % (name, host, paths))


class Scaled(kinds.Peer):
    def __init__(self, folder, port, hosts, bench):
        self.name = "weir-%d" % hosts
        super().__init__(folder, port, port + 1)
        self.hosts = hosts
        self.manifests = os.path.join(self.folder, "manifests")
        os.makedirs(self.manifests)
        kinds.write_manifests(self.manifests, bench)
        for first in range(0, hosts, PER_FILE):
            with open(os.path.join(self.manifests, "hosts-%d.yaml" % first), "w", encoding="utf-8") as out:
                out.writelines(ingress("i%d" % i, "h%d.bench.test" % i) for i in range(first, min(first + PER_FILE, hosts)))

    def start(self, bench):
        begin = time.time()
        self.spawn([os.path.join(bench.bin, "weirctl"), "up", "-f", self.manifests, "--http-port", str(self.http_port), "--https-port",
                    str(self.https_port), "--admin-port", str(self.http_port + 50), "--workers", "2", "--access-log-path", "off"])
        while status(self.http_port, "h%d.bench.test" % (self.hosts - 1)) != 200:
            if time.time() - begin > 300:
                raise RuntimeError("%s does not answer" % self.name)
            time.sleep(0.05)
        return time.time() - begin

    def pids(self):
        return [pid for pid in super().pids() if kinds.program_name(pid) == "weir-dataplane"]

    def change(self, number):
        """Milliseconds until a new host is served on every connection."""
        host = "new%d.bench.test" % number
        connections = [http.client.HTTPConnection("127.0.0.1", self.http_port) for _ in range(CONNECTIONS)]
        text = os.path.join(self.folder, "new.yaml")
        with open(text, "w", encoding="utf-8") as out:
            out.write(ingress("n%d" % number, host))
        begin = time.time()
        os.rename(text, os.path.join(self.manifests, "new%d.yaml" % number))
        for connection in connections:
            while ask(connection, host) != 200:
                if time.time() - begin > 60:
                    raise RuntimeError("the change is not live")
        return (time.time() - begin) * 1000


def ask(connection, host):
    connection.request("GET", "/128", headers={"Host": host})
    answer = connection.getresponse()
    answer.read()
    return answer.status


def status(port, host):
    try:
        return ask(http.client.HTTPConnection("127.0.0.1", port, timeout=2), host)
    except (OSError, http.client.HTTPException):
        return 0


def hosts_script(folder, hosts):
    path = os.path.join(folder, "hosts-%d.lua" % hosts)
    with open(path, "w", encoding="utf-8") as out:
        # 5,000 hosts out of all of them, far apart.
        out.write("local n = 0\nlocal made = {}\ninit = function() for i = 0, 4999 do local h = (i * 7919) %% %d\n"
                  "made[i] = wrk.format(nil, '/a/b/128', {Host = 'h' .. h .. '.bench.test'}) end end\n"
                  "request = function() n = (n + 1237) %% 5000 return made[n] end\n" % hosts)
    return path


class Bench:
    def __init__(self, folder):
        self.folder, self.bin, self.origin_port = folder, os.environ["WEIR_BIN"], 18080
        self.cert, self.key, self.loaded = "", "", False
        self.cert = self.key = os.devnull


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--hosts", type=int, default=100000)
    parser.add_argument("--rounds", type=int, default=5)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="weir-scale-") as folder:
        bench = Bench(folder)
        origin = subprocess.Popen(["taskset", "-c", kinds.LOAD_CPU, os.path.join(bench.bin, "weir-bench-origin"), str(bench.origin_port)])
        running = [Scaled(folder, 18100 + 200 * i, hosts, bench) for i, hosts in enumerate((10, args.hosts))]
        try:
            for weir in running:
                print("%d hosts: first answer after %.1f s" % (weir.hosts, weir.start(bench)), flush=True)
                changes = [weir.change(i) for i in range(9)]
                print("%d hosts: one change live on every worker after %.0f ms (median; %.0f..%.0f)" %
                      (weir.hosts, statistics.median(changes), min(changes), max(changes)), flush=True)
                print("%d hosts: dataplane %.1f MB PSS" % (weir.hosts, measure.pss_kb(weir.pids()) / 1024), flush=True)
            samples = {weir.name: [] for weir in running}
            for _ in range(args.rounds):
                for weir in running:
                    script = hosts_script(folder, weir.hosts)
                    url = "http://127.0.0.1:%d/" % weir.http_port
                    samples[weir.name].append(measure.cpu_per_request(weir, lambda u=url, s=script: measure.wrk(u, 1, 64, ["-s", s])))
            medians = [statistics.median(samples[weir.name]) for weir in running]
            print("CPU per request: %.1f us with 10 hosts, %.1f us with %d: %.2f" % (medians[0], medians[1], args.hosts, medians[1] / medians[0]))
        finally:
            for weir in running:
                weir.stop()
            origin.kill()
            origin.wait()


if __name__ == "__main__":
    main()
