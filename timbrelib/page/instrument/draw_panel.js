// Draw: one or two curves over time; the sound follows while they are drawn.
import { FRAME_RATE, SAMPLE_RATE } from "../../pad/engine/frames.js";
import { followTargets } from "../../pad/engine/path.js";
import { encodeWav, renderScore } from "../../pad/engine/synthesis.js";
import { download } from "../../pad/frontend/download.js";
import { Lane } from "../../pad/frontend/lane.js";
import { wordFor } from "../../pad/frontend/notes.js";
import { addElement, clamp } from "../../pad/frontend/plot.js";
import { LaneAxis, laneNames } from "./lane_axis.js";

const NONE = "none";
const ATTACK = 2, DECAY = 6;  // frames
const MAX_UNDO = 100;
const WEIGHTS = { fundamental: 16 };  // a wrong note disturbs more than a wrong brightness, where no code has both

export class DrawPanel {
  constructor(root, player, showStatus) {
    Object.assign(this, { root, player, showStatus });
    this.curves = {};  // heights by descriptor; those of hidden lanes are kept
    this.history = [];
    this.future = [];
    this.isLooping = true;
    this.strip = root.querySelector("[data-part=lanes]");
    const { instrument } = player;
    instrument.onstop = () => this.showPlayback();
    const on = (name, event, react) => this.control(name).addEventListener(event, (e) => react(e.target));
    on("play", "click", () => this.togglePlay());
    on("play-here", "click", () => this.play(this.lanes[0].cursorTime));
    on("loop", "change", (box) => { this.isLooping = box.checked; if (instrument.isPlaying) this.play(instrument.position); });
    on("undo", "click", () => this.send("undo"));
    on("redo", "click", () => this.send("redo"));
    on("seconds", "change", () => { this.resample(); this.showLanes(); });
    on("save", "click", () => this.save());
    for (const name of ["first", "second"]) on(name, "change", () => this.showLanes());
    this.lanes = [0, 1].map((index) => new Lane(this.strip, index, {
      setStroking: (isBegun) => this.setStroking(index, isBegun),
      commit: () => this.commit(),
      send: (action, details) => this.send(action, details),
      togglePlay: () => this.togglePlay(),
      seek: (seconds) => this.play(seconds),
      preview: () => this.preview(index),
    }));
    new ResizeObserver(() => this.strip.clientWidth !== this.width && this.showLanes()).observe(this.strip);
  }

  control(name) { return this.root.querySelector(`[name="${name}"]`); }

  get seconds() { return Number(this.control("seconds").value); }

  get nFrames() { return Math.round(this.seconds * FRAME_RATE) + 1; }

  show(table) {
    this.table = table;
    this.axes = Object.fromEntries(laneNames(table).map((name) => [name, new LaneAxis(table, name)]));
    for (const [menu, names, preferred] of [["first", laneNames(table), "fundamental"], ["second", [NONE, ...laneNames(table)], "centroid"]]) {
      const select = this.control(menu), chosen = select.value || preferred;
      select.replaceChildren();
      for (const name of names) addElement(select, "option", { value: name }, name === NONE ? "nothing else" : wordFor(name));
      select.value = names.includes(chosen) ? chosen : names[0];
    }
    this.score = null;
    this.showLanes();
  }

  // Names of the lanes that are shown; the same descriptor is not shown twice.
  names() {
    const first = this.control("first").value, second = this.control("second").value;
    return second === NONE || second === first ? [first] : [first, second];
  }

  // Nothing is drawn or computed while the panel is hidden.
  showLanes() {
    this.width = this.strip.clientWidth;
    if (!this.width || !this.table) return;
    const names = this.names();
    this.lanes.forEach((lane, i) => {
      lane.box.hidden = i >= names.length;
      if (lane.box.hidden) return;
      const name = names[i], axis = this.axes[name];
      this.curves[name] ??= axis.firstCurve(this.nFrames);
      lane.heights = this.curves[name];
      lane.show(axis, this.width, this.seconds);
    });
    this.follow();
  }

