// The engine for a page: an audio context and its worklet, played by calls.

import { FRAME_RATE, SAMPLE_RATE } from "./frames.js";

export class Instrument {
  // `workletSource` is the text of the worklet's joined modules.
  constructor(workletSource) {
    this.workletSource = workletSource;
    this.position = null;
    this.isPlaying = false;
    this.run = 0;
    this.onstop = () => {};
  }

  // Create the sound; call it while the user acts, or the browser keeps it silent.
  start() {
    this.started ??= this.create();
    if (this.context?.state === "suspended") this.context.resume();
    return this.started;
  }

  async create() {
    this.context = new AudioContext({ sampleRate: SAMPLE_RATE, latencyHint: "interactive" });
    // a data: address, since those of files and blobs are refused in a page that is opened from disk
    await this.context.audioWorklet.addModule(`data:text/javascript;charset=utf-8,${encodeURIComponent(this.workletSource)}`);
    this.node = new AudioWorkletNode(this.context, "timbre", { numberOfInputs: 0, outputChannelCount: [1] });
    this.node.port.onmessage = ({ data: [name, detail] }) => this.receive(name, detail);
    this.node.connect(this.context.destination);
    if (this.table) this.send("setTable", this.table.data);
    if (this.score) this.send("setScore", this.score);
    this.send("setGlide", this.glideSeconds);
    await this.context.resume();
  }

  glideSeconds = 0.02;
  get glide() { return this.glideSeconds; }
  set glide(seconds) {
    this.glideSeconds = seconds;
    this.send("setGlide", seconds);
  }

  get latency() { return this.context ? this.context.baseLatency + (this.context.outputLatency || 0) : null; }

  send(...message) { this.node?.port.postMessage(message); }

  setTable(table) {
    this.table = table;
    this.score = null;
    this.send("setTable", table.data);
    this.endScore();
  }

  press(id, aim) { this.send("press", id, aim); }
  move(id, aim) { this.send("move", id, aim); }
  release(id) { this.send("release", id); }
  releaseAll() { this.send("releaseAll"); }

  setScore(score) {
    this.score = score;
    this.send("setScore", score);
  }

  playScore({ from = 0, loop = false } = {}) {
    this.isPlaying = true;
    this.position = from;
    this.send("playScore", Math.round(from * FRAME_RATE), loop, ++this.run);
  }

  stopScore() { this.send("stopScore"); }

  record() {
    this.recorded = [];
    this.send("record", true);
  }

  stopRecording() {
    return new Promise((resolve) => {
      this.onrecorded = resolve;
      this.send("record", false);
    });
  }

  receive(name, detail) {
    if (name === "position" && this.isPlaying) this.position = detail / FRAME_RATE;
    else if (name === "stopped" && detail === this.run) this.endScore();
    else if (name === "samples") this.recorded.push(detail);
    else if (name === "recording" && !detail) {
      const samples = new Float32Array(this.recorded.reduce((sum, part) => sum + part.length, 0));
      this.recorded.reduce((start, part) => (samples.set(part, start), start + part.length), 0);
      this.onrecorded(samples);
    }
  }

  endScore() {
    const wasPlaying = this.isPlaying;
    this.isPlaying = false;
    this.position = null;
    if (wasPlaying) this.onstop();
  }
}
