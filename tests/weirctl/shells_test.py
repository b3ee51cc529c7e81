#!/usr/bin/env python3
"""Completion in real shells, manual pages by a real formatter, `kubectl weir` by its name."""

import os
import re
import shutil
import tempfile
import unittest

from tool import BIN, TOP, WEIRCTL, run, weirctl

COMMANDS = ["up", "explain", "plan", "top", "dump", "probe", "completion", "man"]
MAN = os.path.join(TOP, "docs/man")
UPDATE = bool(os.environ.get("WEIR_UPDATE_GOLDEN"))


class Completion(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="weirctl-")
        self.addCleanup(shutil.rmtree, self.folder)
        os.mkdir(os.path.join(self.folder, "manifests"))
        with open(os.path.join(self.folder, "config"), "w", encoding="utf-8") as file:
            file.write("contexts: [{name: prod, context: {}}, {name: play, context: {}}]\n")
        self.env = {"PATH": f"{BIN}:{os.environ['PATH']}", "HOME": self.folder, "KUBECONFIG": os.path.join(self.folder, "config")}

    def bash(self, line):
        # What readline does on the tab key: it cuts the line at its word breaks and calls the function.
        script = r"""
source <(weirctl completion bash)
words=$(sed 's/=/ = /g' <<<"$1"); COMP_WORDS=($words); [[ $1 == *[\ =] ]] && COMP_WORDS+=("")
COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
_weirctl
printf '%s\n' "${COMPREPLY[@]}"
"""
        done = run("bash", "-c", script, "bash", line, env=self.env, cwd=self.folder)
        self.assertEqual(done.stderr, "")
        return done.stdout.split()

    def test_bash_completes_commands_flags_and_values(self):
        for line, expected in (("weirctl ", COMMANDS), ("weirctl ex", ["explain"]), ("weirctl plan --ag", ["--against"]),
                               ("weirctl explain -o ", ["text", "json"]), ("weirctl explain --output=j", ["json"]),
                               ("weirctl explain --context ", ["play", "prod"]), ("weirctl explain --context pr", ["prod"]),
                               ("weirctl explain -f m", ["manifests"]), ("weirctl explain --kubeconfig con", ["config"]),
                               ("weirctl explain P", ["POST", "PUT", "PATCH"]), ("weirctl explain GET P", []),
                               ("weirctl explain --once GET P", []), ("weirctl completion ", ["bash", "zsh", "fish"]),
                               ("weirctl none ", [])):
            self.assertEqual(self.bash(line), expected, line)

    def test_fish_completes(self):
        script = "weirctl completion fish | source; complete -C 'weirctl ex'; complete -C 'weirctl explain --context p'"
        done = run("fish", "--no-config", "-c", script, env=self.env, cwd=self.folder)
        self.assertEqual(done.stdout, "explain\twhich rule takes a request, and why\nplay\nprod\n", done.stderr)

    def test_zsh_completes(self):
        # What zsh's completion system does, without a terminal: it sets words and CURRENT and calls the function of #compdef.
        script = r"""
compdef() {}; _files() { print -r -- files "$@" }
_describe() { print -rl -- "${(@P)2}" }
source <(weirctl completion zsh)
words=(weirctl ex); CURRENT=2; _weirctl
words=(weirctl explain --kubeconfig ""); CURRENT=4; _weirctl
words=(weirctl plan --against ""); CURRENT=4; _weirctl
"""
        done = run("zsh", "-f", "-c", script, env=self.env, cwd=self.folder)
        self.assertEqual(done.stdout, "explain:which rule takes a request, and why\nfiles\nfiles -/\n", done.stderr)

    def test_kubectl_gets_its_directives(self):
        plugin = os.path.join(BIN, "kubectl_complete-weir")
        done = run(plugin, "explain", "-o", "j", env=self.env)
        self.assertEqual(done.stdout, "json\n:4\n")
        self.assertEqual(run(plugin, "explain", "-f", "", env=self.env).stdout, ":0\n")

    def test_every_flag_that_help_prints_is_offered(self):
        for command in COMMANDS:
            shown = set(re.findall(r"(?m)^ +(?:-\w,)?(--[a-z0-9-]+)", weirctl(command, "--help").stdout))
            offered = {line.split("\t")[0] for line in weirctl("__complete", command, "--").stdout.splitlines()}
            self.assertEqual(offered, shown, command)


class Plugin(unittest.TestCase):
    def test_as_kubectl_weir_the_cluster_is_asked(self):
        done = run(os.path.join(BIN, "kubectl-weir"), "explain", "GET", "http://a.test/", env={"KUBECONFIG": "/none"})
        self.assertEqual(done.returncode, 2)
        self.assertIn("kubeconfig: read /none", done.stderr)


class Manual(unittest.TestCase):
    def pages(self):
        yield "weirctl.1", weirctl("man").stdout
        for command in COMMANDS:
            yield f"weirctl-{command}.1", weirctl("man", command).stdout

    def test_the_pages_of_docs_are_those_of_the_program(self):
        names = set()
        for name, text in self.pages():
            names.add(name)
            path = os.path.join(MAN, name)
            if UPDATE:
                os.makedirs(MAN, exist_ok=True)
                with open(path, "w", encoding="utf-8") as file:
                    file.write(text)
            with open(path, encoding="utf-8") as file:
                self.assertEqual(file.read(), text, f"{name}: rewrite docs/man with WEIR_UPDATE_GOLDEN=1")
        self.assertEqual(set(os.listdir(MAN)), names)

    def test_the_formatter_has_nothing_to_say(self):
        for name, text in self.pages():
            done = run("mandoc", "-T", "lint", "-W", "warning", input=text)
            self.assertEqual((done.returncode, done.stdout), (0, ""), name)

    def test_what_one_reads_names_every_flag(self):
        page = run("mandoc", "-T", "ascii", input=weirctl("man", "explain").stdout).stdout
        page = re.sub(".\b", "", page)
        for word in ("--context VALUE", "-o, --output VALUE", "weirctl explain [FLAGS] METHOD URL", "text or json (text)"):
            self.assertIn(word, page)

    def test_usage_names_every_command_and_a_wrong_one_is_refused(self):
        self.assertEqual([line.split()[1] for line in weirctl("help").stdout.splitlines() if line.startswith("weirctl ")], COMMANDS)
        self.assertEqual(weirctl("nonsense").returncode, 2)
        self.assertEqual(run(WEIRCTL).returncode, 2)


if __name__ == "__main__":
    unittest.main()
