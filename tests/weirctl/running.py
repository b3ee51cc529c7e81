"""Both real processes on a folder of manifests, with a backend in this process; for the tests of what shows them."""

import http.client
import http.server
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time

from tool import TOP, WEIRCTL

sys.path.insert(0, os.path.join(TOP, "tests", "python"))
from ports import free_ports  # noqa: E402


class Backend(http.server.BaseHTTPRequestHandler):
    """Answers the status that the path ends with, else 200."""

    protocol_version = "HTTP/1.1"

    def do_GET(self):
        last = self.path.rsplit("/", 1)[-1]
        self.send_response(int(last) if last.isdigit() else 200)
        self.send_header("Content-Length", "3")
        self.end_headers()
        self.wfile.write(b"ok\n")

    def log_message(self, *_):
        pass


def service(name, port, namespace="shop"):
    return f"""---
apiVersion: v1
kind: Service
metadata: {{name: {name}, namespace: {namespace}}}
spec: {{ports: [{{name: http, port: 80}}]}}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {{name: {name}-1, namespace: {namespace}, labels: {{kubernetes.io/service-name: {name}}}}}
addressType: IPv4
ports: [{{name: http, port: {port}}}]
endpoints: [{{addresses: [127.0.0.1]}}]
"""


def ingress(name, host, paths, namespace="shop", more=""):
    rules = "".join(f"      - {{path: {path}, pathType: Prefix, backend: {{service: {{name: {to}, port: {{number: 80}}}}}}}}\n"
                    for path, to in paths)
    return f"""---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {{name: {name}, namespace: {namespace}}}
spec:
{more}  rules:
  - host: {host}
    http:
      paths:
{rules}"""


class Weir:
    """Use as a context. manifests: text, with BACKEND for the port of the backend."""

    def __init__(self, manifests, *flags):
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Backend)
        self.backend = self.server.server_address[1]
        self.folder = tempfile.mkdtemp(prefix="weir-running-")
        self.manifests = os.path.join(self.folder, "manifests")
        os.mkdir(self.manifests)
        self.write("all.yaml", manifests.replace("BACKEND", str(self.backend)))
        self.http = free_ports(5)
        self.https, self.admin, self.dashboard = self.http + 1, self.http + 2, self.http + 4
        self.flags = flags

    def write(self, name, text):
        with open(os.path.join(self.manifests, name), "w", encoding="utf-8") as file:
            file.write(text)

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.log = open(os.path.join(self.folder, "log"), "w", encoding="utf-8")
        command = [WEIRCTL, "up", "-f", self.manifests, "--http-port", str(self.http), "--https-port", str(self.https),
                   "--admin-port", str(self.admin), "--dashboard-port", str(self.dashboard), "--workers", "1", "--bind-address", "127.0.0.1", "--access-log-path", "off",
                   "--run-folder", os.path.join(self.folder, "run"), *self.flags]
        self.process = subprocess.Popen(command, stdout=self.log, stderr=self.log)
        self.wait(lambda: self.ask("/readyz", port=self.admin) == 200)
        return self

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(60)
        self.log.close()
        self.server.shutdown()
        self.server.server_close()
        shutil.rmtree(self.folder)

    def wait(self, test, patience=60):
        end = time.monotonic() + patience
        while not test():
            if time.monotonic() > end or self.process.poll() is not None:
                with open(self.log.name, encoding="utf-8") as file:
                    raise AssertionError("not so in time:\n" + file.read()[-3000:])
            time.sleep(0.02)

    def fetch(self, path, host="localhost", port=None, headers=None):
        """(status, headers, body), or None when nobody answers."""
        connection = http.client.HTTPConnection("127.0.0.1", port or self.http, timeout=30)
        try:
            connection.request("GET", path, headers={"Host": host, **(headers or {})})
            answer = connection.getresponse()
            return answer.status, dict(answer.getheaders()), answer.read()
        except OSError:
            return None
        finally:
            connection.close()

    def ask(self, path, host="localhost", port=None):
        got = self.fetch(path, host, port)
        return got and got[0]
