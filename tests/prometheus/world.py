"""Weir with traffic, and a Prometheus that scrapes it as the chart's ServiceMonitor would."""

import ctypes
import http.client
import http.server
import json
import os
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.parse
import urllib.request

import yaml

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(TOP, "tests", "python"))
from ports import free_ports  # noqa: E402

BIN = os.environ.get("WEIR_BIN", os.path.join(TOP, "build/release/bin"))
HOST = "shop.example.test"
CERTIFICATE_DAYS = 3  # less than the alert's seven


class Backend(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self):
        length = int(self.headers.get("Content-Length", 0))
        self.rfile.read(length)
        if self.path.startswith("/slow"):
            time.sleep(0.2)
        body = b"x" * 300
        self.send_response(500 if self.path.startswith("/broken") else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST = answer

    def log_message(self, *_):
        pass


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64


def child(command, log, **more):
    """Ends with this process."""
    kill = ctypes.CDLL(None).prctl
    return subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT, preexec_fn=lambda: kill(1, signal.SIGTERM), **more)


def ingress(name, paths, annotations=None):
    return {"apiVersion": "networking.k8s.io/v1", "kind": "Ingress",
            "metadata": {"name": name, "namespace": "shop", "annotations": {
                "nginx.ingress.kubernetes.io/ssl-redirect": "false", **(annotations or {})}},
            "spec": {"tls": [{"hosts": [HOST], "secretName": "shop-tls"}], "rules": [{"host": HOST, "http": {"paths": [
                {"path": path, "pathType": "Prefix", "backend": {"service": {"name": "shop", "port": {"number": 80}}}}
                for path in paths]}}]}}


def service(port):
    # Nobody listens at the second address: connecting fails, the request is tried again, the endpoint is taken out.
    return [{"apiVersion": "v1", "kind": "Service", "metadata": {"name": "shop", "namespace": "shop"},
             "spec": {"ports": [{"name": "http", "port": 80}]}},
            {"apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "addressType": "IPv4",
             "metadata": {"name": "shop-1", "namespace": "shop", "labels": {"kubernetes.io/service-name": "shop"}},
             "ports": [{"name": "http", "port": port}],
             "endpoints": [{"addresses": [one], "conditions": {"ready": True}} for one in ("127.0.0.1", "127.0.0.2")]}]


def secret(folder):
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", "k",
                    "-out", "c", "-days", str(CERTIFICATE_DAYS), "-subj", f"/CN={HOST}", "-addext", f"subjectAltName=DNS:{HOST}"],
                   cwd=folder, check=True, capture_output=True, timeout=60)
    texts = {}
    for name, part in (("tls.key", "k"), ("tls.crt", "c")):
        with open(os.path.join(folder, part), encoding="utf-8") as file:
            texts[name] = file.read()
    return {"apiVersion": "v1", "kind": "Secret", "type": "kubernetes.io/tls", "metadata": {"name": "shop-tls", "namespace": "shop"},
            "stringData": texts}


