"""The pad in Chromium outside of Jupyter's own front ends: Voila and marimo."""

import json
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request

import numpy as np
import pytest
from browser import CHROMIUM, TIMEOUT, Pad
from conftest import ROOT

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed")
SOURCE = 'import timbrelib\npad = timbrelib.TargetPad("violin", folder="drawings")\npad'
HILL = [(x, 0.5 + 0.3 * np.sin(2 * np.pi * x)) for x in np.linspace(0, 1, 40)]


def write_notebook(path):
    notebook = json.loads((ROOT / "notebooks" / "06_draw_target.ipynb").read_text(encoding="utf-8"))
    code = next(cell for cell in notebook["cells"] if cell["cell_type"] == "code")
    cell = code | {"outputs": [], "execution_count": None, "source": SOURCE}
    path.write_text(json.dumps(notebook | {"cells": [cell]}))


def write_app(path):
    cell = "\n".join(f"    {line}" for line in SOURCE.splitlines())
    path.write_text(f"import marimo\n\napp = marimo.App()\n\n\n@app.cell\ndef _():\n{cell}\n    return\n")


def voila(folder, port):
    write_notebook(folder / "pad.ipynb")
    return ["voila", "pad.ipynb", "--no-browser", f"--port={port}", "--Voila.ip=127.0.0.1"]


def marimo(folder, port):
    write_app(folder / "pad.py")
    return ["marimo", "run", "pad.py", "--headless", "--no-token", "--host", "127.0.0.1", "--port", str(port)]


@pytest.fixture(params=[voila, marimo], ids=["Voila", "marimo"])
def address(request, tmp_path, violin):
    """Address of a page that shows a pad."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    log = tmp_path / "log"
    with log.open("w") as output:
        command = [sys.executable, "-m", *request.param(tmp_path, port)]
        server = subprocess.Popen(
            command, cwd=tmp_path, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT
        )
        try:
            for _ in range(240):
                try:
                    urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=60).close()
                    break
                except (urllib.error.URLError, ConnectionError):
                    assert server.poll() is None, log.read_text(encoding="utf-8")
                    time.sleep(0.25)
            yield f"http://127.0.0.1:{port}"
        finally:
            server.terminate()
            server.wait(30)


def test_a_drawn_curve_is_heard_and_measured(browser, address):
    page = browser.new_page(viewport={"width": 1300, "height": 900})
    page.set_default_timeout(TIMEOUT)
    errors, other_hosts = [], []
    page.on("console", lambda message: message.type == "error" and errors.append(message.text))
    page.on("pageerror", lambda error: errors.append(str(error)))
    allowed = (address, address.replace("http", "ws"), "blob:", "data:")
    page.goto(f"{address}/")
    page.locator(".timbre-pad .lane").first.wait_for()
    errors.clear()  # what the front end logs while it starts, whatever it shows
    page.on("request", lambda request: request.url.startswith(allowed) or other_hosts.append(request.url))
    pad = Pad(page)
    pad.wait()
    assert pad.sound()["paused"], "nothing plays before it is drawn"
    pad.draw(HILL)
    sound = pad.sound()
    assert not sound["paused"]
    assert sound["decoded"] == pytest.approx(5.99, abs=0.02)
    assert sound["peak"] > 0.05
    measured = np.array(pad.curve("measured"))
    np.testing.assert_allclose(measured[:, 1], np.interp(measured[:, 0], *zip(*HILL, strict=True)), atol=0.1)
    pad.select("Draw", "fundamental")
    assert pad.root.locator(".lane strong").text_content() == "Pitch"
    assert (errors, other_hosts) == ([], [])
    page.close()
