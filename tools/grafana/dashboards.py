#!/usr/bin/env python3
"""dashboards.py: makes the Grafana dashboards from the tables below; with --check says whether they differ.

They go to helm/weir/files/grafana (the chart makes a ConfigMap of them) and to deploy/grafana (to import by hand). The queries
expect what the chart's ServiceMonitor and PodMonitor give: the target's labels `namespace` and `pod`, and `exported_namespace` for the
namespace of an Ingress. tests/prometheus runs each of them against a real Prometheus.
"""

import argparse
import json
import os
import sys

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
FOLDERS = ("deploy/grafana", "helm/weir/files/grafana")
NGINX = "nginx_ingress_controller_"
WIDTH = 24  # of Grafana's grid

# Labels of a route's series, and of what a pod says of itself.
ROUTE = 'namespace=~"$namespace",exported_namespace=~"$exported_namespace",ingress=~"$ingress"'
POD = 'namespace=~"$namespace",pod=~"$pod"'
OWNER = "exported_namespace, ingress"


def requests(more=""):
    return f"sum by ({OWNER}) (rate({NGINX}requests{{{ROUTE}{more}}}[$__rate_interval]))"


def share(more):
    # A route without such an answer has no series of it, and must show as 0.
    part = f"sum by ({OWNER}) (rate({NGINX}requests{{{ROUTE}{more}}}[$__rate_interval]))"
    return f"({part} or 0 * {requests()}) / {requests()}"


def quantile(part, metric):
    rates = f"sum by (le) (rate({NGINX}{metric}_bucket{{{ROUTE}}}[$__rate_interval]))"
    return f"histogram_quantile({part}, {rates})"


def mean(metric, by=OWNER):
    total, count = (f"sum by ({by}) (rate({NGINX}{metric}_{end}{{{ROUTE}}}[$__rate_interval]))" for end in ("sum", "count"))
    return f"{total} / {count}"


def pod_rate(metric, by="pod", more=""):
    return f"sum by ({by}) (rate({metric}{{{POD}{more}}}[$__rate_interval]))"


def pod_now(metric, by="pod", how="sum", more=""):
    return f"{how} by ({by}) ({metric}{{{POD}{more}}})"


