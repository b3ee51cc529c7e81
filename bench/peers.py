"""The proxies that are compared: how each is configured and started, with one worker on the proxy's CPU.

Every peer serves plain HTTP on one port and TLS on another, and forwards to the origin with keep-alive. All run at the same time: an idle
proxy costs nothing, and rounds can be interleaved.
"""

import os
import shutil
import signal
import socket
import subprocess
import time

PROXY_CPU = "0"
LOAD_CPU = "1"
HOSTS = 5000


def find_program(peers_folder, name):
    """The program from the unpacked Debian packages, else from the system; None when it is nowhere."""
    for folder in ("usr/sbin", "usr/bin"):
        path = os.path.join(peers_folder, folder, name)
        if os.path.exists(path):
            return path
    return shutil.which(name)


def environment(peers_folder):
    """Unpacked packages bring libraries of their own."""
    env = dict(os.environ)
    folders = [os.path.join(peers_folder, "usr/lib/x86_64-linux-gnu"), os.path.join(peers_folder, "usr/lib")]
    env["LD_LIBRARY_PATH"] = ":".join(folders + [env.get("LD_LIBRARY_PATH", "")])
    return env


class NotInstalled(Exception):
    """This system has no such proxy (Debian 13 has no h2o)."""


class Peer:
    """One running proxy. pids(): every process whose CPU counts."""

    name = "?"

    def __init__(self, folder, http_port, https_port):
        self.folder = os.path.join(folder, self.name)
        os.makedirs(self.folder, exist_ok=True)
        self.http_port = http_port
        self.https_port = https_port
        self.h2_port = https_port
        self.process = None

    def spawn(self, command, env=None):
        if command[0] is None:
            raise NotInstalled(self.name)
        log = open(os.path.join(self.folder, "out.log"), "wb")
        self.process = subprocess.Popen(["taskset", "-c", PROXY_CPU] + command, stdout=log, stderr=log, env=env, cwd=self.folder)

    def pids(self):
        return [self.process.pid] + descendants(self.process.pid)

    def stop(self):
        if self.process is None or self.process.poll() is not None:
            return
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            for pid in self.pids():
                os.kill(pid, signal.SIGKILL)
            self.process.wait()

    def version(self):
        return ""


class NullProxy(Peer):
    """The floors: a relay without HTTP, one that ends TLS (one ticket, AES-128, X25519), and nghttp2 over TLS before HTTP/1 connections."""

    name = "null"

    def start(self, bench):
        self.h2_port = self.https_port + 1
        self.others = []
        tls = [str(bench.origin_port), bench.cert, bench.key]
        for program, port, rest in (("null-tls", self.https_port, tls), ("null-h2", self.h2_port, tls), ("null", self.http_port, tls[:1])):
            self.spawn([os.path.join(bench.bin, "weir-bench-" + program), str(port)] + rest)
            self.others.append(self.process)

    def pids(self):
        return [process.pid for process in self.others]

    def stop(self):
        for process in self.others:
            process.kill()
            process.wait()

    def version(self):
        return "relay without HTTP; OpenSSL and nghttp2 alone for TLS and HTTP/2"


