#!/usr/bin/env python3
"""Spans as a collector gets them, decoded by OpenTelemetry's own library, and the decisions that a signed request is told.

WEIR_OTLP_PYTHON is a Python that has opentelemetry-proto (./dev test makes it).
"""

import hashlib
import hmac
import http.client
import http.server
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import unittest
import urllib.request

import yaml

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(os.path.dirname(HERE), folder) for folder in ("prometheus", "python")]
import world  # noqa: E402
from ports import free_ports  # noqa: E402

SKIPPED = 77
DECODER = os.environ.get("WEIR_OTLP_PYTHON", "")
HOST = "shop.example.test"
KEY = "a key of at least thirty-two bytes, of the test"
SERVER, CLIENT, ERROR = 2, 3, 2


class Backend(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        body = json.dumps(dict(self.headers)).encode()
        self.send_response(500 if self.path.startswith("/broken") else 200)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Weir-Debug", "said by the backend")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class Collector(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    status = 200
    bodies = []
    refused = 0

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        right = self.path == "/v1/traces" and self.headers["Content-Type"] == "application/x-protobuf"
        status = Collector.status if right else 415
        if status == 200:
            Collector.bodies.append(body)
        else:
            Collector.refused += 1
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


def serve(handler):
    server = world.Server(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


def decoded():
    bodies = b"".join(f"{len(body)}\n".encode() + body for body in list(Collector.bodies))
    done = subprocess.run([DECODER, os.path.join(HERE, "decode.py")], input=bodies, capture_output=True, timeout=60, check=False)
    if done.returncode != 0:
        raise AssertionError(done.stderr.decode())
    return [json.loads(line) for line in done.stdout.splitlines()]


class Weir:
    def __init__(self, backend, collector):
        self.folder = tempfile.mkdtemp(prefix="weir-traces-")
        self.http = free_ports(3)
        self.admin = self.http + 1
        manifests = os.path.join(self.folder, "manifests")
        os.mkdir(manifests)
        closed = {"nginx.ingress.kubernetes.io/whitelist-source-range": "10.0.0.0/8"}
        objects = [*world.service(backend), world.ingress("shop", ["/"]), world.ingress("closed", ["/closed"], closed),
                   {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "debug", "namespace": "weir"}, "stringData": {"key": KEY + "\n"}}]
        for one in objects:
            one["spec"] = {key: value for key, value in one.get("spec", {}).items() if key != "tls"}
        with open(os.path.join(manifests, "shop.yaml"), "w", encoding="utf-8") as file:
            yaml.safe_dump_all([{key: value for key, value in one.items() if value != {}} for one in objects], file)
        self.log = open(os.path.join(self.folder, "log"), "wb")
        flags = [f"--otlp-collector-url=http://127.0.0.1:{collector}", "--otel-sampler-ratio=1", "--otel-service-name=edge",
                 "--debug-key-secret=weir/debug"]
        self.child = world.child(
            [os.path.join(world.BIN, "weirctl"), "up", "-f", manifests, "--http-port", str(self.http), "--https-port", "0", "--admin-port",
             str(self.admin), "--workers", "1", "--access-log-path", "off", *(f"--controller-arg={flag}" for flag in flags)],
            self.log, env={**os.environ, "POD_NAME": "weir-0", "POD_NAMESPACE": "weir"})

    def tail(self):
        with open(os.path.join(self.folder, "log"), encoding="utf-8", errors="replace") as file:
            return file.read()[-4000:]

    def get(self, path="/", headers=None, host=HOST):
        """Status, all fields of the response, and the fields that the backend got."""
        connection = http.client.HTTPConnection("127.0.0.1", self.http, timeout=20)
        connection.request("GET", path, headers={"Host": host, **(headers or {})})
        answer = connection.getresponse()
        body = answer.read()
        connection.close()
        seen = json.loads(body) if body.startswith(b"{") else {}
        return answer.status, answer.getheaders(), {name.lower(): value for name, value in seen.items()}

    def metric(self, name):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.admin}/metrics", timeout=10) as answer:
            for line in answer.read().decode().splitlines():
                if line.startswith(name + " "):
                    return float(line.split()[-1])
        raise AssertionError(name)

    def stop(self):
        self.child.terminate()
        self.child.wait(timeout=30)
        self.log.close()


def signed(host=HOST, at=None, key=KEY):
    stamp = str(int(time.time() if at is None else at))
    return f"{stamp}.{hmac.new(key.encode(), f'{stamp}.{host}'.encode(), hashlib.sha256).hexdigest()}"


