// The audio thread: plays voices and one score, as messages of instrument.js ask for.

import { HOP } from "./frames.js";
import { Synthesiser } from "./synthesis.js";
import { Table } from "./table.js";
import { Voice } from "./voices.js";

const LEAD = 2;  // frames by which a hop lies before the centre of the frame that completes it
const FADE = 64;  // samples over which a score begins and stops

class TimbreProcessor extends AudioWorkletProcessor {
  constructor() {
    super();
    this.voices = new Map();
    this.glide = 0.02;
    this.seed = 1;
    this.isRecording = false;
    this.port.onmessage = ({ data: [name, ...details] }) => this[name](...details);
  }

  setTable(data) {
    this.table = new Table(data);
    this.voices.clear();
    this.score = this.synthesiser = null;
  }

  setGlide(seconds) { this.glide = seconds; }

  press(id, aim) {
    if (!this.table) return;
    const voice = new Voice(this.table, this.seed++);
    voice.aim(aim, true);
    if (this.voices.has(id)) this.release(id);
    this.voices.set(id, voice);
  }

  move(id, aim) { this.voices.get(id)?.aim(aim, false); }

  // A released voice sounds out under another id, so that the same one can be pressed again.
  release(id) {
    const voice = this.voices.get(id);
    if (!voice) return;
    voice.isReleased = true;
    this.voices.delete(id);
    this.voices.set(Symbol("released"), voice);
  }

  releaseAll() { for (const id of [...this.voices.keys()]) this.release(id); }

  setScore(score) {
    this.score = score;
    if (this.synthesiser) this.frame = Math.min(this.frame, score.codes.length - 1);
  }

  // `run` numbers the calls, so that the end of one is not taken for that of the next.
  playScore(frame, isLooped, run) {
    if (!this.score) return;
    this.synthesiser = new Synthesiser(this.table, this.seed++);
    Object.assign(this, { frame: Math.min(frame, this.score.codes.length - 1), isLooped, left: null, fade: 0, isStopping: false, run });
    for (let i = 0; i < LEAD; i++) this.nextHop();
    this.hop = this.nextHop();
    this.used = 0;
  }

  stopScore() { this.isStopping = Boolean(this.synthesiser); }

  record(isRecording) {
    this.isRecording = isRecording;
    this.port.postMessage(["recording", isRecording]);
  }

  // The next hop of the score; after its last frame, what is left of it, unless it is looped.
  nextHop() {
    const n = this.score.codes.length;
    if (this.frame >= n && this.isLooped) this.frame = 0;
    if (this.frame < n) return this.synthesiser.play(this.score, this.frame++);
    this.left = (this.left ?? LEAD) - 1;
    return this.synthesiser.overlap.add();
  }

  endScore() {
    this.synthesiser = null;
    this.port.postMessage(["stopped", this.run]);
  }

  addScore(out) {
    for (let i = 0; i < out.length && this.synthesiser; i++) {
      if (this.used === HOP) {
        if (this.left === 0) return this.endScore();
        this.hop = this.nextHop();
        this.used = 0;
        this.port.postMessage(["position", Math.max(0, this.frame - 1 - LEAD)]);
      }
      this.fade = Math.min(1, Math.max(0, this.fade + (this.isStopping ? -1 : 1) / FADE));
      out[i] += this.fade * this.hop[this.used++];
      if (this.isStopping && !this.fade) this.endScore();
    }
  }

  process(_inputs, [[out]]) {
    for (const [id, voice] of this.voices) {
      voice.play(out, this.glide);
      if (voice.hasEnded) this.voices.delete(id);
    }
    if (this.synthesiser) this.addScore(out);
    if (this.isRecording) this.port.postMessage(["samples", out.slice()]);
    return true;
  }
}

registerProcessor("timbre", TimbreProcessor);
