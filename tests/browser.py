"""JupyterLab and Notebook in a real browser, for the tests of the widgets."""

import ast
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import contextmanager
from pathlib import Path

from jupyter_client import BlockingKernelClient
from playwright.sync_api import Browser, Locator, Page, expect

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
TOKEN = "timbre"
TIMEOUT = 90_000  # ms; many times what a free machine takes
NO_NOTIFICATIONS = {"fetchNews": "false", "checkForUpdates": False}


class Lab:
    """A Jupyter server for a folder of notebooks, isolated from the user's settings and running servers."""

    def __init__(self, folder: Path):
        self.folder = folder / "notebooks"
        self.folder.mkdir()
        self.runtime = folder / "runtime"
        self.open_notebooks = []  # names, the newest last
        settings = folder / "settings" / "@jupyterlab" / "apputils-extension"
        settings.mkdir(parents=True)
        (settings / "notification.jupyterlab-settings").write_text(json.dumps(NO_NOTIFICATIONS))
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.address = f"http://127.0.0.1:{free.getsockname()[1]}"
        folders = {
            "JUPYTER_CONFIG_DIR": "config",
            "JUPYTER_RUNTIME_DIR": "runtime",
            "JUPYTERLAB_SETTINGS_DIR": "settings",
            "JUPYTERLAB_WORKSPACES_DIR": "workspaces",
            "IPYTHONDIR": "ipython",
        }
        options = ["--no-browser", "--allow-root", "--ServerApp.port_retries=0", f"--IdentityProvider.token={TOKEN}"]
        self.log = (folder / "server.log").open("w")
        self.server = subprocess.Popen(
            [sys.executable, "-m", "jupyterlab", *options, f"--port={self.address.rsplit(':', 1)[1]}"],
            cwd=self.folder,
            env=os.environ | {name: str(folder / place) for name, place in folders.items()},
            stdout=self.log,
            stderr=subprocess.STDOUT,
        )
        self._wait()

    def _wait(self):
        for _ in range(240):
            try:
                return self.request("api/status")
            except (urllib.error.URLError, ConnectionError):
                assert self.server.poll() is None, Path(self.log.name).read_text(encoding="utf-8")
                time.sleep(0.25)
        raise TimeoutError(Path(self.log.name).read_text(encoding="utf-8"))

    def request(self, path: str, method: str = "GET"):
        request = urllib.request.Request(f"{self.address}/{path}?token={TOKEN}", method=method)
        with urllib.request.urlopen(request, timeout=10) as response:
            return json.loads(response.read() or "null")

    def stop(self):
        self.server.terminate()
        self.server.wait(30)
        self.log.close()

    @contextmanager
    def _kernel(self):
        """Connect to the kernel of the notebook that was opened last."""
        kernel = self._session()["kernel"]["id"]
        client = BlockingKernelClient(connection_file=str(self.runtime / f"kernel-{kernel}.json"))
        client.load_connection_file()
        client.start_channels(stdin=False, hb=False)
        try:
            yield client
        finally:
            client.stop_channels()

    def evaluate(self, expression: str):
        """Evaluate an expression in the kernel and return its value."""
        with self._kernel() as client:
            reply = client.execute_interactive(
                "", user_expressions={"value": f"repr({expression})"}, timeout=60, output_hook=lambda message: None
            )
        value = reply["content"]["user_expressions"]["value"]
        assert value["status"] == "ok", value
        return ast.literal_eval(ast.literal_eval(value["data"]["text/plain"]))

    @contextmanager
    def busy(self):
        """Keep the kernel busy with something else until the block ends."""
        begun, gate = (self.folder.parent / name for name in ("begun", "gate"))
        gate.touch()
        with self._kernel() as client:
            client.execute(
                f"import pathlib, time\npathlib.Path({str(begun)!r}).touch()\n"
                f"while pathlib.Path({str(gate)!r}).exists():\n    time.sleep(0.05)"
            )
            while not begun.exists():
                time.sleep(0.05)
            try:
                yield
            finally:
                gate.unlink()
                begun.unlink()

    def _wait_for_kernel(self, page: Page):
        """Wait until the page is connected to its kernel: cells that run before that have no effect."""
        for _ in range(240):
            session = self._session()
            if session and session["kernel"]["connections"] and session["kernel"]["execution_state"] == "idle":
                return page.locator(".jp-Notebook-ExecutionIndicator[data-status=idle]").wait_for()
            page.wait_for_timeout(250)
        raise TimeoutError(f"the kernel is not ready: {session}")

    def _session(self) -> dict | None:
        return next(
            (session for session in self.request("api/sessions") if session["path"] == self.open_notebooks[-1]), None
        )

    @contextmanager
    def notebook(self, browser: Browser, name: str, front: str = "lab/tree", **options):
        """Open a notebook and check that it logs no errors and sends no requests to other hosts."""
        self.open_notebooks.append(name)
        page = browser.new_page(viewport={"width": 1300, "height": 1250}, **options)
        errors = []
        page.on("console", lambda message: message.type == "error" and errors.append(message.text))
        page.on("pageerror", lambda error: errors.append(str(error)))
        other_hosts = []
        allowed = (self.address, self.address.replace("http", "ws"), "blob:", "data:")
        page.on("request", lambda request: request.url.startswith(allowed) or other_hosts.append(request.url))
        page.set_default_timeout(TIMEOUT)
        try:
            page.goto(f"{self.address}/{front}/{name}?token={TOKEN}&reset")
            page.locator(".jp-Notebook .jp-CodeCell").first.wait_for()
            self._wait_for_kernel(page)
            if front == "notebooks":
                errors.clear()  # Notebook 7.6 logs two while it starts, whatever it opens
            yield page
            assert (errors, other_hosts) == ([], [])
        except BaseException:
            page.screenshot(path=self.folder.parent / "failure.png")
            print(f"screenshot: {self.folder.parent / 'failure.png'}; errors in the console: {errors}")
            raise
        finally:
            page.close()
            if session := self._session():
                self.request(f"api/sessions/{session['id']}", "DELETE")
            self.open_notebooks.pop()


