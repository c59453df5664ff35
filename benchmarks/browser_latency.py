"""Measure in Chromium how soon the page's instrument sounds, and what its engine costs.

    make page && .venv/bin/python benchmarks/browser_latency.py

The latency is the sum of two times: from the pointer event to the block of samples in which the
worklet's output is no longer silent, by the clock of the computer, and what the browser reports as
the latency between the audio thread and the loudspeaker.  Chromium
without a window has no sound card and reports that of its simulated one.  Medians are printed
and written to ``browser_latency.json``; nothing is asserted.
"""

import argparse
import json
import shutil
import statistics
from datetime import UTC, datetime
from pathlib import Path

from playwright.sync_api import sync_playwright
from timing import machine, significant

from timbrelib.files import write_text
from timbrelib.pad.modules import engine_source

HOME = Path(__file__).resolve().parent
PRESSES = 40
# A node behind the instrument's that reports when silence ends, and the time of the last pointer event.
PROBE = """async () => {
    const { instrument } = document.querySelector("#instrument");
    const source = `registerProcessor("probe", class extends AudioWorkletProcessor {
        process([[input]]) {
            const isSilent = !input?.some((sample) => Math.abs(sample) > 1e-6);
            if (!isSilent && this.silent > 20) this.port.postMessage(Date.now());
            this.silent = isSilent ? (this.silent ?? 0) + 1 : 0;
            return true;
        }
    });`;
    await instrument.context.audioWorklet.addModule(`data:text/javascript,${encodeURIComponent(source)}`);
    const probe = new AudioWorkletNode(instrument.context, "probe");
    instrument.node.connect(probe).connect(instrument.context.destination);
    window.delays = [];
    probe.port.onmessage = ({ data }) => delays.push(data - performance.timeOrigin - window.pressed);
    window.addEventListener("pointerdown", (event) => { window.pressed = event.timeStamp; }, true);
}"""
# Medians in ms of choosing codes for 6 s of pitch and brightness, and of synthesising them.
COSTS = """async (base64) => {
    const table = await readTable(Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0)).buffer);
    const frames = Math.round(6 * FRAME_RATE) + 1, middle = (frames - 1) / 2;
    const curves = Object.fromEntries(["fundamental", "centroid"].map((name) => {
        const [low, high] = table.range(name);
        const height = (frame) => 1 - Math.abs(frame / middle - 1);
        return [name, Float64Array.from({ length: frames }, (_, frame) => low * (high / low) ** height(frame))];
    }));
    const gain = new Float32Array(frames).fill(table.gain), times = { path: [], synthesis: [] };
    for (let round = 0; round < 12; round++) {
        const start = performance.now(), score = { ...followTargets(table, curves), gain }, chosen = performance.now();
        renderScore(table, score);
        times.path.push(chosen - start);
        times.synthesis.push(performance.now() - chosen);
    }
    const median = (values) => values.slice(2).sort((a, b) => a - b)[5];
    return { frames, path: median(times.path), synthesis: median(times.synthesis) };
}"""


def main() -> None:
    """Measure the page that ``make page`` has built."""
    parser = argparse.ArgumentParser(description="measure the latency of the page's instrument")
    parser.add_argument("--site", type=Path, default=HOME.parent / "site", help="folder of the page (default: site)")
    parser.add_argument("--out", type=Path, default=HOME, help="folder to write into (default: benchmarks)")
    options = parser.parse_args()
    if not (options.site / "index.html").is_file():
        parser.error(f"there is no page in {options.site}: run 'make page' first")
    results = {"date": datetime.now(UTC).date().isoformat(), "machine": machine()} | measure(options.site)
    write_text(options.out / "browser_latency.json", json.dumps(results, indent=1) + "\n")
    print(json.dumps({name: value for name, value in results.items() if name != "machine"}, indent=1))


def measure(site: Path) -> dict:
    """Press the field many times, then run the engine on the page's violin; times in ms."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"))
        page = browser.new_page()
        page.goto((site / "index.html").resolve().as_uri())
        page.locator("#instrument[aria-busy=false]").wait_for()
        box = page.locator(".stage canvas").first.bounding_box()
        page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        page.wait_for_timeout(1500)
        page.evaluate(PROBE)
        for press in range(PRESSES):
            page.mouse.move(box["x"] + box["width"] * (0.2 + 0.6 * press / PRESSES), box["y"] + box["height"] / 2)
            page.mouse.down()
            page.wait_for_timeout(250 + press)  # so that presses fall on all places of a block
            page.mouse.up()
            page.wait_for_timeout(900)
        delays = page.evaluate("delays")
        reported = 1000 * page.evaluate("document.querySelector('#instrument').instrument.latency")
        engine = browser.new_page()
        engine.add_script_tag(content=engine_source())
        base64 = (site / "models" / "violin.js").read_text(encoding="utf-8").split('"')[-2]
        costs = engine.evaluate(COSTS, base64)
        version = browser.version
        browser.close()
    return {
        "chromium": version,
        "presses": len(delays),
        "event_to_worklet_ms": significant(statistics.median(delays)),
        "reported_output_latency_ms": significant(reported),
        "latency_ms": significant(statistics.median(delays) + reported),
        "path_of_6_s_ms": significant(costs["path"]),
        "synthesis_of_a_hop_ms": significant(costs["synthesis"] / costs["frames"]),
    }


if __name__ == "__main__":
    main()