NAME = "{{exported_namespace}}/{{ingress}}"
EXPIRY = f"min by (host, exported_namespace, secret_name) ({NGINX}ssl_expire_time_seconds{{namespace=~\"$namespace\"}}) - time()"
# A panel: title, kind, unit, width, height, [(legend, query)], what to know about it.
TRAFFIC = [
    ("Requests a second", "stat", "reqps", 4, 4, [("", f"sum(rate({NGINX}requests{{{ROUTE}}}[$__rate_interval]))")], ""),
    ("Answered 5xx", "stat", "percentunit", 4, 4,
     [("", f"(sum(rate({NGINX}requests{{{ROUTE},status=~\"5..\"}}[$__rate_interval])) or vector(0))"
           f" / sum(rate({NGINX}requests{{{ROUTE}}}[$__rate_interval]))")], ""),
    ("99 % are faster than", "stat", "s", 4, 4, [("", quantile(0.99, "request_duration_seconds"))], ""),
    ("Without a route", "stat", "reqps", 4, 4, [("", f"sum(rate(weir_unrouted_requests_total{{namespace=~\"$namespace\"}}[$__rate_interval]))")],
     "Requests for hosts and paths that no Ingress claims. `weirctl explain` says why."),
    ("First certificate expires in", "stat", "s", 4, 4, [("", f"min({EXPIRY})")], ""),
    ("Endpoints without requests", "stat", "short", 4, 4, [("", f"sum(weir_upstream_endpoints_out{{namespace=~\"$namespace\"}}) or vector(0)")],
     "Health checks or failing requests took them out."),
    ("Requests by Ingress", "timeseries", "reqps", 12, 8, [(NAME, requests())], ""),
    ("Requests by status", "timeseries", "reqps", 12, 8,
     [("{{status}}", f"sum by (status) (rate({NGINX}requests{{{ROUTE}}}[$__rate_interval]))")], "499: the client left before the answer."),
    ("5xx by Ingress", "timeseries", "percentunit", 12, 8, [(NAME, share(",status=~\"5..\""))], ""),
    ("4xx by Ingress", "timeseries", "percentunit", 12, 8, [(NAME, share(",status=~\"4..\""))], ""),
    ("How long requests take", "timeseries", "s", 12, 8,
     [(f"{100 * part:g} %", quantile(part, "request_duration_seconds")) for part in (0.5, 0.9, 0.99)],
     "First byte of the request to the last byte of the answer: a slow client counts."),
    ("How long backends take to answer", "timeseries", "s", 12, 8,
     [(f"{100 * part:g} %", quantile(part, "header_duration_seconds")) for part in (0.5, 0.9, 0.99)],
     "From the attempt to the backend's response head. What the panel on the left has beyond this is bodies, clients and Weir."),
    ("Spread of durations", "heatmap", "s", 12, 8,
     [("{{le}}", f"sum by (le) (increase({NGINX}request_duration_seconds_bucket{{{ROUTE}}}[$__rate_interval]))")], ""),
    ("Connecting to backends", "timeseries", "s", 12, 8, [("99 %", quantile(0.99, "connect_duration_seconds")),
                                                          ("mean", mean("connect_duration_seconds", "namespace"))],
     "Only requests that needed a new connection."),
    ("Slowest paths", "table", "s", 12, 8,
     [("", f"topk(20, {mean('request_duration_seconds', OWNER + ', host, path')})")], "Mean over the interval."),
    ("Certificates", "table", "s", 12, 8, [("", f"sort({EXPIRY})")], "Time to expiry, soonest first."),
    ("Received from clients", "timeseries", "Bps", 12, 8,
     [(NAME, f"sum by ({OWNER}) (rate({NGINX}request_size_sum{{{ROUTE}}}[$__rate_interval]))")], ""),
    ("Sent to clients", "timeseries", "Bps", 12, 8,
     [(NAME, f"sum by ({OWNER}) (rate({NGINX}bytes_sent_sum{{{ROUTE}}}[$__rate_interval]))")], ""),
    ("Tried again", "timeseries", "reqps", 8, 8, [("{{cluster}}", pod_rate("weir_upstream_retries_total", "cluster"))], ""),
    ("Endpoints taken out", "timeseries", "short", 8, 8,
     [("{{cluster}} {{why}}", pod_now("weir_upstream_endpoints_out", "cluster, why", "max"))], ""),
    ("Over a circuit limit", "timeseries", "reqps", 8, 8,
     [("{{cluster}} {{limit}}", pod_rate("weir_upstream_overflow_total", "cluster, limit"))], "Answered 503."),
]
PODS = [
    ("In step with the controller", "stat", "bool", 4, 4, [("{{pod}}", pod_now("weir_controller_dataplane_connected", how="min"))], ""),
    ("Every kind listed", "stat", "bool", 4, 4, [("{{pod}}", pod_now("weir_controller_synced", how="min"))], ""),
    ("Last change was taken", "stat", "bool", 4, 4, [("{{pod}}", pod_now(f"{NGINX}config_last_reload_successful", how="min"))], ""),
    ("API server heard before", "stat", "s", 4, 4, [("{{pod}}", pod_now("weir_controller_source_age_seconds", how="max"))], ""),
    ("Objects that are wrong", "stat", "short", 4, 4, [("", f"sum(max by (reason) (weir_controller_reports{{{POD}}})) or vector(0)")], ""),
    ("Addresses not bound", "stat", "short", 4, 4, [("{{pod}}", pod_now("weir_failing_binds", how="max"))], ""),
    ("Workers at work", "timeseries", "percentunit", 12, 8,
     [("{{pod}} {{worker}}", f"rate(weir_loop_busy_seconds_total{{{POD}}}[$__rate_interval])")], "Near 1: this worker has no CPU left."),
    ("CPU of the dataplane", "timeseries", "short", 12, 8, [("{{pod}}", pod_rate(f"{NGINX}nginx_process_cpu_seconds_total"))], "CPU seconds a second."),
    ("Memory", "timeseries", "bytes", 12, 8,
     [("{{pod}} resident", pod_now(f"{NGINX}nginx_process_resident_memory_bytes")),
      ("{{pod}} buffers", pod_now("weir_budget_bytes")), ("{{pod}} limit of buffers", pod_now("weir_budget_limit_bytes"))], ""),
    ("Memory pressure", "timeseries", "short", 12, 8,
     [("{{pod}} level", pod_now("weir_memory_pressure", how="max")),
      ("{{pod}} {{action}}", pod_rate("weir_memory_pressure_actions_total", "pod, action"))], "docs/defence.md says what is done at each level."),
    ("Connections", "timeseries", "short", 12, 8,
     [("{{pod}} {{state}}", pod_now(f"{NGINX}nginx_process_connections", "pod, state"))], ""),
    ("New connections", "timeseries", "cps", 12, 8,
     [("{{pod}}", pod_rate(f"{NGINX}nginx_process_connections_total", more=",state=\"accepted\"")),
      ("{{pod}} TLS", pod_rate("weir_tls_connections_total")), ("{{pod}} refused", pod_rate("weir_refused_connections_total"))], ""),
    ("Requests by pod", "timeseries", "reqps", 12, 8, [("{{pod}}", pod_rate(f"{NGINX}nginx_process_requests_total"))], ""),
    ("Bytes read and written", "timeseries", "Bps", 12, 8,
     [("{{pod}} read", pod_rate(f"{NGINX}nginx_process_read_bytes_total")),
      ("{{pod}} written", pod_rate(f"{NGINX}nginx_process_write_bytes_total"))], ""),
    ("Changes", "timeseries", "short", 12, 8,
     [("{{pod}} events", pod_rate("weir_controller_events_total")), ("{{pod}} applied", pod_rate(f"{NGINX}success")),
      ("{{pod}} refused", pod_rate(f"{NGINX}errors")), ("{{pod}} waiting", pod_now("weir_controller_dataplane_waiting_keys"))], ""),
    ("How far the dataplane is behind", "timeseries", "short", 12, 8,
     [("{{pod}} applied", pod_now("weir_controller_applied_version")), ("{{pod}} served", pod_now("weir_config_applied_version")),
      ("{{pod}} generations in memory", pod_now("weir_live_snapshots"))], "Versions of the configuration."),
    ("From an event to its changes", "timeseries", "s", 12, 8, [("{{pod}}", pod_now("weir_controller_last_translation_seconds", how="max"))], ""),
    ("What is wrong", "timeseries", "short", 12, 8,
     [("{{reason}}", f"max by (reason) (weir_controller_reports{{{POD}}})")], "`/reports` of the controller's port has the texts."),
    ("Claims that an older Ingress won", "timeseries", "short", 12, 8,
     [("{{what}}", f"max by (what) (weir_controller_conflicts{{{POD}}})")], "Both Ingresses have an Event that names the other."),
    ("Objects", "timeseries", "short", 12, 8, [("{{kind}}", pod_now("weir_controller_objects", "kind", "max"))], ""),
    ("Spans to the collector", "timeseries", "short", 12, 8,
     [("{{pod}} made", pod_rate("weir_trace_spans_total")), ("{{pod}} dropped: {{why}}", pod_rate("weir_trace_spans_dropped_total", "pod, why"))],
     "Spans a second; docs/tracing.md."),
    ("Access log", "timeseries", "short", 12, 8,
     [("{{pod}} written", pod_rate("weir_access_log_lines_total")), ("{{pod}} dropped", pod_rate("weir_access_log_dropped_total"))], "Lines a second."),
]


