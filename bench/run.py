#!/usr/bin/env python3
"""./dev bench: CPU per request of Weir beside nginx, HAProxy, Envoy, h2o, nghttpx, Caddy and null proxies, in interleaved rounds.

Proxies are pinned to one CPU with one worker each, the load generator and the origin to another. It prints whatever is true: medians, spread
and the ratio to the best peer of the same run. --loaded adds a JSON access log, 5,000 hosts and a connection limit to every peer.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import measure  # noqa: E402
import more_peers  # noqa: E402
import peers as kinds  # noqa: E402


class Bench:
    def __init__(self, folder, loaded):
        self.folder = folder
        self.loaded = loaded
        self.bin = os.environ["WEIR_BIN"]
        self.peers = os.environ.get("WEIR_PEERS", "")
        self.origin_port = 18080
        self.cert = os.path.join(folder, "cert.pem")
        self.key = os.path.join(folder, "key.pem")
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "30",
                        "-subj", "/CN=bench.test", "-addext", "subjectAltName=DNS:bench.test,DNS:*.bench.test,IP:127.0.0.1", "-keyout", self.key,
                        "-out", self.cert], check=True, capture_output=True)


def workloads(bench, seconds):
    """name -> (needs TLS, function(peer) that drives one sample and gives its requests)."""
    extra = ["-s", hosts_script(bench)] if bench.loaded else []

    def keep_alive(peer, path="128", tls=False, more=()):
        port = peer.https_port if tls else peer.http_port
        return measure.wrk("%s://127.0.0.1:%d/%s" % ("https" if tls else "http", port, path), seconds, 64, list(extra) + list(more))

    out = {"keep-alive 128 B": (False, keep_alive), "TLS keep-alive 128 B": (True, lambda p: keep_alive(p, tls=True))}
    out["h2 over TLS, 16x16"] = (True, lambda p: measure.h2load(p.h2_port, seconds, 16, 16, "h7.bench.test"))
    if bench.loaded:
        return out
    out["64 KiB body"] = (False, lambda p: keep_alive(p, path="65536"))
    out["TLS 64 KiB body"] = (True, lambda p: keep_alive(p, path="65536", tls=True))
    out["connection per request"] = (False, lambda p: keep_alive(p, more=["-H", "Connection: close"]))
    out["TLS full handshake + request"] = (True, lambda p: measure.handshakes(p.https_port, 400))
    return out


def hosts_script(bench):
    path = os.path.join(bench.folder, "hosts.lua")
    with open(path, "w", encoding="utf-8") as out:
        out.write("local n = 0\nlocal made = {}\n"
                  "init = function() for i = 0, 4999 do made[i] = wrk.format(nil, nil, {Host = 'h' .. i .. '.bench.test'}) end end\n"
                  "request = function() n = (n + 1237) % 5000 return made[n] end\n")
    return path


def run_rounds(peers, loads, rounds):
    """samples[workload][peer] = list of microseconds. Interleaved: each round visits every peer once per workload."""
    samples = {name: {peer.name: [] for peer in peers} for name in loads}
    for number in range(rounds):
        for name, (tls, drive) in loads.items():
            for peer in peers[number % len(peers):] + peers[:number % len(peers)]:
                if tls and peer.https_port is None:
                    continue
                try:
                    samples[name][peer.name].append(measure.cpu_per_request(peer, lambda p=peer, d=drive: d(p)))
                except RuntimeError as error:
                    if peer.name == "weir":
                        raise
                    print("%s, %s: %s" % (name, peer.name, str(error).splitlines()[0]), file=sys.stderr)
        print("round %d of %d" % (number + 1, rounds), file=sys.stderr, flush=True)
    return samples


def print_table(title, samples, versions):
    print("\n## %s\n" % title)
    print("CPU microseconds per request: median (min..max); ratio to the best peer of the run\n")
    names = list(versions)
    print("| workload | " + " | ".join(names) + " | weir / best peer |")
    print("|---" * (len(names) + 2) + "|")
    for workload, by_peer in samples.items():
        cells, medians = [], {}
        for name in names:
            values = by_peer.get(name, [])
            if not values:
                cells.append("-")
                continue
            medians[name] = statistics.median(values)
            cells.append("%.1f (%.1f..%.1f)" % (medians[name], min(values), max(values)))
        others = [v for n, v in medians.items() if n not in ("weir", "null")]
        ratio = "%.2f" % (medians["weir"] / min(others)) if others and "weir" in medians else "-"
        print("| %s | %s | %s |" % (workload, " | ".join(cells), ratio))


def print_counts(peers, idle, started_pss):
    ours = {}
    print("\n| figure | " + " | ".join(p.name for p in peers) + " |")
    print("|---" * (len(peers) + 1) + "|")
    for title, tls in (("", False), (" over TLS", True)):
        calls = {p.name: measure.syscalls_per_request(p, 2, 64, tls) for p in peers}
        print("| syscalls per keep-alive request%s, 64 connections | " % title + " | ".join("%.2f" % calls[p.name][0] for p in peers) + " |")
        ours[title or " plain"] = calls.get("weir", (0, {}))[1]
    for title, values in idle.items():
        print("| bytes per idle %s connection (PSS) | " % title + " | ".join("%.0f" % values[p.name] if p.name in values else "-" for p in peers) + " |")
    print("| PSS after the start, MB | " + " | ".join("%.1f" % started_pss[p.name] for p in peers) + " |")
    print("| PSS after the load, MB | " + " | ".join("%.1f" % (measure.pss_kb(p.pids()) / 1024) for p in peers) + " |")
    print("\nWeir's calls per request: %s" % json.dumps(ours))


def start_all(bench, chosen, running):
    """Starts origin and peers; each lands in running as soon as it has a process, so that a failure later on leaves none behind."""
    command = [os.path.join(bench.bin, "weir-bench-origin"), str(bench.origin_port)]
    running["origin"] = subprocess.Popen(["taskset", "-c", kinds.LOAD_CPU] + command)
    for index, kind in enumerate(chosen):
        peer = kind(bench.folder, 18100 + index * 100, 18101 + index * 100)
        # What an earlier run left behind would answer in its place, for no CPU at all.
        if kinds.is_taken(peer.http_port) or kinds.is_taken(peer.https_port):
            raise RuntimeError("%s: port %d or %d is taken" % (peer.name, peer.http_port, peer.https_port))
        running["peers"].append(peer)
        try:
            peer.start(bench)
        except kinds.NotInstalled:
            running["peers"].remove(peer)
            print("left out, not installed: %s" % peer.name)
    for peer in running["peers"]:
        if not kinds.wait_for(peer.http_port, 60):
            with open(os.path.join(peer.folder, "out.log"), encoding="utf-8", errors="replace") as log:
                raise RuntimeError("%s does not answer:\n%s" % (peer.name, log.read()[-2000:]))
    return running["peers"]


def stop_all(running):
    for peer in running["peers"]:
        peer.stop()
    if running["origin"] is not None:
        running["origin"].kill()
        running["origin"].wait()


def idle_figures(peers, connections):
    peers = [p for p in peers if p.name != "null"]
    tls = connections // 4
    return {"plain": {p.name: measure.idle_bytes(p, connections) for p in peers},
            "TLS": {p.name: measure.idle_bytes(p, tls, True) for p in peers}}


def measure_profile(args, loaded):
    with tempfile.TemporaryDirectory(prefix="weir-bench-") as folder:
        os.chmod(folder, 0o755)
        bench = Bench(folder, loaded)
        every = [kinds.NullProxy, kinds.Nginx, kinds.NginxTuned, kinds.HAProxy, more_peers.Envoy, more_peers.H2o, more_peers.Nghttpx,
                 more_peers.Caddy, kinds.Weir]
        chosen = [kind for kind in every if not args.peers or kind.name in args.peers.split(",")]
        running = {"origin": None, "peers": []}
        try:
            started = start_all(bench, chosen, running)
            loads = {n: w for n, w in workloads(bench, args.seconds).items() if not args.only or args.only in n}
            # First, on fresh processes: after a load idle connections live in memory that was freed, and seem to cost nothing.
            pss = {p.name: measure.pss_kb(p.pids()) / 1024 for p in started}
            idle = idle_figures(started, args.idle) if not args.only and not loaded else {}
            samples = run_rounds(started, loads, args.rounds)
            print_table("loaded: JSON access log, 5,000 hosts, a connection limit" if loaded else "bare", samples,
                        {p.name: p.version() for p in started})
            if not args.only:
                print_counts(started, idle, pss)
            print("\nVersions: " + "; ".join("%s: %s" % (p.name, p.version()) for p in started))
        finally:
            stop_all(running)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--seconds", type=int, default=1, help="length of one sample")
    parser.add_argument("--peers", default="", help="comma list of null,nginx,nginx-64k,haproxy,envoy,h2o,nghttpx,caddy,weir; empty: all")
    parser.add_argument("--only", default="", help="only workloads whose name holds this text")
    parser.add_argument("--profile", default="both", choices=["bare", "loaded", "both"])
    parser.add_argument("--idle", type=int, default=5000, help="idle connections for the memory figure")
    args = parser.parse_args()
    import resource
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    print("kernel %s, %d CPUs, load %s, %s" % (os.uname().release, os.cpu_count(), os.getloadavg(), time.strftime("%Y-%m-%d")))
    for loaded in (False, True):
        if args.profile in ("both", "loaded" if loaded else "bare"):
            measure_profile(args, loaded)


if __name__ == "__main__":
    main()
