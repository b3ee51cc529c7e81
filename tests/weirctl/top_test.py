#!/usr/bin/env python3
"""`weirctl top` on both real processes under a small load, and `weirctl explain` on their live snapshot."""

import json
import os
import threading
import time
import unittest

from running import Weir, ingress, service
from tool import weirctl

MANIFESTS = (service("a", "BACKEND") + ingress("web", "web.test", [("/", "a"), ("/api", "a")]) +
             ingress("quiet", "quiet.test", [("/", "a")]))


class Top(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.weir = Weir(MANIFESTS)
        cls.weir.__enter__()
        cls.addClassCleanup(cls.weir.__exit__)

    def top(self, *words):
        return weirctl("top", "--admin", f"http://127.0.0.1:{self.weir.admin}", *words)

    def under_load(self, *words):
        ended = threading.Event()

        def load():
            while not ended.is_set():
                # /api is the busiest by far, so that it is in every window, however slow the machine.
                for path in ("/api/503", "/api/404", "/api/503", "/api/404", "/"):
                    self.weir.ask(path, "web.test")
                time.sleep(0.01)  # each leaves a closed socket behind

        thread = threading.Thread(target=load)
        thread.start()
        try:
            return self.top(*words)
        finally:
            ended.set()
            thread.join()

    def test_rates_and_errors_are_those_of_the_load(self):
        self.weir.ask("/", "web.test"), self.weir.ask("/api", "web.test")
        done = self.under_load("--once", "--interval", "1s", "--sort", "errors", "-o", "json")
        self.assertEqual(done.returncode, 0, done.stderr)
        rows = json.loads(done.stdout)
        self.assertEqual([(row["host"], row["path"]) for row in rows[:2]], [("web.test", "/api"), ("web.test", "/")])
        api, root = rows[0], rows[1]
        self.assertGreater(root["requests_per_second"], 0)
        self.assertEqual(root["server_errors_per_second"], 0)
        self.assertAlmostEqual(api["server_errors_per_second"] + api["client_errors_per_second"], api["requests_per_second"], delta=0.01)
        self.assertEqual((api["ingress"], api["service"]), ("shop/web", "a"))
        self.assertLessEqual(api["p50_seconds"], api["p99_seconds"])
        self.assertGreater(api["p50_seconds"], 0)

    def test_text_is_a_table_of_as_many_lines_as_asked_for(self):
        done = self.under_load("--once", "--interval", "1s", "--lines", "1")
        self.assertEqual(done.returncode, 0, done.stderr)
        lines = done.stdout.splitlines()
        self.assertEqual(len(lines), 2)
        self.assertTrue(lines[0].lstrip().startswith("REQ/S"))
        self.assertIn("web.test/api", lines[1])

    def test_it_says_why_it_cannot(self):
        for words, code, said in ((("--admin", "http://127.0.0.1:1", "--once"), 2, "--admin names"), (("--admin", "x"), 2, "http://HOST:PORT"),
                                  (("--sort", "name"), 2, "requests, errors or latency"), (("--pod", "x"), 2, "NAMESPACE/NAME")):
            done = weirctl("top", *words)
            self.assertEqual(done.returncode, code, words)
            self.assertIn(said, done.stderr)

    def test_explain_asks_the_live_dataplane(self):
        socket = os.path.join(self.weir.folder, "run", "dump.sock")
        done = weirctl("explain", "--dump-socket", socket, "GET", f"http://web.test:{self.weir.http}/api/x", "-o", "json")
        self.assertEqual(done.returncode, 0, done.stderr)
        answer = json.loads(done.stdout)
        self.assertEqual(answer["listener"]["reason"], f"takes http at port {self.weir.http}")
        winner = answer["candidates"][0]
        self.assertTrue(winner["won"])
        self.assertEqual((winner["from"]["name"], winner["from"]["field"]), ("web", "spec.rules[0].http.paths[1]"))
        endpoint = answer["route"]["backends"][0]["endpoints"][0]
        self.assertEqual((endpoint["id"], endpoint["healthy"]), (f"127.0.0.1:{self.weir.backend}", True))


if __name__ == "__main__":
    unittest.main()
