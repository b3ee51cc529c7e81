#!/usr/bin/env python3
"""tools/image/assemble.sh on the release build of this machine: what is in the root, whether it runs there, what the SBOM says."""

import json
import os
import re
import shutil
import stat
import subprocess
import tempfile
import unittest

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PROGRAMS = ("weir-controller", "weir-dataplane", "weirctl")
USER = 65532
SPDX_ID = re.compile(r"SPDXRef-[A-Za-z0-9.-]+")


def run(*command, **more):
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, **more)


class Image(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp(prefix="weir-image-")
        cls.addClassCleanup(shutil.rmtree, cls.folder)
        # The user of the image must be able to go in.
        os.chmod(cls.folder, 0o755)
        cls.root = os.path.join(cls.folder, "root")
        done = run("bash", os.path.join(TOP, "tools/image/assemble.sh"), cls.root, "build")
        if done.returncode != 0:
            raise AssertionError(done.stdout + done.stderr)
        with open(os.path.join(cls.root, "usr/share/weir/sbom.spdx.json"), encoding="utf-8") as file:
            cls.sbom = json.load(file)

    def files(self):
        for folder, _, names in os.walk(self.root):
            for name in names:
                path = os.path.join(folder, name)
                if not os.path.islink(path):
                    yield path

    def test_there_is_no_other_program(self):
        executable = {os.path.relpath(path, self.root) for path in self.files() if os.stat(path).st_mode & stat.S_IXUSR}
        programs = {path for path in executable if not re.search(r"\.so(\.|$)", path)}
        self.assertEqual(programs, {f"usr/bin/{name}" for name in PROGRAMS})

    def test_nobody_becomes_root_and_nothing_is_writable(self):
        for path in self.files():
            mode = os.stat(path).st_mode
            self.assertFalse(mode & (stat.S_ISUID | stat.S_ISGID | stat.S_IWOTH | stat.S_IWGRP), path)

    @unittest.skipUnless(os.geteuid() == 0, "chroot needs root")
    def test_each_program_runs_there_with_nothing_else(self):
        for name in PROGRAMS:
            done = run("chroot", f"--userspec={USER}:{USER}", self.root, f"/usr/bin/{name}", "up" if name == "weirctl" else "--help",
                       *(["--help"] if name == "weirctl" else []), env={"PATH": os.environ["PATH"]})
            self.assertEqual((done.returncode, done.stderr), (0, ""), name)
            self.assertIn("Usage", done.stdout)

    @unittest.skipUnless(os.geteuid() == 0, "chroot needs root")
    def test_its_program_that_asks_can_ask(self):
        done = run("chroot", f"--userspec={USER}:{USER}", self.root, "/usr/bin/weirctl", "probe", "http://127.0.0.1:1/")
        self.assertEqual(done.returncode, 1)
        self.assertIn("nobody listening", done.stderr)

    # In a network of its own, as user 65532, with a bounding set as a container has it: does anything answer at port 81?
    def serves_low_port(self, bounding):
        run_folder = os.path.join(self.folder, "run")
        os.makedirs(run_folder, exist_ok=True)
        os.chown(run_folder, USER, USER)
        script = f"""
            cd {self.root}/usr/bin; ip link set lo up
            as_user() {{ exec setpriv --reuid {USER} --regid {USER} --clear-groups --inh-caps -all --bounding-set "$@"; }}
            as_user {bounding} ./weir-dataplane --control-socket {run_folder}/socket --workers 1 --access-log-path /dev/null >&2 &
            dataplane=$!
            as_user -all ./weir-controller -f {run_folder} --control-socket {run_folder}/socket --http-port 81 --https-port 0 >&2 &
            controller=$!
            ./weirctl probe --wait 60s http://127.0.0.1:10254/readyz && ./weirctl probe --wait 3s --status 404 http://127.0.0.1:81/
            got=$?
            for worker in $(cat /proc/$dataplane/task/$dataplane/children); do grep CapPrm /proc/$worker/status; done
            kill $controller $dataplane; wait; exit $got"""
        return run("unshare", "--net", "bash", "-c", script)

    @unittest.skipUnless(os.geteuid() == 0, "a network namespace needs root")
    def test_low_ports_need_the_one_capability_and_the_worker_has_none(self):
        done = self.serves_low_port("-all,+net_bind_service")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("status 404", done.stdout)
        self.assertIn("CapPrm:\t0000000000000000", done.stdout)

    @unittest.skipUnless(os.geteuid() == 0, "a network namespace needs root")
    def test_without_it_the_program_starts_and_the_port_stays_shut(self):
        done = self.serves_low_port("-all")
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertIn("nobody listening, expected: status 404", done.stderr)

    def test_the_sbom_has_what_spdx_asks_for(self):
        document = self.sbom
        self.assertEqual((document["spdxVersion"], document["dataLicense"], document["SPDXID"]),
                         ("SPDX-2.3", "CC0-1.0", "SPDXRef-DOCUMENT"))
        self.assertRegex(document["creationInfo"]["created"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$")
        self.assertTrue(document["creationInfo"]["creators"])
        self.assertRegex(document["documentNamespace"], r"^https://[^#]+$")
        ids = [one["SPDXID"] for one in document["packages"]]
        self.assertEqual(len(set(ids)), len(ids))
        for one in document["packages"]:
            self.assertRegex(one["SPDXID"], SPDX_ID)
            self.assertTrue(one["name"] and one["versionInfo"] and one["downloadLocation"])
        for relation in document["relationships"]:
            for end in (relation["spdxElementId"], relation["relatedSpdxElement"]):
                self.assertIn(end, [*ids, "SPDXRef-DOCUMENT"])

    def test_the_sbom_names_the_package_of_every_library(self):
        versions = {one["name"]: one["versionInfo"] for one in self.sbom["packages"]}
        libraries = [path for path in self.files() if re.search(r"\.so(\.|$)", path)]
        self.assertGreater(len(libraries), 10)
        for path in libraries:
            place = os.path.realpath("/" + os.path.relpath(path, self.root))
            done = run("dpkg-query", "-S", place)
            if done.returncode != 0:
                done = run("dpkg-query", "-S", place.removeprefix("/usr"))
            package = done.stdout.split(":")[0]
            installed = run("dpkg-query", "-W", "-f", "${Version}\n", package).stdout.splitlines()
            self.assertIn(versions.get(package), installed, path)
            self.assertTrue(os.path.exists(os.path.join(self.root, "usr/share/doc", package, "copyright")), package)

    def test_the_same_programs_have_the_same_sbom(self):
        again = os.path.join(self.folder, "again")
        done = run("bash", os.path.join(TOP, "tools/image/assemble.sh"), again, "build", env={**os.environ, "SOURCE_DATE_EPOCH": "1"})
        self.assertEqual(done.returncode, 0, done.stderr)
        with open(os.path.join(again, "usr/share/weir/sbom.spdx.json"), encoding="utf-8") as file:
            other = json.load(file)
        self.assertEqual(other["creationInfo"]["created"], "1970-01-01T00:00:01Z")
        other["creationInfo"]["created"] = self.sbom["creationInfo"]["created"]
        self.assertEqual(other, self.sbom)


if __name__ == "__main__":
    unittest.main()
