"""The PromQL that ingress-nginx's two dashboards ask, written from its metrics' names and labels; $… are Grafana's variables.

Panels of one kind ask the same with another quantile or operator; each stands here once. What a variable may be is in VARIABLES: "All"
matches everything, as it does there.
"""

P = "nginx_ingress_controller_"
POD = 'controller_pod=~"$controller",controller_class=~"$controller_class",controller_namespace=~"$namespace"'
ROUTE = POD + ',ingress=~"$ingress",exported_namespace=~"$exported_namespace"'
OK = 'status!~"[4-5].*"'

# Where the choices of a variable come from: (metric with selector, label).
VARIABLES = {
    "namespace": (P + "config_hash", "controller_namespace"),
    "controller_class": (P + 'config_hash{controller_namespace=~"$namespace"}', "controller_class"),
    "controller": (P + 'config_hash{controller_namespace=~"$namespace",controller_class=~"$controller_class"}', "controller_pod"),
    "ingress": (P + f"requests{{{POD}}}", "ingress"),
    "exported_namespace": (P + f"requests{{{POD}}}", "exported_namespace"),
}


def percentile(part, metric, selector, by):
    return f"histogram_quantile({part}, sum by ({by}) (rate({P}{metric}_bucket{{{selector}}}[1m])))"


OVERVIEW = [
    f"round(sum(irate({P}requests{{{ROUTE}}}[2m])), 0.001)",
    f'sum(avg_over_time({P}nginx_process_connections{{{POD},state="active"}}[2m]))',
    f"sum(rate({P}requests{{{ROUTE},{OK}}}[2m])) / sum(rate({P}requests{{{ROUTE}}}[2m]))",
    f"avg(irate({P}success{{{POD}}}[1m])) * 60",
    f"count({P}config_last_reload_successful{{{POD}}} == 0) OR vector(0)",
    f"count({P}config_last_reload_successful{{{POD}}})",
    f"round(sum(irate({P}requests{{{ROUTE}}}[2m])) by (ingress), 0.001)",
    f"sum(rate({P}requests{{{ROUTE},{OK}}}[2m])) by (ingress) / sum(rate({P}requests{{{ROUTE}}}[2m])) by (ingress)",
    f"sum(irate({P}request_size_sum{{{ROUTE}}}[2m])) by (ingress)",
    f"- sum(irate({P}response_size_sum{{{ROUTE}}}[2m]))",
    f"avg({P}nginx_process_resident_memory_bytes{{{POD}}})",
    f"avg(rate({P}nginx_process_cpu_seconds_total{{{POD}}}[2m]))",
    *(f'histogram_quantile({part}, sum(rate({P}request_duration_seconds_bucket{{ingress!="",{ROUTE}}}[2m])) by (le, ingress))'
      for part in ("0.50", "0.90", "0.99")),
    f"sum(irate({P}response_size_sum{{{ROUTE}}}[2m])) by (ingress)",
]
# It does not know which Ingress a certificate is for.
CERTIFICATES = [f"avg({P}ssl_expire_time_seconds{{{POD}}}) by (host) - time()"]

ONE = 'ingress=~"$ingress"'
BY = "method, host, path"
PERFORMANCE = [
    *(percentile(part, metric, ONE, "le") for metric in ("request_duration_seconds", "response_duration_seconds") for part in (0.5, 0.95, 0.99)),
    percentile(0.9, "request_duration_seconds", ONE, f"le, {BY}"),
    percentile(0.5, "response_duration_seconds", ONE, f"le, {BY}"),
    f"sum by ({BY}) (rate({P}request_duration_seconds_count{{{ONE}}}[1m]))",
    f'sum by ({BY}) (rate({P}request_duration_seconds_count{{{ONE},status=~"[4-5].*"}}[1m]))'
    f" / sum by ({BY}) (rate({P}request_duration_seconds_count{{{ONE}}}[1m]))",
    f"sum by ({BY}) (rate({P}response_duration_seconds_sum{{{ONE}}}[1m]))",
    f'sum by ({BY}, status) (rate({P}request_duration_seconds_count{{{ONE},status=~"[4-5].*"}}[1m]))',
    f"sum by ({BY}) (rate({P}response_size_sum{{{ONE}}}[1m])) / sum by ({BY}) (rate({P}response_size_count{{{ONE}}}[1m]))",
    f"sum(rate({P}response_size_bucket{{{ONE}}}[1m])) by (le)",
    f"sum(rate({P}response_duration_seconds_count{{{ONE}}}[1m]))",
]
