#!/usr/bin/env python3
"""api_proxy.py DIR PORT: between a controller and the API server of the cluster in DIR, on the same address; it makes the server sick.

What it does wrong stands in DIR/row/sick, JSON, read anew for each request and event:
  {"delay": S}           every answer comes S seconds late
  {"status": N, "retry_after": S}   every request is answered so, without asking the server
  {"events": "lose" | "double" | "swap"}   of a watch: every third is dropped, each comes twice, two neighbours change places
  {"empty": ["ingresses"]}   lists of these kinds have no items
  {"relist": N}          a watch that was opened under another N is ended with 410, so that the kind is listed anew
Each request is a line in DIR/row/requests: seconds, method, path. HTTP/1.1 over TLS with the server's own certificate; towards the server
it is the administrator.
"""
import http.client
import http.server
import json
import os
import socketserver
import ssl
import sys
import threading
import time
from urllib.parse import parse_qs, urlsplit

folder, port = sys.argv[1], int(sys.argv[2])
address = open(f"{folder}/ip").read().strip()
server_port = int(open(f"{folder}/port").read())
sick_file = f"{folder}/row/sick"
log = open(f"{folder}/row/requests", "a", buffering=1)
HOP = {"connection", "transfer-encoding", "content-length", "host", "authorization", "keep-alive", "accept-encoding"}


def sick():
    try:
        return json.load(open(sick_file))
    except (OSError, ValueError):
        return {}


def upstream_tls():
    context = ssl.create_default_context(cafile=f"{folder}/ca.crt")
    context.load_cert_chain(f"{folder}/pki/admin.crt", f"{folder}/pki/admin.key")
    return context


def plural(path):
    parts = urlsplit(path).path.strip("/").split("/")
    rest = parts[2:] if parts[0] == "api" else parts[3:]
    return (rest[2:] if rest[:1] == ["namespaces"] and len(rest) > 2 else rest)[:1]


class Events:
    """One watch on its way to the controller."""

    def __init__(self, write):
        self.write, self.count, self.kept, self.relist = write, 0, None, sick().get("relist")

    def take(self, line):
        now = sick()
        if now.get("relist") != self.relist:
            gone = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": "Expired", "code": 410, "message": "too old"}
            self.write(json.dumps({"type": "ERROR", "object": gone}).encode() + b"\n")
            return False
        how = now.get("events")
        if how is None or b'"type":"BOOKMARK"' in line[:40]:
            self.flush()
            self.write(line)
            return True
        self.count += 1
        if how == "double":
            self.write(line + line)
        elif how == "lose" and self.count % 3 != 0:
            self.write(line)
        elif how == "swap" and self.kept is None:
            self.kept = line
        elif how == "swap":
            self.write(line + self.kept)
            self.kept = None
        return True

    def flush(self):
        if self.kept is not None:
            self.write(self.kept)
        self.kept = None


class Proxy(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 900

    def log_message(self, *_):
        pass

    def handle_all(self):
        log.write(f"{time.time():.3f} {self.command} {self.path}\n")
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        now = sick()
        time.sleep(now.get("delay", 0))
        if "status" in now:
            return self.refuse(now)
        query = parse_qs(urlsplit(self.path).query)
        headers = {name: value for name, value in self.headers.items() if name.lower() not in HOP}
        link = http.client.HTTPSConnection(address, server_port, timeout=900, context=upstream_tls())
        try:
            link.request(self.command, self.path, body, headers)
            answer = link.getresponse()
            if "watch" in query and answer.status == 200:
                return self.pass_watch(answer, link)
            return self.pass_whole(answer, now)
        finally:
            link.close()

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = handle_all

    def refuse(self, now):
        text = json.dumps({"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": now["status"], "message": "sick"}).encode()
        self.send_response(now["status"])
        if "retry_after" in now:
            self.send_header("Retry-After", str(now["retry_after"]))
        self.answer(text)

    def answer(self, text):
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def pass_whole(self, answer, now):
        text = answer.read()
        if self.command == "GET" and plural(self.path) and plural(self.path)[0] in now.get("empty", []):
            content = json.loads(text)
            if "items" in content:
                content["items"] = []
                content["metadata"].pop("continue", None)
                text = json.dumps(content).encode()
        self.send_response(answer.status)
        if answer.getheader("Retry-After"):
            self.send_header("Retry-After", answer.getheader("Retry-After"))
        self.answer(text)

    def pass_watch(self, answer, link):
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        lock = threading.Lock()

        def write(data):
            with lock:
                self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))
                self.wfile.flush()

        events = Events(write)
        over = threading.Event()
        # A watch that is quiet is to end, too, when a relist is asked for.
        looker = threading.Thread(target=self.look, args=(events, over, link), daemon=True)
        looker.start()
        try:
            for line in iter(answer.readline, b""):
                if not events.take(line):
                    break
            events.flush()
            write_end = not over.is_set()
            over.set()
            if write_end:
                self.wfile.write(b"0\r\n\r\n")
        except (OSError, ValueError, http.client.HTTPException):
            pass
        over.set()
        self.close_connection = True

    @staticmethod
    def look(events, over, link):
        while not over.wait(0.05):
            if sick().get("relist") == events.relist:
                continue
            over.set()
            try:
                events.take(b"")
                events.write(b"")  # the last chunk
                link.sock.shutdown(2)
            except OSError:
                pass


class Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def finish_request(self, request, client_address):
        # The handshake in the connection's own thread: one that stays silent stops nobody.
        try:
            wrapped = tls.wrap_socket(request, server_side=True)
        except OSError:
            return
        self.RequestHandlerClass(wrapped, client_address, self)

    def handle_error(self, request, client_address):
        pass


tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
tls.load_cert_chain(f"{folder}/pki/apiserver.crt", f"{folder}/pki/apiserver.key")
tls.set_alpn_protocols(["http/1.1"])
os.makedirs(f"{folder}/row", exist_ok=True)
Server((address, port), Proxy).serve_forever()
