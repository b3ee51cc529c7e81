#!/usr/bin/env python3
"""The chart, rendered by helm in every way that it can be. WEIR_HELM_BIN is the folder of `helm` and `strict` (tools/build.sh)."""

import concurrent.futures
import json
import os
import re
import subprocess
import sys
import unittest

import yaml

import chart
import samples

sys.path.insert(0, os.path.join(chart.TOP, "tools", "chart"))
import values as values_tool  # noqa: E402

SKIPPED = 77
WEIR_PROGRAMS = os.environ.get("WEIR_BIN", "")


def read(path):
    with open(os.path.join(chart.TOP, path), encoding="utf-8") as file:
        return file.read()


def render_all(settings):
    """Texts, in order; the same settings are rendered once, and a few at a time."""
    keys = [json.dumps(one, sort_keys=True) for one in settings]
    distinct = sorted(set(keys))
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        texts = dict(zip(distinct, pool.map(lambda key: chart.render_text(json.loads(key)), distinct)))
    return [texts[key] for key in keys]


class Renderings(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.texts = dict(zip(samples.COMBINATIONS, render_all(samples.COMBINATIONS.values())))
        cls.objects = {name: chart.documents(text) for name, text in cls.texts.items()}

    def test_every_combination_holds_together(self):
        for name, objects in self.objects.items():
            with self.subTest(name):
                self.assertEqual(chart.findings(objects), [])

    def test_kubernetes_own_types_take_every_field(self):
        named, errors = chart.strict("\n---\n".join(self.texts.values()))
        self.assertEqual(errors, "")
        kinds = set(re.findall(r'no kind "(\w+)"', named))
        self.assertEqual(kinds, {"ServiceMonitor", "PodMonitor", "PrometheusRule"})

    def test_a_field_that_kubernetes_does_not_have_is_found(self):
        broken = self.texts["defaults"].replace("imagePullPolicy:", "imagePolicy:", 1)
        self.assertIn('unknown field "spec.template.spec', chart.strict(broken)[1])

    def test_clients_ports_are_the_services(self):
        flags = chart.flags(chart.containers(self.objects["defaults"])["controller"])
        self.assertEqual((flags["public-http-port"], flags["public-https-port"]), (["80"], ["443"]))
        self.assertEqual((flags["http-port"], flags["https-port"]), (["8080"], ["8443"]))
        flags = chart.flags(chart.containers(self.objects["daemon set in the nodes' network"])["controller"])
        self.assertEqual((flags["public-http-port"], flags["public-https-port"]), (["8080"], ["8443"]))

    def test_low_ports_need_a_sysctl_and_no_capability(self):
        sysctls = {name: chart.pod_spec(objects)["securityContext"].get("sysctls") for name, objects in self.objects.items()}
        start = "net.ipv4.ip_unprivileged_port_start"
        self.assertEqual(sysctls["privileged ports"], [{"name": start, "value": "80"}])
        self.assertEqual(sysctls["streams"], [{"name": start, "value": "53"}])
        self.assertIsNone(sysctls["defaults"])

    def test_the_classes_of_ingress_nginx_can_be_taken_over(self):
        objects = self.objects["ingress-nginx's place"]
        (one,) = chart.of_kind(objects, "IngressClass")
        self.assertEqual((one["metadata"]["name"], one["spec"]["controller"]), ("nginx", "k8s.io/ingress-nginx"))
        flags = chart.flags(chart.containers(objects)["controller"])
        self.assertEqual((flags["controller-class"], flags["ingress-class"]), (["k8s.io/ingress-nginx"], ["nginx"]))
        self.assertEqual(chart.workload(objects)["metadata"]["name"], "edge-weir-controller")

    def test_spread_counts_our_pods(self):
        objects = self.objects["several, scaled, watched"]
        (one,) = chart.pod_spec(objects)["topologySpreadConstraints"]
        self.assertEqual(one["labelSelector"]["matchLabels"], chart.workload(objects)["spec"]["selector"]["matchLabels"])

    def test_every_port_of_a_stream_is_everywhere(self):
        objects = self.objects["streams"]
        (service,) = [one for one in chart.of_kind(objects, "Service") if one["spec"].get("type") == "NodePort"]
        ports = {(port["protocol"], port["port"]): port.get("nodePort") for port in service["spec"]["ports"]}
        self.assertEqual(ports, {("TCP", 80): None, ("TCP", 443): None, ("TCP", 9000): 30900, ("TCP", 853): None, ("UDP", 53): 30053})
        (policy,) = chart.of_kind(objects, "NetworkPolicy")
        allowed = {(port["protocol"], port["port"]) for port in policy["spec"]["ingress"][0]["ports"]}
        self.assertLessEqual({("TCP", 9000), ("TCP", 853), ("UDP", 53)}, allowed)
        maps = {one["metadata"]["name"]: one["data"] for one in chart.of_kind(objects, "ConfigMap")}
        self.assertEqual(maps["edge-weir-tcp"], {"9000": "shop/queue:5672", "853": "dns/dot:853"})


class Roles(unittest.TestCase):
    """Who may read what, in each mode."""

    def rules(self, name):
        return chart.rules(chart.documents(chart.render_text(samples.COMBINATIONS[name])))

    def readers(self, name, resource):
        return {(where, names) for where, what, verb, names in self.rules(name) if what == resource and verb in ("get", "list", "watch")}

    def test_in_the_cluster(self):
        self.assertEqual(self.readers("defaults", "secrets"), {("", ())})
        self.assertEqual(self.readers("defaults", "networking.k8s.io/ingresses"), {("", ())})

    def test_in_namespaces(self):
        self.assertEqual(self.readers("namespaces", "secrets"), {("shop", ()), ("bank", ()), ("weir-system", ("edge-weir-peers", "edge-weir-ticket-keys"))})
        self.assertEqual(self.readers("namespaces", "configmaps"), {("shop", ()), ("bank", ()), ("weir-system", ("edge-weir-tcp",))})
        self.assertEqual(self.readers("namespaces", "networking.k8s.io/ingresses"), {("shop", ()), ("bank", ())})
        self.assertEqual(self.readers("namespaces", "services"), {("shop", ()), ("bank", ()), ("weir-system", ("edge-weir",))})
        cluster = {what for where, what, _, _ in self.rules("namespaces") if not where}
        self.assertEqual(cluster, {"networking.k8s.io/ingressclasses"})

    def test_by_name(self):
        self.assertEqual(self.readers("named", "secrets"), {
            ("shop", ("shop-tls", "users")), ("bank", ("bank-tls",)), ("certs", ("wildcard",)), ("weir-system", ("edge-weir-peers", "edge-weir-ticket-keys"))})
        self.assertEqual(self.readers("named", "configmaps"), {("weir-system", ("edge-weir-tcp",))})
        self.assertEqual(self.readers("named", "services"), {("", ())})
        self.assertEqual(self.readers("named and scoped", "services"), {("shop", ()), ("weir-system", ("edge-weir",))})

    def test_settings_are_read_where_it_serves_and_the_selected_one_everywhere(self):
        settings = "weir.ingress/weirsettings"
        self.assertEqual(self.readers("defaults", settings), {("", ())})
        self.assertEqual(self.readers("namespaces", settings), {("shop", ()), ("bank", ()), ("weir-system", ("edge-weir",))})
        self.assertEqual(self.readers("named and scoped", settings), {("shop", ()), ("weir-system", ("edge-weir",))})
        for name, values in samples.COMBINATIONS.items():
            if values.get("rbac.create") is False:
                continue
            flags = chart.flags(chart.containers(chart.documents(chart.render_text(values)))["controller"])
            (selected,) = flags["settings"]
            written = {(where, verb, names) for where, what, verb, names in self.rules(name) if what == settings + "/status"}
            where, _, only = selected.partition("/")
            self.assertEqual(written, {(where, "patch", (only,))}, name)

    def test_a_mode_takes_nothing_but_reading_of_secrets_away(self):
        def others(name):
            return {(where, what, verb) for where, what, verb, _ in self.rules(name) if what not in ("secrets", "configmaps")}
        self.assertEqual(others("named"), others("defaults"))

    def test_no_mode_may_write_what_weir_does_not_write(self):
        written = {"networking.k8s.io/ingresses/status", "events.k8s.io/events", "coordination.k8s.io/leases",
                   "weir.ingress/weirsettings/status"}
        for name in samples.COMBINATIONS:
            verbs = {(what, verb) for _, what, verb, _ in self.rules(name) if verb not in ("list", "watch", "get")}
            self.assertLessEqual({what for what, _ in verbs}, written | {"secrets"}, name)

    def test_of_secrets_only_those_that_replicas_share_are_written(self):
        for name in samples.COMBINATIONS:
            with self.subTest(name):
                for where, what, verb, names in self.rules(name):
                    if what == "secrets" and verb not in ("list", "watch"):
                        self.assertEqual((verb, len(names), where != ""), ("patch", 1, True))

    def test_which_replicas_are_ready_is_read_where_they_are(self):
        self.assertEqual(self.readers("namespaces", "discovery.k8s.io/endpointslices"),
                         {("shop", ()), ("bank", ()), ("weir-system", ())})
        self.assertEqual(self.readers("defaults", "discovery.k8s.io/endpointslices"), {("", ())})


class Values(unittest.TestCase):
    def test_each_changes_the_rendering(self):
        leaves = list(values_tool.leaves(yaml.safe_load(read(values_tool.VALUES))))
        before = [samples.needs(path) for path, _ in leaves]
        after = [{**samples.needs(path), path: samples.another(path, default)} for path, default in leaves]
        old, new = render_all(before), render_all(after)
        unused = [path for (path, _), one, other in zip(leaves, old, new) if one == other]
        self.assertEqual(unused, [])
        for (path, _), text in zip(leaves, new):
            with self.subTest(path):
                self.assertEqual(chart.findings(chart.documents(text)), [])
        self.assertEqual(chart.strict("\n---\n".join(new))[1], "")

    def test_what_is_wrong_is_refused_with_words(self):
        for settings, words in samples.REFUSALS:
            with self.subTest(words):
                with self.assertRaises(chart.Refused) as caught:
                    chart.render_text(settings)
                self.assertIn(words, str(caught.exception))

    def test_an_old_cluster_gets_no_native_sidecar(self):
        with self.assertRaises(chart.Refused) as caught:
            chart.render_text({}, kube="1.28.0")
        self.assertIn("controller.nativeSidecar: Kubernetes v1.28.0 has no sidecar containers", str(caught.exception))
        objects = chart.documents(chart.render_text({"controller.nativeSidecar": False}, kube="1.28.0"))
        self.assertEqual(chart.findings(objects), [])
        command = chart.containers(objects)["controller"]["lifecycle"]["preStop"]["exec"]["command"]
        self.assertEqual(command[:3], ["/usr/bin/weirctl", "probe", "--gone"])


class Words(unittest.TestCase):
    """The chart, its alerts and its flags against the pages and programs that they name."""

    def test_alerts_ask_for_metrics_that_exist_and_have_a_section(self):
        alerts = yaml.safe_load(read("helm/weir/files/alerts.yaml"))
        known = set(re.findall(r"`(\w+)", read("docs/metrics.md")))
        sections = set(re.findall(r"^## (\w+)$", read("docs/runbook.md"), re.MULTILINE))
        for alert in alerts:
            metrics = set(re.findall(r"\b((?:weir|nginx_ingress_controller)_\w+)", alert["expr"]))
            self.assertTrue(metrics, alert["alert"])
            self.assertLessEqual(metrics, known, alert["alert"])
        self.assertEqual({alert["alert"] for alert in alerts}, sections)

    @unittest.skipUnless(WEIR_PROGRAMS, "WEIR_BIN names no folder of built programs")
    def test_the_programs_take_every_flag(self):
        passed = {"controller": set(), "dataplane": set()}
        for settings in samples.COMBINATIONS.values():
            both = chart.containers(chart.documents(chart.render_text(settings)))
            for name, flags in passed.items():
                flags.update(chart.flags(both[name]))
        for name, flags in passed.items():
            helped = subprocess.run([os.path.join(WEIR_PROGRAMS, f"weir-{name}"), "--help"], capture_output=True, text=True,
                                    timeout=30, check=True).stdout
            self.assertEqual(flags - set(re.findall(r"--([a-z0-9-]+)", helped)), set())

    def test_lint(self):
        done = subprocess.run([os.path.join(chart.PROGRAMS, "helm"), "lint", "--strict", chart.CHART], capture_output=True,
                              text=True, timeout=60, check=False)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)


if __name__ == "__main__":
    if not os.access(os.path.join(chart.PROGRAMS, "helm"), os.X_OK):
        print("WEIR_HELM_BIN names no folder with helm in it (./dev test builds it)")
        sys.exit(SKIPPED)
    unittest.main()
