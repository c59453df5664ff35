// The sound while one draws, from the engine in the page; the kernel's exact rendering replaces it.

import { followTargets } from "./path.js";
import { Instrument } from "./instrument.js";
import { readTable } from "./table.js";
import { valueOf } from "./notes.js";

const REST = 2;  // times the duration of a search that pass before the next one, so that the page stays responsive

// `lanes()` gives { axis, heights } of each, `settings()` those of the pad.
export class Live {
  constructor(lanes, settings) {
    this.lanes = lanes;
    this.settings = settings;
    this.instrument = new Instrument(WORKLET_SOURCE);
    this.instrument.onstop = () => this.onStop();
    this.isLooped = false;
    this.loudness = 1;
    this.onStop = () => {};
  }

  set volume(share) {
    this.loudness = share;
    if (this.output) this.output.gain.value = share;
  }

  get isPlaying() { return this.instrument.isPlaying; }
  get position() { return this.instrument.position; }

  // Take the table of a timbre, bytes; without any, the pad is silent until the kernel has rendered.
  async setTable(bytes) {
    this.table = null;
    if (!bytes?.byteLength) return;
    const own = (this.bytes = bytes);
    try {
      const table = await readTable(bytes);
      if (own !== this.bytes) return;  // another one came meanwhile
      this.table = table;
      this.instrument.setTable(table);
    } catch (error) {
      console.warn(error.message);
    }
  }

  // Call it in a gesture: browsers allow no sound before.
  async start() {
    try {
      await this.instrument.start();
      const { context, node } = this.instrument;
      if (this.output) return;
      this.output = new GainNode(context, { gain: this.loudness });
      node.disconnect();
      node.connect(this.output).connect(context.destination);
    } catch (error) {
      console.warn(`no sound while drawing: ${error.message}`);  // there is no device
    }
  }

  // Prepare the search, which takes a moment the first time.
  prepare() { if (this.table && !this.table.distances) this.update(); }

  get canPlay() { return Boolean(this.table && this.output); }

  // Play the drawing from a time in seconds.
  play(from, loop = this.isLooped) {
    if (!this.canPlay || !this.update()) return false;
    this.instrument.playScore({ from, loop });
    return true;
  }

  stop() { if (this.isPlaying) this.instrument.stopScore(); }

  // The drawing has changed: search again, at most once per frame of the screen.
  change() {
    if (!this.canPlay || this.isWaiting) return;
    this.isWaiting = true;
    const begin = performance.now();
    requestAnimationFrame(() => {
      const now = performance.now();
      this.update();
      const took = performance.now() - now;
      setTimeout(() => { this.isWaiting = false; }, Math.max(0, REST * took - (now - begin)));
    });
  }

  // Choose codes for the drawing and send them to the engine; false if it cannot follow any of the lanes.
  update() {
    if (!this.table) return false;
    const curves = {}, { smoothness, second, weight, keep_note, adjust } = this.settings();
    let gain = null;
    for (const { axis, heights } of this.lanes()) {
      if (axis.name === "gain") {
        gain = Float32Array.from(heights, (height) => (height > 0 ? this.table.gain * 10 ** (valueOf(axis, height) / 20) : 0));
      } else if (this.table.descriptors.includes(axis.name)) {
        const [low, high] = this.table.fullRange(axis.name);
        curves[axis.name] = Float64Array.from(heights, (height) => Math.min(high, Math.max(low, valueOf(axis, height))));
      }
    }
    const [first] = Object.values(curves);
    if (!first) return false;
    const settings = { smoothness, weights: { [second]: weight }, ...(keep_note ? {} : { continuity: 0 }), ...(adjust ? {} : { retune: 0 }) };
    const { codes, cents } = followTargets(this.table, curves, settings);
    this.instrument.setScore({ codes, cents, gain: gain ?? new Float32Array(first.length).fill(this.table.gain) });
    return true;
  }

  close() {
    this.stop();
    this.instrument.context?.close();
  }
}