def variable(name, label, query):
    return {"name": name, "label": label, "type": "query", "datasource": {"type": "prometheus", "uid": "${datasource}"},
            "query": {"query": query, "refId": name}, "definition": query, "refresh": 2, "sort": 1, "multi": True,
            "includeAll": True, "allValue": ".*", "current": {"text": "All", "value": "$__all"}}


DATASOURCE = {"name": "datasource", "label": "Prometheus", "type": "datasource", "query": "prometheus", "refresh": 1}
NAMESPACES = variable("namespace", "Weir's namespace", f"label_values({NGINX}config_hash, namespace)")
VARIABLES = {
    "traffic": [DATASOURCE, NAMESPACES,
                variable("exported_namespace", "Namespace", f"label_values({NGINX}requests{{namespace=~\"$namespace\"}}, exported_namespace)"),
                variable("ingress", "Ingress", f"label_values({NGINX}requests{{namespace=~\"$namespace\","
                                               "exported_namespace=~\"$exported_namespace\"}, ingress)"),
                variable("pod", "Pod", f"label_values({NGINX}config_hash{{namespace=~\"$namespace\"}}, pod)")],
    "pods": [DATASOURCE, NAMESPACES, variable("pod", "Pod", f"label_values({NGINX}config_hash{{namespace=~\"$namespace\"}}, pod)")],
}
BOARDS = {"traffic": ("Weir: traffic", TRAFFIC), "pods": ("Weir: pods", PODS)}


