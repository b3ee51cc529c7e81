"""A headless Chromium, driven by its DevTools protocol over a pipe; nothing but Python's own library."""

import base64
import json
import os
import select
import shutil
import subprocess
import tempfile
import time

PATIENCE = 60


class Browser:
    def __init__(self, width=1360, height=900):
        self.profile = tempfile.mkdtemp(prefix="weir-chromium-")
        to_read, self.to = os.pipe()
        self.back, to_write = os.pipe()
        # The protocol is spoken on descriptors 3 and 4; the two may stand in each other's place.
        command = ["bash", "-c", f'exec {{a}}<&{to_read} {{b}}>&{to_write}; exec 3<&$a 4>&$b; exec "$@"', "chromium", "chromium", "--headless=new", "--no-sandbox",
                   "--disable-gpu", "--disable-dev-shm-usage", "--disable-background-networking", "--no-first-run", "--hide-scrollbars",
                   "--no-proxy-server", "--remote-debugging-pipe", f"--user-data-dir={self.profile}", f"--window-size={width},{height}", "about:blank"]
        self.process = subprocess.Popen(command, pass_fds=(to_read, to_write), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.close(to_read)
        os.close(to_write)
        self.pending = b""
        self.number = 0
        self.events = []
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)
        self.scheme("light")

    def scheme(self, name):
        self.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": name}])

    def close(self):
        self.process.kill()
        self.process.wait()
        os.close(self.to)
        os.close(self.back)
        shutil.rmtree(self.profile, ignore_errors=True)

    def message(self, end):
        while b"\0" not in self.pending:
            ready, _, _ = select.select([self.back], [], [], max(0, end - time.monotonic()))
            if not ready:
                raise AssertionError("Chromium did not answer in time")
            part = os.read(self.back, 1 << 20)
            if not part:
                raise AssertionError("Chromium has ended")
            self.pending += part
        one, self.pending = self.pending.split(b"\0", 1)
        return json.loads(one)

    def call(self, method, **parameters):
        self.number += 1
        call = {"id": self.number, "method": method, "params": parameters}
        if hasattr(self, "session"):
            call["sessionId"] = self.session
        os.write(self.to, json.dumps(call).encode() + b"\0")
        end = time.monotonic() + PATIENCE
        while True:
            got = self.message(end)
            if got.get("id") == self.number:
                if "error" in got:
                    raise AssertionError(f"{method}: {got['error']}")
                return got["result"]
            self.events.append(got)

    def run(self, script):
        """The value of a JavaScript expression; promises are waited for."""
        got = self.call("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in got:
            raise AssertionError(f"{script}: {got['exceptionDetails']}")
        return got["result"].get("value")

    def wait(self, script):
        end = time.monotonic() + PATIENCE
        while not (value := self.run(script)):
            if time.monotonic() > end:
                raise AssertionError(f"not so in time: {script}\n{self.run('document.body.innerText')[:2000]}")
            time.sleep(0.03)
        return value

    def open(self, url):
        self.call("Page.navigate", url=url)

    def key(self, key, code=0, text=""):
        for kind in ("keyDown", "keyUp"):
            self.call("Input.dispatchKeyEvent", type=kind, key=key, code=key, windowsVirtualKeyCode=code, **({"text": text} if text and kind == "keyDown" else {}))

    def type(self, text):
        self.call("Input.insertText", text=text)

    def screenshot(self, path):
        with open(path, "wb") as file:
            file.write(base64.b64decode(self.call("Page.captureScreenshot", format="png")["data"]))

    def complaints(self):
        """What the console or the security policy had to say, and requests to elsewhere."""
        self.run("1")
        out = []
        for event in self.events:
            method, parameters = event.get("method"), event.get("params", {})
            if method in ("Runtime.exceptionThrown", "Page.javascriptDialogOpening"):
                out.append(parameters)
            if method == "Log.entryAdded" and parameters["entry"]["level"] == "error":
                out.append(parameters["entry"])
            if method == "Runtime.consoleAPICalled" and parameters["type"] in ("error", "warning", "log"):
                out.append(parameters)
            if method == "Network.requestWillBeSent" and not parameters["request"]["url"].startswith(("http://127.0.0.1:", "about:", "data:")):
                out.append(parameters["request"]["url"])
        return out
