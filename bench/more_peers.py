"""Envoy, h2o, nghttpx and Caddy, each configured as its documentation advises for speed: one worker, kept upstream connections, no access log
(a JSON one in the loaded profile, where the proxy can), HTTP/2 on its TLS port."""

import glob
import json
import os
import subprocess

from peers import HOSTS, Peer, environment, find_program


def hosts_of(bench):
    return ["h%d.bench.test" % i for i in range(HOSTS)] if bench.loaded else []


class Envoy(Peer):
    name = "envoy"

    def start(self, bench):
        found = glob.glob(os.path.join(bench.peers, "envoy/lib/python3*/site-packages/envoy/_bin/envoy"))
        self.program = found[0] if found else find_program(bench.peers, "envoy")
        conf = os.path.join(self.folder, "envoy.json")
        with open(conf, "w", encoding="utf-8") as out:
            json.dump(self.config(bench), out)
        self.spawn([self.program, "-c", conf, "--concurrency", "1", "--disable-hot-restart", "-l", "error"])

    def version(self):
        text = subprocess.run([self.program, "--version"], capture_output=True, text=True, check=False).stdout
        return "envoy " + text.split("version:")[-1].strip().split("/")[1]

    def manager(self, bench, codec):
        facts = {"remote_addr": "%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%", "time": "%START_TIME%", "method": "%REQ(:METHOD)%",
                 "host": "%REQ(:AUTHORITY)%", "uri": "%REQ(:PATH)%", "protocol": "%PROTOCOL%", "status": "%RESPONSE_CODE%",
                 "bytes_sent": "%BYTES_SENT%", "bytes_received": "%BYTES_RECEIVED%", "duration": "%DURATION%", "referer": "%REQ(REFERER)%",
                 "user_agent": "%REQ(USER-AGENT)%", "request_id": "%REQ(X-REQUEST-ID)%", "upstream": "%UPSTREAM_HOST%",
                 "flags": "%RESPONSE_FLAGS%", "upstream_time": "%RESP(X-ENVOY-UPSTREAM-SERVICE-TIME)%", "route": "%ROUTE_NAME%"}
        kind = "type.googleapis.com/envoy.extensions."
        logs = [{"name": "file", "typed_config": {"@type": kind + "access_loggers.file.v3.FileAccessLog", "path": self.folder + "/access.log",
                                                  "log_format": {"json_format": facts}}}]
        hosts = [{"name": host, "domains": [host], "routes": [{"match": {"prefix": "/"}, "route": {"cluster": "origin"}}]} for host in hosts_of(bench)]
        hosts.append({"name": "any", "domains": ["*"], "routes": [{"match": {"prefix": "/"}, "route": {"cluster": "origin"}}]})
        filters = [{"name": "router", "typed_config": {"@type": kind + "filters.http.router.v3.Router", "suppress_envoy_headers": True}}]
        return {"name": "http", "typed_config": {
            "@type": kind + "filters.network.http_connection_manager.v3.HttpConnectionManager", "stat_prefix": "h", "codec_type": codec,
            "generate_request_id": bench.loaded, "use_remote_address": True, "access_log": logs if bench.loaded else [],
            "route_config": {"name": "r", "virtual_hosts": hosts}, "http_filters": filters}}

    def listener(self, bench, name, port, tls):
        chain = {"filters": [self.manager(bench, "AUTO")]}
        if bench.loaded:
            chain["filters"].insert(0, {"name": "limit", "typed_config": {
                "@type": "type.googleapis.com/envoy.extensions.filters.network.connection_limit.v3.ConnectionLimit", "stat_prefix": "l",
                "max_connections": 10000}})
        if tls:
            files = {"certificate_chain": {"filename": bench.cert}, "private_key": {"filename": bench.key}}
            chain["transport_socket"] = {"name": "tls", "typed_config": {
                "@type": "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext",
                "common_tls_context": {"alpn_protocols": ["h2", "http/1.1"], "tls_certificates": [files]}}}
        return {"name": name, "address": address(port), "filter_chains": [chain]}

    def config(self, bench):
        limits = {"thresholds": [{"max_connections": 16000, "max_pending_requests": 16000, "max_requests": 16000}]}
        cluster = {"name": "origin", "type": "STATIC", "circuit_breakers": limits, "load_assignment": {"cluster_name": "origin", "endpoints": [
            {"lb_endpoints": [{"endpoint": {"address": address(bench.origin_port)}}]}]}}
        return {"static_resources": {"clusters": [cluster], "listeners": [
            self.listener(bench, "http", self.http_port, False), self.listener(bench, "https", self.https_port, True)]}}


def address(port):
    return {"socket_address": {"address": "127.0.0.1", "port_value": port}}