def told(fields):
    return [value for name, value in fields if name.lower() == "weir-debug"]


class Traces(unittest.TestCase):
    number = 0

    @classmethod
    def setUpClass(cls):
        backend, collector = serve(Backend), serve(Collector)
        for server in (backend, collector):
            cls.addClassCleanup(server.server_close)
            cls.addClassCleanup(server.shutdown)
        cls.weir = Weir(backend.server_port, collector.server_port)
        cls.addClassCleanup(shutil.rmtree, cls.weir.folder)
        cls.addClassCleanup(cls.weir.stop)
        world.wait_for(lambda: world.get(cls.weir.admin, "/readyz") and world.get(cls.weir.admin + 1, "/readyz"), "ready", cls.weir.tail)

    def setUp(self):
        Collector.status = 200

    def trace_id(self):
        Traces.number += 1
        return f"{Traces.number:032x}"

    def spans(self, trace, least=1):
        def found():
            one = [span for span in decoded() if span["trace"] == trace]
            return one if len(one) >= least else None
        return world.wait_for(found, f"{least} spans of {trace}", self.weir.tail)

    def test_a_request_is_a_span_and_each_attempt_is_one_below_it(self):
        trace, parent = self.trace_id(), "00f067aa0ba902b7"
        before = time.time_ns()
        status, _, seen = self.weir.get("/cart?secret=1", {"traceparent": f"00-{trace}-{parent}-01", "tracestate": "vendor=1", "User-Agent": "test"})
        self.assertEqual(status, 200)
        spans = self.spans(trace, 2)
        (server,) = [one for one in spans if one["kind"] == SERVER]
        clients = [one for one in spans if one["kind"] == CLIENT]
        self.assertEqual(server["parent"], parent)
        self.assertEqual({one["parent"] for one in clients}, {server["span"]})
        self.assertEqual(seen["traceparent"], f"00-{trace}-{clients[-1]['span']}-01")
        self.assertEqual((seen["tracestate"], server["state"]), ("vendor=1", "vendor=1"))
        self.assertEqual(server["resource"], {"service.name": "edge", "service.instance.id": "weir-0"})
        self.assertEqual((server["name"], server["status"], server["known"]), ("GET /", 0, True))
        self.assertTrue(before <= server["start"] <= clients[0]["start"] <= clients[-1]["end"] <= server["end"] <= time.time_ns())
        named = {key: server["attributes"][key] for key in (
            "http.request.method", "url.path", "url.scheme", "server.address", "http.route", "http.response.status_code", "client.address",
            "user_agent.original", "network.protocol.version", "k8s.namespace.name", "weir.ingress")}
        self.assertEqual(named, {
            "http.request.method": "GET", "url.path": "/cart", "url.scheme": "http", "server.address": HOST, "http.route": "/",
            "http.response.status_code": 200, "client.address": "127.0.0.1", "user_agent.original": "test",
            "network.protocol.version": "1.1", "k8s.namespace.name": "shop", "weir.ingress": "shop"})
        last = clients[-1]["attributes"]
        self.assertEqual((last["server.address"], last["http.response.status_code"], last["http.request.method"]), ("127.0.0.1", 200, "GET"))
        self.assertNotIn("secret", json.dumps(spans), "a query may hold secrets")

    def test_a_failed_attempt_has_its_own_span(self):
        # Nobody listens at the other endpoint; it is tried again once it has been out for a while.
        def found():
            trace = self.trace_id()
            self.weir.get("/", {"traceparent": f"00-{trace}-00f067aa0ba902b7-01"})
            spans = self.spans(trace, 2)
            return spans if len(spans) > 2 else None
        spans = world.wait_for(found, "a request with two attempts", self.weir.tail)
        first, second = [one for one in spans if one["kind"] == CLIENT]
        self.assertEqual((first["attributes"]["server.address"], first["status"]), ("127.0.0.2", ERROR))
        self.assertNotIn("http.response.status_code", first["attributes"])
        self.assertEqual((second["attributes"]["http.request.resend_count"], second["status"]), (1, 0))

    def test_an_error_of_the_backend_is_one_of_the_span(self):
        trace = self.trace_id()
        self.weir.get("/broken", {"traceparent": f"00-{trace}-00f067aa0ba902b7-01"})
        (server,) = [one for one in self.spans(trace, 2) if one["kind"] == SERVER]
        self.assertEqual((server["status"], server["attributes"]["error.type"]), (ERROR, "500"))

    def test_what_is_no_traceparent_begins_a_trace(self):
        trace, span = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
        for bad in (f"ff-{trace}-{span}-01", f"00-{'0' * 32}-{span}-01", f"00-{trace}-{'0' * 16}-01", f"00-{trace.upper()}-{span}-01",
                    f"00-{trace}-{span}-01-more", f"00-{trace}-{span}", "nonsense", ""):
            with self.subTest(bad):
                _, _, seen = self.weir.get("/", {"traceparent": bad, "tracestate": "vendor=1"})
                self.assertRegex(seen["traceparent"], r"^00-[0-9a-f]{32}-[0-9a-f]{16}-01$")
                self.assertNotIn(trace, seen["traceparent"])
                self.assertNotIn("tracestate", seen)
        _, _, seen = self.weir.get("/", {"traceparent": f"cc-{trace}-{span}-01-more"})
        self.assertTrue(seen["traceparent"].startswith(f"00-{trace}-"), "a later version's first four parts count")

    def test_a_parent_that_is_not_sampled_makes_no_span(self):
        quiet, loud = self.trace_id(), self.trace_id()
        _, _, seen = self.weir.get("/", {"traceparent": f"00-{quiet}-00f067aa0ba902b7-00"})
        self.assertRegex(seen["traceparent"], f"^00-{quiet}-[0-9a-f]{{16}}-00$")
        self.weir.get("/", {"traceparent": f"00-{loud}-00f067aa0ba902b7-01"})
        self.spans(loud, 2)
        self.assertEqual([one for one in decoded() if one["trace"] == quiet], [])

    def test_spans_wait_for_a_collector_that_is_busy(self):
        Collector.status, before = 503, Collector.refused
        trace = self.trace_id()
        status, _, _ = self.weir.get("/", {"traceparent": f"00-{trace}-00f067aa0ba902b7-01"})
        self.assertEqual(status, 200)
        world.wait_for(lambda: Collector.refused > before, "a post that is refused")
        Collector.status = 200
        self.spans(trace, 2)

    def test_spans_that_a_collector_never_takes_are_counted(self):
        lost = 'weir_trace_spans_dropped_total{why="collector"}'
        before = self.weir.metric(lost)
        Collector.status = 400
        self.weir.get("/")
        world.wait_for(lambda: self.weir.metric(lost) >= before + 2, "lost spans are counted", self.weir.tail)
        self.assertGreater(self.weir.metric("weir_trace_spans_total"), 0)

    def test_a_signed_request_is_told_its_decisions(self):
        status, fields, seen = self.weir.get("/cart", {"Weir-Debug": signed()})
        lines = told(fields)
        self.assertEqual(status, 200)
        self.assertEqual(lines[0], "listener: http")
        self.assertEqual(lines[1], f"route: Ingress shop/shop spec.rules[0].http.paths[0] ({HOST} prefix /)")
        self.assertIn("backend: shop/shop/80", lines)
        attempts = [line for line in lines if line.startswith("attempt ")]
        self.assertRegex(attempts[-1], r"^attempt \d: 127\.0\.0\.1:\d+.*, 200 after \d+\.\d ms$")
        self.assertRegex("\n".join(lines), r"answer: 200 after \d+\.\d ms, the backend's")
        self.assertNotIn("weir-debug", seen, "the backend must not be able to sign")
        self.assertNotIn("said by the backend", lines)

    def test_what_filters_and_weir_answer_is_told(self):
        status, fields, _ = self.weir.get("/closed", {"Weir-Debug": signed()})
        self.assertEqual(status, 403)
        filters = [line for line in told(fields) if line.startswith("filters: ")]
        self.assertRegex(filters[0], r"ip_access answered$")
        status, fields, _ = self.weir.get("/", {"Weir-Debug": signed("nobody.test")}, "nobody.test")
        self.assertEqual(status, 404)
        self.assertIn("route: none", told(fields))

    def test_nobody_else_is_told(self):
        now = time.time()
        for name, header in {"another host": signed("other.test"), "too old": signed(at=now - 90), "too new": signed(at=now + 90),
                             "another key": signed(key="b" * 40), "no signature": str(int(now)), "empty": "",
                             "half": signed()[:-1]}.items():
            with self.subTest(name):
                status, fields, seen = self.weir.get("/closed", {"Weir-Debug": header})
                self.assertEqual((status, told(fields)), (403, []))
                _, _, seen = self.weir.get("/", {"Weir-Debug": header})
                self.assertNotIn("weir-debug", seen)


if __name__ == "__main__":
    if not DECODER:
        print("WEIR_OTLP_PYTHON names no Python with opentelemetry-proto", file=sys.stderr)
        sys.exit(SKIPPED)
    unittest.main()