class Nginx(Peer):
    name = "nginx"
    buffers = ""

    def start(self, bench):
        program = find_program(bench.peers, "nginx")
        conf = os.path.join(self.folder, "nginx.conf")
        with open(conf, "w", encoding="utf-8") as out:
            out.write(self.config(bench))
        self.spawn([program, "-p", self.folder, "-c", conf, "-e", os.path.join(self.folder, "error.log")], environment(bench.peers))
        self.program = program
        self.env = environment(bench.peers)

    def version(self):
        text = subprocess.run([self.program, "-v"], env=self.env, capture_output=True, text=True, check=False)
        return (text.stderr or text.stdout).strip().replace("nginx version: ", "")

    def config(self, bench):
        log = "access_log off;"
        limit = ""
        if bench.loaded:
            facts = ["remote_addr", "remote_user", "time_iso8601", "request_method", "host", "request_uri", "server_protocol", "status",
                     "body_bytes_sent", "request_length", "request_time", "http_referer", "http_user_agent", "request_id",
                     "upstream_addr", "upstream_status", "upstream_response_time"]
            body = ",".join('"%s":"$%s"' % (fact, fact) for fact in facts)
            log = "log_format j escape=json '{%s}'; access_log %s/access.log j buffer=64k flush=1s;" % (body, self.folder)
            limit = "limit_conn_zone $binary_remote_addr zone=c:1m; limit_conn c 10000;"
        hosts = ["_"] if not bench.loaded else ["_"] + ["h%d.bench.test" % i for i in range(HOSTS)]
        listen = "listen 127.0.0.1:%d; listen 127.0.0.1:%d ssl http2;" % (self.http_port, self.https_port)
        servers = []
        for index, host in enumerate(hosts):
            here = listen if index else listen.replace(";", " default_server backlog=4096;", 1).replace(" ssl http2;", " ssl http2 default_server;")
            servers.append("server { %s server_name %s; location / { proxy_pass http://origin; proxy_http_version 1.1; "
                           "proxy_set_header Connection \"\"; proxy_set_header Host $host; proxy_set_header X-Real-IP $remote_addr; "
                           "proxy_set_header X-Forwarded-For $remote_addr; } }" % (here, host))
        return """worker_processes 1; daemon off; pid %(folder)s/pid; worker_rlimit_nofile 20000;
events { worker_connections 16000; }
http { %(log)s %(limit)s keepalive_requests 1000000000; keepalive_timeout 300s; http2_max_concurrent_streams 256; server_names_hash_max_size 65536; server_names_hash_bucket_size 128;
  client_body_temp_path %(folder)s/b; proxy_temp_path %(folder)s/p; fastcgi_temp_path %(folder)s/f; uwsgi_temp_path %(folder)s/u; scgi_temp_path %(folder)s/s;
  ssl_certificate %(cert)s; ssl_certificate_key %(key)s; ssl_protocols TLSv1.2 TLSv1.3; %(buffers)s
  upstream origin { server 127.0.0.1:%(origin)d; keepalive 256; keepalive_requests 1000000000; }
  %(servers)s }
""" % {"folder": self.folder, "log": log, "limit": limit, "cert": bench.cert, "key": bench.key, "buffers": self.buffers,
            "origin": bench.origin_port, "servers": "\n".join(servers)}


class NginxTuned(Nginx):
    name = "nginx-64k"
    buffers = "proxy_buffers 8 64k; proxy_buffer_size 64k; proxy_busy_buffers_size 128k;"


class HAProxy(Peer):
    name = "haproxy"

    def start(self, bench):
        self.program = find_program(bench.peers, "haproxy")
        self.env = environment(bench.peers)
        pem = os.path.join(self.folder, "both.pem")
        with open(pem, "w", encoding="utf-8") as out:
            for part in (bench.cert, bench.key):
                with open(part, encoding="utf-8") as source:
                    out.write(source.read())
        conf = os.path.join(self.folder, "haproxy.cfg")
        with open(conf, "w", encoding="utf-8") as out:
            out.write(self.config(bench, pem))
        self.spawn([self.program, "-f", conf, "-db"], self.env)

    def version(self):
        text = subprocess.run([self.program, "-v"], env=self.env, capture_output=True, text=True, check=False).stdout
        return text.split(" - ")[0].replace("HAProxy version ", "haproxy ").strip()

    def config(self, bench, pem):
        log, rules, backend = "no log", "", "default_backend origin"
        if bench.loaded:
            facts = "%ci %cp %tr %HM %HU %HV %ST %B %U %TR %Tc %Tr %Ta %b %s %ts %{+Q}[capture.req.hdr(0)]".split()
            log = "log stdout format raw local0\n  option httplog\n  log-format '{%s}'" % ",".join(
                '"f%d":"%s"' % (i, fact.replace("{+Q}", "")) for i, fact in enumerate(facts))
            table = os.path.join(self.folder, "hosts.map")
            with open(table, "w", encoding="utf-8") as out:
                out.writelines("h%d.bench.test origin\n" % i for i in range(HOSTS))
            rules = ("declare capture request len 64\n  http-request capture req.hdr(Host) id 0\n  stick-table type ip size 100k expire 30s store conn_cur\n"
                     "  http-request track-sc0 src\n  http-request deny if { sc_conn_cur(0) gt 10000 }")
            backend = "use_backend %%[req.hdr(host),lower,map(%s,origin)]\n  default_backend origin" % table
        return """global
  nbthread 1
  maxconn 9000
defaults
  mode http
  timeout connect 5s
  timeout client 300s
  timeout server 300s
  option http-keep-alive
frontend f
  bind 127.0.0.1:%(http)d backlog 4096
  bind 127.0.0.1:%(https)d ssl crt %(pem)s alpn h2,http/1.1
  %(log)s
  %(rules)s
  option forwardfor
  %(backend)s
backend origin
  http-reuse always
  server o 127.0.0.1:%(origin)d
""" % {"http": self.http_port, "https": self.https_port, "pem": pem, "log": log, "rules": rules, "backend": backend,
            "origin": bench.origin_port}