  // Choose the codes for what is drawn.
  follow() {
    const targets = {}, n = this.nFrames;
    this.names().forEach((name, i) => {
      if (name !== "gain") targets[name] = Float64Array.from(this.lanes[i].heights, (height) => this.axes[name].value(height));
    });
    if (!Object.keys(targets).length) targets.centroid = new Float64Array(n).fill(Math.sqrt(this.table.range("centroid")[0] * this.table.range("centroid")[1]));
    const levels = this.names().includes("gain") ? this.lanes[this.names().indexOf("gain")].heights : null;
    const gain = Float32Array.from({ length: n }, (_, i) => {
      const decibels = levels ? this.axes.gain.value(levels[i]) : 0, isSilent = levels && levels[i] === 0;
      return isSilent ? 0 : this.table.gain * 10 ** (decibels / 20) * Math.min(1, (i + 1) / ATTACK, (n - i) / DECAY);
    });
    try {
      const path = followTargets(this.table, targets, { weights: WEIGHTS });
      this.score = { codes: path.codes, cents: path.cents, gain };
      this.player.instrument.setScore(this.score);
      this.showChosen(path);
    } catch (error) {
      this.showStatus(error.message, true);
    }
  }

  showChosen(path) {
    this.names().forEach((name, i) => {
      const values = this.table.values[name];
      const chosen = values && Array.from(path.codes, (code) => Number.isFinite(values[code]) ? clamp(this.axes[name].height(values[code])) : null);
      this.lanes[i].showResult({ selected: chosen ?? [], measured: [], score: "" });
    });
  }

  setStroking(index, isBegun) {
    this.stroke = isBegun ? { lane: this.lanes[index], restUntil: 0 } : undefined;
    if (isBegun) this.before = this.copy();
    else this.follow();  // a click, or a stroke that was cancelled
  }

  // A curve has changed: at most once a frame of the screen, and in half of the time at most, so that the stroke itself
  // stays smooth, follow it.
  preview(index) {
    this.previewed ??= requestAnimationFrame((now) => {
      this.previewed = undefined;
      if (!this.stroke) return;
      if (now < this.stroke.restUntil) return this.preview(index);
      const start = performance.now(), { lane } = this.stroke, isMoving = lane.last !== lane.start;
      this.curves[this.names()[index]] = lane.heights;
      this.follow();
      if (isMoving && !this.player.instrument.isPlaying && !this.stroke.isSounding) {
        this.stroke.isSounding = true;
        this.play(lane.start.share * this.seconds);
      }
      this.stroke.restUntil = 2 * performance.now() - start;
    });
  }

  commit() {
    this.stroke = undefined;
    this.names().forEach((name, i) => { this.curves[name] = this.lanes[i].heights; });
    this.remember(this.before);
    this.follow();
  }

  copy() { return Object.fromEntries(Object.entries(this.curves).map(([name, heights]) => [name, heights.slice()])); }

  remember(curves) {
    this.history = [...this.history, curves].slice(-MAX_UNDO);
    this.future = [];
    this.showHistory();
  }

  showHistory() {
    this.control("undo").ariaDisabled = String(!this.history.length);
    this.control("redo").ariaDisabled = String(!this.future.length);
  }

  // What a lane asks for: undo, redo, or a shape.
  send(action, details) {
    if (action === "shape") {
      this.remember(this.copy());
      const name = this.names()[details.lane];
      this.curves[name] = this.axes[name].shape(details.shape, this.nFrames);
    } else {
      const [from, to] = action === "undo" ? [this.history, this.future] : [this.future, this.history];
      if (!from.length) return;
      to.push(this.copy());
      this.curves = from.pop();
      this.resample();
      this.showHistory();
    }
    this.showLanes();
  }

  // Stretch all curves to the present length.
  resample() {
    const n = this.nFrames;
    for (const [name, heights] of Object.entries(this.curves)) {
      if (heights.length === n) continue;
      this.curves[name] = Array.from({ length: n }, (_, i) => heights[Math.round((i / (n - 1)) * (heights.length - 1))]);
    }
  }

  async play(from = 0) {
    if (!this.score) return;
    await this.player.playScore(this.score, { from, loop: this.isLooping });
    this.showPlayback();
  }

  togglePlay() {
    if (this.player.instrument.isPlaying) this.player.instrument.stopScore();
    else this.play(0);
    this.showPlayback();
  }

  showPlayback() {
    const { instrument } = this.player;
    this.control("play").textContent = instrument.isPlaying ? "Stop" : "Play";
    for (const lane of this.lanes) if (lane.axis) lane.plot.movePlayhead(instrument.position);
    if (!instrument.isPlaying || this.request) return;
    this.request = requestAnimationFrame(() => { this.request = undefined; this.showPlayback(); });
  }

  save() {
    if (!this.score) return;
    const name = `${this.table.name}_drawn.wav`, samples = renderScore(this.table, this.score);
    download(name, encodeWav(samples, SAMPLE_RATE), "audio/wav");
    this.showStatus(`saved ${(samples.length / SAMPLE_RATE).toFixed(1)} s as ${name}`);
  }
}
