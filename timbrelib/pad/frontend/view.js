// How the pad shows a drawing: tools, grid and zoom.  This belongs to a page, not to the drawing.

import { addButton, addElement, addInput, addMenu, addToggle } from "./plot.js";
import { heightOf, NOTES, SCALES, snapNote, toFrequency, toMidi, valueOf } from "./notes.js";

const MIN_SHARE = 0.02;  // of the time and of an axis that can fill a plot
const FACTOR = 1.5;  // of a step

// Part of a range [low, high] within [0, 1] that is smaller by a factor, with a place in it where it was.
export function zoomRange([low, high], factor, place) {
  const span = Math.min(1, Math.max(MIN_SHARE, (high - low) / factor));
  const start = Math.min(1 - span, Math.max(0, place - ((place - low) / (high - low)) * span));
  return [start, start + span];
}

// `update()` draws everything again; `center(i)` is the height around which lane i is enlarged.
export class View {
  constructor(bar, panel, update, center) {
    this.update = update;
    this.center = center;
    this.time = [0, 1];
    this.values = [[0, 1], [0, 1]];  // of each lane
    this.line = addToggle(bar, "Line", "Draw straight lines, as with Shift", () => {});
    const grid = addElement(panel, "div", { class: "bar" });
    this.scale = addMenu(grid, "Snap pitch to", Object.fromEntries(Object.keys(SCALES).map((name) => [name, name])), () => {});
    this.root = addMenu(grid, "Root", Object.fromEntries(NOTES.map((note, i) => [i, note])), () => {});
    const tempo = addInput(grid, "Beats per minute", "input", { type: "number", min: 20, max: 400, step: 1, placeholder: "off" });
    tempo.addEventListener("input", () => {
      const beats = Number(tempo.value);
      this.beat = beats >= 20 && beats <= 400 ? 60 / beats : 0;
      update();
    });
    this.beat = 0;
    const zoom = addElement(panel, "div", { class: "bar" });
    addElement(zoom, "span", {}, "Zoom");
    for (const [label, title, act] of [
      ["Time +", "Enlarge the time (Ctrl+wheel over a plot)", () => this.zoomTime(FACTOR)],
      ["Time −", "Show more of the time", () => this.zoomTime(1 / FACTOR)],
      ["Value +", "Enlarge the values around the curve (Ctrl+Shift+wheel)", () => this.zoomValues(FACTOR)],
      ["Value −", "Show more values", () => this.zoomValues(1 / FACTOR)],
      ["Show all", "Show the whole drawing", () => this.fit()],
    ]) addButton(zoom, label, title, act);
    this.place = addInput(zoom, "Shown from", "input", { type: "range", min: 0, max: 1, step: 0.001, value: 0 });
    this.place.addEventListener("input", () => this.pan(Number(this.place.value) - this.time[0]));
    this.showPlace();
  }

  get isLine() { return this.line.ariaPressed === "true"; }

  // A height on a pitch lane at the nearest note of the chosen scale; others as they are.
  snap(height, axis) {
    if (!axis.log || this.scale.value === "off") return height;
    const note = snapNote(toMidi(valueOf(axis, height)), this.scale.value, Number(this.root.value));
    return Math.min(1, Math.max(0, heightOf(axis, toFrequency(note))));
  }

  // Give a plot its part of the time, and of the values of lane i.
  apply(plot, lane = null) {
    const [from, to] = this.time, [low, high] = lane === null ? [0, 1] : this.values[lane];
    plot.view = { from, to, low, high };
    plot.beat = this.beat;
  }

  zoomTime(factor, place = (this.time[0] + this.time[1]) / 2) {
    this.time = zoomRange(this.time, factor, place);
    this.showPlace();
    this.update();
  }

  zoomValues(factor, lane = null, height = null) {
    this.values = this.values.map((range, i) => {
      if (lane !== null && lane !== i) return range;
      const middle = (range[0] + range[1]) / 2, wanted = height ?? this.center(i);
      const [low, high] = zoomRange(range, factor, height ?? middle);
      const shift = height === null && factor > 1 ? Math.min(1 - high, Math.max(-low, wanted - middle)) : 0;
      return [low + shift, high + shift];
    });
    this.update();
  }

  pan(by) {
    const shift = Math.min(1 - this.time[1], Math.max(-this.time[0], by));
    this.time = this.time.map((end) => end + shift);
    this.showPlace();
    this.update();
  }

  fit() {
    this.time = [0, 1];
    this.values = this.values.map(() => [0, 1]);
    this.showPlace();
    this.update();
  }

  showPlace() {
    this.place.max = 1 - (this.time[1] - this.time[0]);
    this.place.value = this.time[0];
    this.place.disabled = this.time[1] - this.time[0] >= 1;
  }

  // Ctrl and the wheel enlarge a plot around the pointer, with Shift its values; sideways the wheel moves along.
  listen(plot, lane = null) {
    plot.svg.addEventListener("wheel", (event) => {
      const { share, height } = plot.position(event), delta = event.deltaY || event.deltaX;
      if (event.ctrlKey && event.shiftKey && lane !== null) this.zoomValues(FACTOR ** (-delta / 100), lane, height);
      else if (event.ctrlKey) this.zoomTime(FACTOR ** (-delta / 100), share);
      else if (event.deltaX && this.time[1] - this.time[0] < 1) this.pan((event.deltaX / plot.width) * (this.time[1] - this.time[0]));
      else return;
      event.preventDefault();
    }, { passive: false });
  }
}

// Keep a new pad of a notebook in view: "Run All" scrolls to the end.  Whatever the user does ends this.
export function stayInView(root, seconds = 60) {
  const over = new AbortController(), { signal } = over;
  const timer = setInterval(() => {
    const { top, bottom } = root.getBoundingClientRect();
    if (root.closest(".jp-Notebook") && (bottom < 0 || top > innerHeight)) root.scrollIntoView({ block: "nearest" });
  }, 300);
  signal.addEventListener("abort", () => clearInterval(timer));
  for (const name of ["wheel", "pointerdown", "keydown", "touchstart"]) {
    window.addEventListener(name, () => over.abort(), { capture: true, signal });
  }
  setTimeout(() => over.abort(), 1000 * seconds);
  return () => over.abort();
}