class Weir(Peer):
    name = "weir"

    def start(self, bench):
        manifests = os.path.join(self.folder, "manifests")
        shutil.rmtree(manifests, ignore_errors=True)
        os.makedirs(manifests)
        write_manifests(manifests, bench)
        self.log_path = os.path.join(self.folder, "access.log") if bench.loaded else "off"
        limits = []
        if bench.loaded:
            for argument in ("--max-connections=16000", "--connections-per-address=10000"):
                limits += ["--controller-arg", argument]
        self.spawn([os.path.join(bench.bin, "weirctl"), "up", "-f", manifests, "--http-port", str(self.http_port), "--https-port",
                    str(self.https_port), "--admin-port", str(self.http_port + 50), "--workers", "1", "--default-ssl-certificate",
                    "default/bench", "--access-log-path", self.log_path] + limits)
        self.bin = bench.bin

    def pids(self):
        """The dataplane's processes: they carry the traffic (the controller is measured by the change benchmark)."""
        return [pid for pid in super().pids() if program_name(pid) == "weir-dataplane"]

    def version(self):
        return "this tree"


def write_manifests(folder, bench):
    """One Service on the origin and an Ingress: for every host, or for 5,000 hosts when loaded."""
    import base64
    with open(bench.cert, "rb") as cert, open(bench.key, "rb") as key:
        secret = {"c": base64.b64encode(cert.read()).decode(), "k": base64.b64encode(key.read()).decode()}
    with open(os.path.join(folder, "base.yaml"), "w", encoding="utf-8") as out:
        out.write("""apiVersion: v1
kind: Secret
metadata: {name: bench, namespace: default}
type: kubernetes.io/tls
data: {tls.crt: %(c)s, tls.key: %(k)s}
---
apiVersion: v1
kind: Service
metadata: {name: origin, namespace: default}
spec: {ports: [{name: http, port: 80}]}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: origin-1, namespace: default, labels: {kubernetes.io/service-name: origin}}
addressType: IPv4
ports: [{name: http, port: %(port)d}]
endpoints: [{addresses: ["127.0.0.1"]}]
""" % dict(secret, port=bench.origin_port))
    rule = "{%shttp: {paths: [{path: /, pathType: Prefix, backend: {service: {name: origin, port: {number: 80}}}}]}}"
    names = [""] + (["h%d.bench.test" % i for i in range(HOSTS)] if bench.loaded else [])
    for index, host in enumerate(names):
        with open(os.path.join(folder, "ingress-%d.yaml" % index), "w", encoding="utf-8") as out:
            out.write("apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: {name: bench-%d, namespace: default}\nspec: {ingressClassName: weir, "
                      "rules: [%s]}\n" % (index, rule % ("host: %s, " % host if host else "")))


def descendants(pid):
    """Every child process, however deep."""
    out = []
    try:
        for task in os.listdir("/proc/%d/task" % pid):
            with open("/proc/%d/task/%s/children" % (pid, task), encoding="ascii") as children:
                for child in children.read().split():
                    out.append(int(child))
                    out.extend(descendants(int(child)))
    except OSError:
        pass
    return out


def program_name(pid):
    """The file's name: a process's own name follows how it was called."""
    try:
        return os.path.basename(os.readlink("/proc/%d/exe" % pid))
    except OSError:
        return ""


def is_taken(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def wait_for(port, seconds):
    """Waits until the port answers an HTTP request with 200."""
    import http.client
    end = time.time() + seconds
    while time.time() < end:
        try:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
            connection.request("GET", "/128")
            if connection.getresponse().status == 200:
                return True
        except OSError:
            pass
        except http.client.HTTPException:
            pass
        time.sleep(0.1)
    return False