class World:
    def __init__(self, prometheus, rules):
        """prometheus: folder of Debian's programs. rules: groups as a Prometheus file has them."""
        self.prometheus = prometheus
        self.folder = tempfile.mkdtemp(prefix="weir-prometheus-")
        first = free_ports(5)
        self.http, self.https, self.admin, self.web = first, first + 1, first + 2, first + 4
        self.backend = Server(("127.0.0.1", 0), Backend)
        self.ending = threading.Event()
        self.children = []
        self.log = open(os.path.join(self.folder, "log"), "wb")
        self.rules = rules

    def start(self):
        threading.Thread(target=self.backend.serve_forever, daemon=True).start()
        manifests = os.path.join(self.folder, "manifests")
        os.mkdir(manifests)
        self.write("shop", [secret(self.folder), *service(self.backend.server_port), ingress("shop", ["/"]),
                            ingress("broken", ["/broken", "/"]),  # "/" is the older one's: reported
                            ingress("slow", ["/slow"], {"weir.ingress/max-requests": "1"})])
        self.weir = child([os.path.join(BIN, "weirctl"), "up", "-f", manifests, "--http-port", str(self.http), "--https-port", str(self.https),
                           "--admin-port", str(self.admin), "--workers", "2", "--access-log-path", os.path.join(self.folder, "access"),
                           "--controller-arg", "--connections-per-address=40", "--log-level", "warn"], self.log,
                          env={**os.environ, "POD_NAME": "weir-0", "POD_NAMESPACE": "weir"})
        self.children.append(self.weir)
        wait_for(lambda: get(self.admin, "/readyz") and get(self.admin + 1, "/readyz"), "Weir is ready", self.tail)
        for work in (self.work, self.work_tls, self.work_slow, self.work_slow, self.crowd):
            threading.Thread(target=self.repeat, args=(work,), daemon=True).start()
        self.start_prometheus()

    def write(self, name, objects):
        path = os.path.join(self.folder, "manifests", name + ".yaml")
        with open(path + ".part", "w", encoding="utf-8") as file:
            yaml.safe_dump_all(objects, file)
        os.rename(path + ".part", path)

    def start_prometheus(self):
        target = {"labels": {"namespace": "weir", "pod": "weir-0"}}
        config = {"global": {"scrape_interval": "500ms", "evaluation_interval": "500ms"}, "rule_files": ["rules.yaml"],
                  "scrape_configs": [{"job_name": name, "static_configs": [{"targets": [f"127.0.0.1:{port}"], **target}]}
                                     for name, port in (("dataplane", self.admin), ("controller", self.admin + 1))]}
        for name, content in (("prometheus.yaml", config), ("rules.yaml", self.rules)):
            with open(os.path.join(self.folder, name), "w", encoding="utf-8") as file:
                yaml.safe_dump(content, file)
        self.children.append(child(
            [os.path.join(self.prometheus, "prometheus"), "--config.file=prometheus.yaml", "--storage.tsdb.path=data",
             f"--web.listen-address=127.0.0.1:{self.web}", "--log.level=warn"], self.log, cwd=self.folder))
        wait_for(lambda: get(self.web, "/-/ready"), "Prometheus is ready", self.tail)

    def repeat(self, work):
        while not self.ending.is_set():
            try:
                work()
            except (OSError, http.client.HTTPException):
                time.sleep(0.02)

    def ask(self, connection, method, path, body=None):
        connection.request(method, path, body, {"Host": HOST})
        connection.getresponse().read()

    def work(self):
        connection = http.client.HTTPConnection("127.0.0.1", self.http, timeout=10)
        for path in ("/", "/cart?id=1", "/broken", "/"):
            self.ask(connection, "GET", path)
            self.ask(connection, "POST", path, b"y" * 500)
        connection.request("GET", "/", headers={"Host": "unknown.example.test"})
        connection.getresponse().read()
        connection.close()
        time.sleep(0.02)

    def work_tls(self):
        connection = http.client.HTTPSConnection("127.0.0.1", self.https, timeout=10, context=ssl._create_unverified_context())
        self.ask(connection, "GET", "/")
        connection.close()
        time.sleep(0.1)

    def work_slow(self):
        connection = http.client.HTTPConnection("127.0.0.1", self.http, timeout=10)
        self.ask(connection, "GET", "/slow")
        connection.close()

    def crowd(self):
        """More connections than one address may have."""
        held = [socket.create_connection(("127.0.0.1", self.http), timeout=5) for _ in range(40)]
        time.sleep(0.2)
        for one in held:
            one.close()
        time.sleep(0.5)

    def api(self, path, **parameters):
        """What Prometheus answers: (data, ""), or (None, why not)."""
        url = f"http://127.0.0.1:{self.web}/api/v1/{path}?{urllib.parse.urlencode(parameters, doseq=True)}"
        try:
            with urllib.request.urlopen(url, timeout=20) as answer:
                return json.load(answer)["data"], ""
        except urllib.error.HTTPError as error:
            return None, error.read().decode()

    def tail(self):
        self.log.flush()
        with open(os.path.join(self.folder, "log"), encoding="utf-8", errors="replace") as file:
            return file.read()[-4000:]

    def stop(self):
        self.ending.set()
        for one in reversed(self.children):
            one.terminate()
        for one in self.children:
            one.wait(timeout=30)
        self.backend.shutdown()
        self.backend.server_close()
        self.log.close()


def get(port, path):
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=10) as answer:
            return answer.status == 200
    except OSError:
        return False


def wait_for(condition, what, tell=str, seconds=90):
    end = time.monotonic() + seconds
    while True:
        found = condition()
        if found:
            return found
        if time.monotonic() > end:
            raise AssertionError(f"not within {seconds} s: {what}\n{tell()}")
        time.sleep(0.1)
