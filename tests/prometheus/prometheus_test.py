#!/usr/bin/env python3
"""Every query of the dashboards and every alert, by a real Prometheus that scrapes both processes under traffic.

WEIR_PROMETHEUS_BIN is the folder of Debian's prometheus and promtool (./dev test unpacks the package, it starts no service).
"""

import glob
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

import yaml

import queries
import world

SKIPPED = 77
PROMETHEUS = os.environ.get("WEIR_PROMETHEUS_BIN", "")
ALERTS = "deploy/alerts/weir.yaml"
INTERVAL = "5s"
VARIABLE = re.compile(r"\$\{?(\w+)\}?")
# What the traffic of world.py provokes; the others need a broken cluster, a full disk or an hour.
PROVOKED = {"WeirCertificateExpiresSoon", "WeirCircuitLimitReached", "WeirConnectionsRefused", "WeirEndpointsOut", "WeirObjectsReported",
            "WeirServerErrors"}


def read(path):
    with open(os.path.join(world.TOP, path), encoding="utf-8") as file:
        return file.read()


def groups():
    return yaml.safe_load(read(ALERTS))["spec"]["groups"]


def rules():
    return [rule for group in groups() for rule in group["rules"]]


def at_once():
    """The same alerts, firing as soon as their expression holds."""
    return {"groups": [{**group, "rules": [{**rule, "for": "0s"} for rule in group["rules"]]} for group in groups()]}


def filled(query, values):
    return VARIABLE.sub(lambda found: {"__rate_interval": INTERVAL, **values}.get(found.group(1), ".*"), query)


def dashboards():
    return {os.path.basename(path): json.loads(read(path)) for path in sorted(glob.glob(os.path.join(world.TOP, "deploy/grafana/*.json")))}


class Prometheus(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.world = world.World(PROMETHEUS, at_once())
        cls.addClassCleanup(shutil.rmtree, cls.world.folder)
        cls.addClassCleanup(cls.world.stop)
        cls.world.start()

    def query(self, query):
        data, why = self.world.api("query", query=query)
        self.assertEqual(why, "", query)
        return [one for one in data["result"] if one["value"][1] != "NaN"] if data["resultType"] == "vector" else data["result"]

    def returns_data(self, asked):
        """asked: queries by what to call them; all of them until each has answered once."""
        missing = dict(asked)

        def nothing_missing():
            for name in [name for name, query in missing.items() if self.query(query)]:
                del missing[name]
            return not missing
        world.wait_for(nothing_missing, "every query returns data", lambda: json.dumps(missing, indent=1))

    def choices(self, metric, label, values):
        data, why = self.world.api(f"label/{label}/values", **{"match[]": filled(metric, values)})
        self.assertEqual(why, "")
        return data

    def test_ours_return_data(self):
        boards = dashboards()
        self.assertEqual(sorted(boards), ["weir-pods.json", "weir-traffic.json"])
        for name, board in boards.items():
            values = {}
            for variable in board["templating"]["list"]:
                if variable["type"] != "query":
                    continue
                metric, label = re.fullmatch(r"label_values\((.*), (\w+)\)", variable["query"]["query"]).groups()
                found = world.wait_for(lambda: self.choices(metric, label, values), f"{name}: choices of {variable['name']}")
                values[variable["name"]] = ".*" if variable["name"] == "ingress" else found[0]
            self.returns_data({f"{name}: {panel['title']} {target['refId']}": filled(target["expr"], values)
                               for panel in board["panels"] for target in panel["targets"]})

    def test_those_of_ingress_nginx_return_data(self):
        chosen = {}
        for name, (metric, label) in queries.VARIABLES.items():
            chosen[name] = world.wait_for(lambda: self.choices(metric, label, chosen), f"choices of {name}")[0]
        self.assertEqual({key: chosen[key] for key in ("namespace", "controller", "exported_namespace")},
                         {"namespace": "weir", "controller": "weir-0", "exported_namespace": "shop"})
        everything = queries.OVERVIEW + queries.CERTIFICATES + queries.PERFORMANCE
        self.returns_data({query: filled(query, {}) for query in everything})
        one = {**chosen, "ingress": "broken"}
        self.returns_data({f"{query} of one": filled(query, one) for query in everything})

    def test_every_series_that_a_dashboard_or_an_alert_names_is_documented(self):
        page = read("docs/metrics.md")
        texts = [target["expr"] for board in dashboards().values() for panel in board["panels"] for target in panel["targets"]]
        texts += [rule["expr"] for rule in rules()]
        named = {name for text in texts for name in re.findall(r"\b(?:weir|nginx_ingress_controller)_\w+", text)}
        plain = {re.sub(r"_(bucket|sum|count)$", "", name) if not name.endswith("_total") else name for name in named}
        self.assertEqual([name for name in sorted(plain) if name not in page], [])

    def test_a_conflict_is_counted(self):
        lost = world.wait_for(lambda: self.query("weir_controller_conflicts"), "the gauge of conflicts")
        self.assertEqual({one["metric"]["what"]: one["value"][1] for one in lost}, {"path": "1", "default_backend": "0", "host_setting": "0"})

    def test_alerts_are_valid_and_fire(self):
        for rule in rules():
            self.query(rule["expr"])
        firing, told = [], {}

        def fired():
            firing[:] = [one for one in self.world.api("alerts")[0]["alerts"] if one["state"] == "firing"]
            for one in firing:
                told.setdefault(one["labels"]["alertname"], set()).add(one["annotations"]["summary"])
            return PROVOKED <= set(told) and any("shop/broken" in text for text in told["WeirServerErrors"])
        world.wait_for(fired, f"{sorted(PROVOKED)} fire", lambda: f"firing: {sorted(told)}")
        told = {name: " ".join(texts) for name, texts in told.items()}
        self.assertIn("shop/broken", told["WeirServerErrors"])
        self.assertIn(f"{world.HOST} (shop/shop-tls) expires in", told["WeirCertificateExpiresSoon"])
        self.assertIn("shop/shop/", told["WeirCircuitLimitReached"])
        self.assertIn("weir-0: ", told["WeirConnectionsRefused"])
        for one in firing:
            self.assertNotIn("<no value>", json.dumps(one["annotations"]))
        quiet = {"WeirDataplaneNotConnected", "WeirNotSynced", "WeirListenerNotBound", "WeirMemoryPressure", "WeirConfigurationRefused"}
        self.assertEqual(quiet & set(told), set())


class Rules(unittest.TestCase):
    def test_promtool_takes_them(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "rules.yaml")
            with open(path, "w", encoding="utf-8") as file:
                yaml.safe_dump({"groups": groups()}, file)
            done = subprocess.run([os.path.join(PROMETHEUS, "promtool"), "check", "rules", "--lint-fatal", path],
                                  capture_output=True, text=True, timeout=60, check=False)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_each_has_its_section_in_the_runbook(self):
        page = read("docs/runbook.md")
        for rule in rules():
            self.assertIn(f"\n## {rule['alert']}\n", page)
            self.assertTrue(rule["annotations"]["runbook_url"].endswith("#" + rule["alert"].lower()))


if __name__ == "__main__":
    if not PROMETHEUS:
        print("WEIR_PROMETHEUS_BIN names no folder with prometheus in it", file=sys.stderr)
        sys.exit(SKIPPED)
    unittest.main()
