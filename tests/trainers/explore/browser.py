"""A headless Chromium for tests, by the DevTools protocol over pipes.

It needs nothing but Chromium: no driver and no Python package.
"""

import json
import os
import select
import shutil
import subprocess
import time

NAMES = ("chromium-headless-shell", "chromium", "chromium-browser",
         "google-chrome")
MISSING = ("no Chromium: install Debian's chromium-headless-shell, or say in "
           "GSG_CHROMIUM where one is")
SECONDS = 60


def find():
    """The path of a Chromium, or None."""
    given = os.environ.get("GSG_CHROMIUM")
    if given:
        return given
    return next(filter(None, map(shutil.which, NAMES)), None)


class Browser:
    """One page in a browser of its own."""

    def __init__(self, program, folder, width=1280, height=900, dark=False):
        read_commands, self._commands = os.pipe()
        self._answers, write_answers = os.pipe()

        def pipes():  # Chromium reads commands from 3 and answers on 4.
            high = [os.dup(read_commands), os.dup(write_answers)]
            os.dup2(high[0], 3)
            os.dup2(high[1], 4)

        self._process = subprocess.Popen(
            [program, "--headless", "--no-sandbox", "--disable-gpu",
             "--disable-dev-shm-usage", "--remote-debugging-pipe",
             "--hide-scrollbars", "--user-data-dir=" + folder, "about:blank"],
            preexec_fn=pipes, close_fds=False, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL)
        os.close(read_commands)
        os.close(write_answers)
        self._buffer = b""
        self._id = 0
        self.events = []
        self._session = None
        page = next(t for t in self("Target.getTargets")["targetInfos"]
                    if t["type"] == "page")
        self._session = self("Target.attachToTarget", targetId=page["targetId"],
                             flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self(domain + ".enable")
        self("Emulation.setDeviceMetricsOverride", width=width, height=height,
             deviceScaleFactor=1, mobile=width < 600)
        if dark:
            self("Emulation.setEmulatedMedia", features=[
                {"name": "prefers-color-scheme", "value": "dark"}])

    def close(self):
        self._process.kill()
        self._process.wait()
        os.close(self._commands)
        os.close(self._answers)

    def _message(self):
        end = time.monotonic() + SECONDS
        while b"\0" not in self._buffer:
            ready, _, _ = select.select([self._answers], [], [],
                                        max(0, end - time.monotonic()))
            read = os.read(self._answers, 1 << 16) if ready else b""
            if not read:
                raise AssertionError("Chromium does not answer")
            self._buffer += read
        message, self._buffer = self._buffer.split(b"\0", 1)
        return json.loads(message)

    def __call__(self, method, **parameters):
        self._id += 1
        message = {"id": self._id, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._commands, json.dumps(message).encode() + b"\0")
        while True:
            message = self._message()
            if message.get("id") == self._id:
                if "error" in message:
                    raise AssertionError(message["error"])
                return message["result"]
            self.events.append(message)

    def run(self, script):
        """The value of a JavaScript expression; promises are waited for."""
        result = self("Runtime.evaluate", expression=script, awaitPromise=True,
                      returnByValue=True)
        if "exceptionDetails" in result:
            raise AssertionError(result["exceptionDetails"])
        return result["result"].get("value")

    def wait(self, script):
        """Until the expression is true."""
        end = time.monotonic() + SECONDS
        while not self.run("!!(%s)" % script):
            if time.monotonic() > end:
                raise AssertionError("never true: " + script)
            time.sleep(0.02)

    def open(self, path):
        self("Page.navigate", url="file://" + path)
        self.wait("document.body && document.body.dataset.ready")

    def click(self, selector, number=0):
        """A real click in the middle of an element, scrolled into view."""
        x, y = self.run("""(() => {
          const e = document.querySelectorAll(%s)[%d];
          e.scrollIntoView({block: "center"});
          const r = e.getBoundingClientRect();
          return [r.x + r.width / 2, r.y + r.height / 2];
        })()""" % (json.dumps(selector), number))
        for kind in ("mousePressed", "mouseReleased"):
            self("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left",
                 clickCount=1)

    def key(self, key, text=None):
        codes = {"Enter": 13, "Escape": 27, "Tab": 9, "ArrowLeft": 37,
                 "ArrowUp": 38, "ArrowRight": 39, "ArrowDown": 40}
        code = codes.get(key, ord(key[0].upper()))
        self("Input.dispatchKeyEvent", type="keyDown", key=key,
             windowsVirtualKeyCode=code, **({"text": text} if text else {}))
        self("Input.dispatchKeyEvent", type="keyUp", key=key,
             windowsVirtualKeyCode=code)

    def text(self, selector):
        return self.run("document.querySelector(%s).innerText" %
                        json.dumps(selector))

    def count(self, selector):
        return self.run("document.querySelectorAll(%s).length" %
                        json.dumps(selector))

    def errors(self):
        """What the console has: exceptions, errors and warnings."""
        self.run("0")
        found = []
        for event in self.events:
            method, what = event["method"], event["params"]
            if method == "Runtime.exceptionThrown":
                found.append(what["exceptionDetails"])
            elif method == "Log.entryAdded":
                found.append(what["entry"])
            elif (method == "Runtime.consoleAPICalled" and
                  what["type"] in ("error", "warning", "assert")):
                found.append(what)
        return found

    def requests(self):
        return [event["params"]["request"]["url"] for event in self.events
                if event["method"] == "Network.requestWillBeSent"]