class Pad:
    """The drawing pad on a page, operated as a user would."""

    def __init__(self, page: Page):
        self.page = page
        self.root = page.locator(".timbre-pad:visible").first  # another notebook may lie behind
        self.status = self.root.get_by_role("status")
        self.drawing = self.root.locator("svg.drawing")

    def plot(self, lane: int = 0) -> dict:
        """Return the box of the area to draw in."""
        self.drawing.nth(lane).scroll_into_view_if_needed()
        return self.drawing.nth(lane).locator(".plot").bounding_box()

    def draw(self, points, lane: int = 0, wait: bool = True):
        """Draw with the mouse through points, (share of the width, height), both from 0 to 1."""
        box = self.plot(lane)
        places = [(box["x"] + x * box["width"], box["y"] + (1 - y) * box["height"]) for x, y in points]
        self.page.mouse.move(*places[0])
        self.page.mouse.down()
        for place in places[1:]:
            self.page.mouse.move(*place)
        self.page.mouse.up()
        if wait:
            self.wait()

    def wait(self):
        """Wait until the pad is no longer busy."""
        self.page.wait_for_timeout(100)  # a media element reacts a moment later
        expect(self.root.locator(".lanes")).to_have_attribute("aria-busy", "false", timeout=TIMEOUT)

    def curve(self, kind: str, lane: int = 0) -> list[tuple[float, float]]:
        """Read a drawn or measured curve from the page, as points (share of the width, height)."""
        box = self.plot(lane)
        path = self.root.locator(".lane").nth(lane).locator(f"path.{kind}")
        numbers = [float(number) for number in re.findall(r"-?[\d.]+", path.get_attribute("d") or "")]
        left, top = path.evaluate("p => { const b = p.ownerSVGElement.getBoundingClientRect(); return [b.x, b.y]; }")
        return [
            ((x + left - box["x"]) / box["width"], 1 - (y + top - box["y"]) / box["height"])
            for x, y in zip(numbers[::2], numbers[1::2], strict=True)
        ]

    def sound(self, root: Locator | None = None) -> dict:
        """Decode the sound of the player in the browser: ``seconds``, ``decoded``, ``peak`` and ``paused``."""
        audio = (root or self.root).locator("audio")
        return audio.evaluate(
            """async (audio) => {
                const content = await (await fetch(audio.src)).arrayBuffer();
                const sound = await new OfflineAudioContext(1, 1, 22050).decodeAudioData(content);
                const peak = sound.getChannelData(0).reduce((most, x) => Math.max(most, Math.abs(x)), 0);
                return { seconds: audio.duration, decoded: sound.duration, peak, paused: audio.paused };
            }"""
        )

    def press(self, name: str):
        """Press a button."""
        self.page.get_by_role("button", name=re.compile(f"^{name}(: .*)?$")).first.click()
        self.wait()

    def select(self, label: str, value: str):
        """Select an option of a menu."""
        self.page.get_by_label(label, exact=True).select_option(value)
        self.wait()


def run_all(page: Page, last: str = ".timbre-pad .lane") -> Pad:
    """Run all cells and return the pad once the output of the last cell is there."""
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.get_by_role("menuitem", name="Run All Cells", exact=True).click()
    page.locator(last).first.wait_for()
    page.locator(".timbre-pad details").evaluate_all("panels => panels.forEach((panel) => { panel.open = true; })")
    return Pad(page)


def choose_theme(page: Page, theme: str):
    """Choose Light or Dark in JupyterLab's menu."""
    page.get_by_role("menuitem", name="Settings", exact=True).click()
    page.locator(".lm-Menu-item", has_text="Theme").first.hover()
    page.locator(".lm-Menu-item", has_text=f"JupyterLab {theme}").first.click()
    expect(page.locator("body")).to_have_attribute("data-jp-theme-name", f"JupyterLab {theme}")
    page.wait_for_timeout(500)