def look_of(kind, unit):
    """Options of a panel beside its queries."""
    if unit == "bool":
        words = {"0": {"text": "no", "color": "red"}, "1": {"text": "yes", "color": "green"}}
        defaults = {"mappings": [{"type": "value", "options": words}]}
    else:
        defaults = {"unit": unit, "min": 0} if kind == "timeseries" else {"unit": unit}
    look = {"fieldConfig": {"defaults": defaults, "overrides": []}}
    if kind == "timeseries":
        look["options"] = {"legend": {"displayMode": "list", "placement": "bottom"}, "tooltip": {"mode": "multi", "sort": "desc"}}
    elif kind == "stat":
        look["options"] = {"reduceOptions": {"calcs": ["lastNotNull"]}, "colorMode": "value", "graphMode": "area"}
    elif kind == "heatmap":
        look["options"] = {"calculate": False, "yAxis": {"unit": unit}}
    return look


def panel(number, place, row):
    title, kind, unit, width, height, queries, note = row
    instant = kind == "table"
    targets = [{"refId": chr(ord("A") + i), "expr": query, "legendFormat": legend or "__auto", "instant": instant, "range": not instant,
                "format": {"table": "table", "heatmap": "heatmap"}.get(kind, "time_series")} for i, (legend, query) in enumerate(queries)]
    return {"id": number, "title": title, "description": note, "type": kind, "targets": targets,
            "datasource": {"type": "prometheus", "uid": "${datasource}"},
            "gridPos": {"x": place[0], "y": place[1], "w": width, "h": height}, **look_of(kind, unit)}


def dashboard(stem):
    title, rows = BOARDS[stem]
    panels, x, y = [], 0, 0
    for number, row in enumerate(rows, 1):
        panels.append(panel(number, (x, y), row))
        x += row[3]
        if x >= WIDTH:
            x, y = 0, y + row[4]
    return {"uid": f"weir-{stem}", "title": title, "tags": ["weir", "ingress"], "schemaVersion": 39, "version": 1, "editable": True,
            "refresh": "30s", "time": {"from": "now-1h", "to": "now"}, "templating": {"list": VARIABLES[stem]}, "panels": panels}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="write nothing; status 1 when a file differs")
    check = parser.parse_args().check
    for stem in BOARDS:
        text = json.dumps(dashboard(stem), indent=1) + "\n"
        for folder in FOLDERS:
            path = os.path.join(TOP, folder, f"weir-{stem}.json")
            if not check:
                os.makedirs(os.path.dirname(path), exist_ok=True)
                with open(path, "w", encoding="utf-8") as file:
                    file.write(text)
            elif not os.path.exists(path) or open(path, encoding="utf-8").read() != text:
                sys.exit(f"{path} is not what tools/grafana/dashboards.py makes: run it")


main()