class H2o(Peer):
    name = "h2o"

    def start(self, bench):
        self.program = find_program(bench.peers, "h2o")
        self.env = environment(bench.peers)
        path = "paths: {/: {proxy.reverse.url: 'http://127.0.0.1:%d/', proxy.preserve-host: ON}}" % bench.origin_port
        listen = ("listen: {host: 127.0.0.1, port: %d}\nlisten: {host: 127.0.0.1, port: %d, ssl: {certificate-file: %s, key-file: %s, ocsp-update-interval: 0}}\n" %
                  (self.http_port, self.https_port, bench.cert, bench.key))
        log = ""
        if bench.loaded:
            log = "access-log: {path: %s/access.log, escape: json, format: '{%s}'}\n" % (self.folder, ",".join(
                '"f%d":"%s"' % (i, fact) for i, fact in enumerate(("%h %l %u %t %m %V %U %H %s %b %{connect-time}x %{request-total-time}x "
                                                                   "%{Referer}i %{User-agent}i %{connection-id}x %{process-time}x %{response-time}x").split())))
        conf = os.path.join(self.folder, "h2o.conf")
        with open(conf, "w", encoding="utf-8") as out:
            out.write("num-threads: 1\nnum-name-resolution-threads: 1\nmax-connections: 16000\nhttp1-request-timeout: 300\nproxy.timeout.keepalive: 60000\n"
                      "%s%s%shosts:\n  default: {%s}\n" % ("user: root\n" if os.getuid() == 0 else "", log, listen, path))
            out.writelines("  %s: {%s}\n" % (host, path) for host in hosts_of(bench))
        self.spawn([self.program, "-m", "worker", "-c", conf], self.env)

    def version(self):
        text = subprocess.run([self.program, "--version"], env=self.env, capture_output=True, text=True, check=False).stdout
        return text.splitlines()[0].replace("version ", "") if text else "h2o"


class Nghttpx(Peer):
    name = "nghttpx"

    def start(self, bench):
        self.program = find_program(bench.peers, "nghttpx")
        self.env = environment(bench.peers)
        log = ["--accesslog-file=/dev/null"]
        if bench.loaded:
            log = ["--accesslog-file=%s/access.log" % self.folder, "--accesslog-format={\"a\":\"$remote_addr\",\"t\":\"$time_iso8601\","
                   "\"m\":\"$method\",\"h\":\"$http_host\",\"u\":\"$path\",\"p\":\"$protocol_version\",\"s\":\"$status\",\"b\":\"$body_bytes_sent\","
                   "\"r\":\"$http_referer\",\"g\":\"$http_user_agent\",\"d\":\"$request_time\",\"l\":\"$alpn\",\"c\":\"$tls_cipher\","
                   "\"v\":\"$tls_protocol\",\"bh\":\"$backend_host\",\"bp\":\"$backend_port\",\"po\":\"$server_port\"}"]
        conf = os.path.join(self.folder, "nghttpx.conf")
        with open(conf, "w", encoding="utf-8") as out:
            out.write("workers=1\nbackend=127.0.0.1,%d\n" % bench.origin_port)
            out.writelines("backend=127.0.0.1,%d;%s/\n" % (bench.origin_port, host) for host in hosts_of(bench))
        self.spawn([self.program, "--conf=" + conf, "--errorlog-file=" + self.folder + "/error.log", "-f127.0.0.1,%d;no-tls" % self.http_port,
                    "-f127.0.0.1,%d" % self.https_port, "--backend-keep-alive-timeout=60", "--backlog=4096", "--worker-frontend-connections=10000"]
                   + log + [bench.key, bench.cert], self.env)

    def version(self):
        text = subprocess.run([self.program, "--version"], env=self.env, capture_output=True, text=True, check=False).stdout
        return text.strip().replace("nghttpx nghttp2/", "nghttpx ")


class Caddy(Peer):
    name = "caddy"

    def start(self, bench):
        self.program = find_program(bench.peers, "caddy")
        proxy = {"handler": "reverse_proxy", "upstreams": [{"dial": "127.0.0.1:%d" % bench.origin_port}],
                 "transport": {"protocol": "http", "keep_alive": {"max_idle_conns_per_host": 256, "idle_timeout": "300s"}}}
        routes = [{"match": [{"host": [host]}], "handle": [proxy]} for host in hosts_of(bench)] + [{"handle": [proxy]}]
        logs = {"default_logger_name": "access"} if bench.loaded else None

        def server(port, tls):
            out = {"listen": ["127.0.0.1:%d" % port], "routes": routes, "automatic_https": {"disable": True}}
            if tls:
                out["tls_connection_policies"] = [{"default_sni": "bench.test"}]
            if logs:
                out["logs"] = logs
            return out

        sinks = {"default": {"level": "ERROR"}}
        if bench.loaded:
            sinks["access"] = {"include": ["http.log.access"], "encoder": {"format": "json"},
                               "writer": {"output": "file", "filename": self.folder + "/access.log", "roll": False}}
        conf = {"admin": {"disabled": True, "config": {"persist": False}}, "logging": {"logs": sinks}, "apps": {
            "tls": {"certificates": {"load_files": [{"certificate": bench.cert, "key": bench.key}]}},
            "http": {"servers": {"h": server(self.http_port, False), "s": server(self.https_port, True)}}}}
        path = os.path.join(self.folder, "caddy.json")
        with open(path, "w", encoding="utf-8") as out:
            json.dump(conf, out)
        env = dict(os.environ, HOME=self.folder, GOMAXPROCS="1")
        self.spawn([self.program, "run", "--config", path], env)

    def version(self):
        text = subprocess.run([self.program, "version"], capture_output=True, text=True, check=False).stdout
        return "caddy " + (text.split() or [""])[0]
