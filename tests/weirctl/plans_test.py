#!/usr/bin/env python3
"""plans/CASE/before and after are folders of manifests; out.txt is what `weirctl plan` says of the change, with its exit code in the last
line, and out.json the same with -o json. WEIR_UPDATE_GOLDEN=1 rewrites both: read the difference before you keep it."""

import os
import unittest

from tool import HERE, weirctl

PLANS = os.path.join(HERE, "plans")
UPDATE = bool(os.environ.get("WEIR_UPDATE_GOLDEN"))


def read(path):
    if not os.path.exists(path):
        return ""
    with open(path, encoding="utf-8") as file:
        return file.read()


class Plans(unittest.TestCase):
    maxDiff = None

    def expect(self, path, text):
        if UPDATE:
            with open(path, "w", encoding="utf-8") as file:
                file.write(text)
        self.assertEqual(read(path), text)

    def test_each_case_says_what_is_written_down(self):
        cases = sorted(os.listdir(PLANS))
        self.assertGreater(len(cases), 5)
        for case in cases:
            with self.subTest(case):
                folder = os.path.join(PLANS, case)
                text = weirctl("plan", "-f", "after", "--against", "before", cwd=folder)
                self.assertEqual(text.stderr, "")
                self.expect(os.path.join(folder, "out.txt"), f"{text.stdout}exit code {text.returncode}\n")
                json = weirctl("plan", "-f", "after", "--against", "before", "-o", "json", cwd=folder)
                self.assertEqual(json.returncode, text.returncode)
                self.expect(os.path.join(folder, "out.json"), json.stdout)

    def test_the_way_back_of_what_is_gained_is_a_loss(self):
        folder = os.path.join(PLANS, "gained_and_changed")
        back = weirctl("plan", "-f", "before", "--against", "after", cwd=folder)
        self.assertEqual(back.returncode, 2)
        self.assertIn("lost: api.test exact /v1", back.stdout)

    def test_the_settings_that_a_flag_selects_are_compared(self):
        folder = os.path.join(PLANS, "weir_settings")
        plan = weirctl("plan", "-f", "after", "--against", "before", "--settings", "weir/main", cwd=folder)
        self.assertEqual(plan.returncode, 0)
        self.assertEqual(plan.stdout, 'setting changed: keepAliveTimeout: "75s" -> "30s"\n'
                                      'setting changed: clientAddress.useForwardedHeaders: false -> true\n'
                                      'Nothing is lost.\n')

    def test_no_answer_is_another_code_than_a_loss(self):
        for words, said in ((("-f", "none"), "is not a folder"), (("-f", PLANS, "--against", "none"), "accepted: cluster or a folder"),
                            (("-f", PLANS, "-o", "xml"), "accepted: text or json"), (("--flag",), "--flag"),
                            (("-f", PLANS, "--kubeconfig", "/none"), "/none")):
            done = weirctl("plan", *words)
            self.assertEqual(done.returncode, 1, words)
            self.assertIn(said, done.stderr)


if __name__ == "__main__":
    unittest.main()
