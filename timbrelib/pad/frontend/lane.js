// A lane of the pad: one curve, drawn with a pointer or the keyboard, over the selected and measured values.

import { addElement, addButton, clamp, LEFT, Plot, RIGHT, TOP } from "./plot.js";
import { addPianoRoll, noteName, termFor, ticksInView, toMidi, valueOf, WARNINGS, wordFor } from "./notes.js";

const PLOT_HEIGHTS = [210, 100];  // px of the first and the second lane
const REACH = 12;  // px around the plot in which a finger still draws
const STEPS = 24;  // of the keyboard's cursor along the curve
const SHAPES = {  // names, and their pictures in a box of 20 x 12
  sin: ["Sine", "M1 6C4 -2 7 -2 10 6S16 14 19 6"],
  exp: ["Log/exp", "M1 11C3 4 6 1 10 1C11 8 14 10 19 11"],
  ramp: ["Ramp", "M1 11L19 1"],
  steps: ["Steps", "M1 11H7V6H13V1H19"],
  flat: ["Flat", "M1 6H19"],
};

// `actions` are what a lane asks of the pad: setStroking, commit, send, togglePlay; and, where the pad has them,
// seek(seconds), isLine(), snap(height, axis) and preview(lane, heights) while a stroke goes on.
export class Lane {
  constructor(parent, index, actions) {
    this.index = index;
    this.actions = actions;
    this.box = addElement(parent, "div", { class: "lane" });
    const bar = addElement(this.box, "div", { class: "bar" });
    this.title = addElement(bar, "strong");
    this.term = addElement(bar, "span", { class: "term" });
    const group = addElement(bar, "span", { class: "group" });
    this.shapes = Object.entries(SHAPES).map(([shape, [text, picture]]) => {
      const button = addButton(group, "", text, () => actions.send("shape", { lane: index, shape }));
      const svg = addElement(button, "svg", { class: "icon", width: 20, height: 12, "aria-hidden": "true" });
      addElement(svg, "path", { d: picture });
      return [button, text];
    });
    this.legend = addElement(bar, "span", { class: "legend" });
    this.readout = addElement(bar, "span", { class: "readout" });
    this.plot = new Plot(this.box, PLOT_HEIGHTS[index], { class: "drawing", tabindex: 0, role: "slider", "aria-orientation": "vertical" });
    const svg = this.plot.svg, content = this.plot.content;
    this.kept = addElement(content, "path", { class: "kept" });
    this.selected = addElement(content, "path", { class: "selected" });
    this.drawn = addElement(content, "path", { class: "drawn" });
    this.measured = addElement(content, "path", { class: "measured" });
    this.cursorMark = addElement(content, "circle", { class: "cursor", r: 5 });
    this.surface = addElement(svg, "rect", { class: "surface", x: LEFT - REACH });  // beside it, a finger scrolls the page
    this.cursor = STEPS / 2;
    this.heights = [];
    this.edit = { from: 0, to: 1 };  // shares of the time that the last stroke changed
    svg.addEventListener("pointerdown", (event) => this.onPointerDown(event));
    svg.addEventListener("touchstart", (event) => event.target === this.surface && event.preventDefault(), { passive: false });
    svg.addEventListener("pointermove", (event) => this.onPointerMove(event));
    svg.addEventListener("pointerup", (event) => this.onPointerUp(event));
    svg.addEventListener("pointercancel", (event) => event.pointerId === this.pointer && this.cancel());
    svg.addEventListener("keydown", (event) => this.onKeyDown(event));
    svg.addEventListener("keyup", () => this.isEditing && this.finish());
    svg.addEventListener("blur", () => this.isEditing && this.finish());
  }

  // axis: name, unit, low, high, log, code_range, ticks, histogram
  show(axis, width, seconds) {
    const { height, view, beat } = this.plot;
    const layout = JSON.stringify([width, seconds, height, view, beat, { ...axis, heights: null }]);
    if (layout !== this.layout) this.drawAxis(axis, width, seconds);
    this.layout = layout;
    this.drawCurve();
  }

  drawAxis(axis, width, seconds) {
    if (axis.name !== this.axis?.name) this.readout.textContent = "";
    this.axis = axis;
    const word = wordFor(axis.name), term = termFor(axis.name), unit = axis.unit ? ` (${axis.unit})` : "";
    this.title.textContent = word;
    this.term.textContent = [`${term}${unit}`.trim(), WARNINGS[axis.name]].filter(Boolean).join(", ");
    for (const [button, text] of this.shapes) button.ariaLabel = `${text}: ${word}`;
    this.plot.svg.setAttribute("aria-label", `${word}${unit} over time: arrow keys move a point of the curve, Space plays`);
    this.plot.resize(width, seconds);
    this.surface.setAttribute("width", this.plot.width + 2 * REACH);
    this.surface.setAttribute("height", this.plot.height + TOP + REACH);
    const { axes } = this.plot, y = (height) => this.plot.y(Math.min(this.plot.view.high, Math.max(this.plot.view.low, height)));
    if (axis.log) addPianoRoll(this.plot, axis);
    const [lowest, highest] = axis.code_range;
    for (const [bottom, top] of [[0, lowest], [highest, 1]]) {
      if (y(bottom) - y(top) < 0.3) continue;
      const area = { x: LEFT, width: this.plot.width, y: y(top), height: y(bottom) - y(top), class: "out-of-range" };
      addElement(addElement(axes, "rect", area), "title", {}, "no code has these values");
    }
    for (const [height, text] of ticksInView(axis, this.plot)) this.plot.addTick(height, text);
    axis.histogram.forEach((share, bin) => {
      const n = axis.histogram.length, top = y((bin + 1) / n), height = y(bin / n) - top - 0.5;
      if (height > 0) addElement(axes, "rect", { x: LEFT + this.plot.width + 4, y: top, width: share * (RIGHT - 8), height, class: "histogram" });
    });
  }

  // Draw heights as a line that is interrupted where they are null.
  drawLine(path, heights) {
    let line = "", command = "M";
    heights.forEach((height, i) => {
      if (height === null) { command = "M"; return; }
      line += `${command}${this.plot.x(i / (heights.length - 1)).toFixed(1)} ${this.plot.y(height).toFixed(1)}`;
      command = "L";
    });
    path.setAttribute("d", line);
  }

  drawCurve() {
    this.drawLine(this.drawn, this.heights);
    const share = this.cursor / STEPS, height = this.heights[this.frame(share)] ?? 0;
    this.cursorMark.setAttribute("cx", this.plot.x(share));
    this.cursorMark.setAttribute("cy", this.plot.y(height));
    const text = this.describe(share, height), percent = Math.round(100 * height);
    for (const [key, value] of Object.entries({ valuemin: 0, valuemax: 100, valuenow: percent, valuetext: text })) {
      this.plot.svg.setAttribute(`aria-${key}`, value);
    }
  }

  // result: selected, measured, score; null clears
  showResult(result) {
    const dots = (result?.selected ?? []).map((height, i, all) =>
      height === null ? "" : `M${this.plot.x(i / (all.length - 1)).toFixed(1)} ${this.plot.y(height).toFixed(1)}h0`);
    this.selected.setAttribute("d", dots.join(""));
    this.drawLine(this.measured, result?.measured ?? []);
    this.legend.replaceChildren();
    addElement(this.legend, "span", { class: "key drawn" }, "drawn");
    if (!result) return;
    if (result.selected.length) addElement(this.legend, "span", { class: "key selected" }, "selected codes");
    addElement(this.legend, "span", { class: "key measured" }, `measured: ${result.score}`);
  }

  // The curve that the current one is compared with, heights or null.
  showKept(heights) { this.drawLine(this.kept, heights ?? []); }

  // Where the keyboard's cursor is, in seconds.
  get cursorTime() { return (this.cursor / STEPS) * this.plot.seconds; }

  frame(share) { return Math.round(clamp(share) * (this.heights.length - 1)); }

  describe(share, height) {
    const value = valueOf(this.axis, height), { unit, log } = this.axis;
    const note = log ? ` (${noteName(toMidi(value))})` : "";
    return `${(share * this.plot.seconds).toFixed(2)} s, ${Number(value.toPrecision(3))} ${unit}${note}`.trim();
  }

  // Replace the curve between two positions by a straight line.
  interpolate(a, b) {
    const [first, last] = a.share <= b.share ? [a, b] : [b, a];
    const start = this.frame(first.share), stop = this.frame(last.share);
    const snap = (height) => this.actions.snap?.(height, this.axis) ?? height;
    for (let i = start; i <= stop; i++) {
      const along = stop === start ? 1 : (i - start) / (stop - start);
      this.heights[i] = snap(first.height + along * (last.height - first.height));
    }
    if (start === stop) this.heights[start] = snap(b.height);
    this.edit = { from: Math.min(this.edit.from, first.share), to: Math.max(this.edit.to, last.share) };
  }

  onPointerDown(event) {
    if (event.button !== 0 || this.pointer !== undefined || (event.pointerType === "touch" && event.target !== this.surface)) return;
    this.plot.svg.setPointerCapture(event.pointerId);
    this.pointer = event.pointerId;
    this.before = this.heights.slice();
    this.start = this.last = this.plot.position(event);
    this.edit = { from: this.start.share, to: this.start.share };
    this.isStraight = event.shiftKey || Boolean(this.actions.isLine?.());
    this.isContinued = event.shiftKey;
    this.actions.setStroking(true);
    this.drawTo(this.last);
  }

  drawTo(position) {
    if (this.isStraight) this.heights = this.before.slice();
    this.interpolate(this.isStraight ? this.start : this.last, position);
    this.last = position;
    this.drawCurve();
    this.actions.preview?.(this.index, this.heights);
  }

  onPointerMove(event) {
    const position = this.plot.position(event);
    this.readout.textContent = this.describe(position.share, position.height);
    if (event.pointerId !== this.pointer) return;
    for (const part of event.getCoalescedEvents?.() ?? []) this.drawTo(this.plot.position(part));
    this.drawTo(position);
  }

  // A click moves the keyboard's cursor and the playhead; with Shift it draws a line from the end of the last stroke.
  onPointerUp(event) {
    if (event.pointerId !== this.pointer) return;
    this.drawTo(this.plot.position(event));
    this.pointer = undefined;
    this.cursor = Math.round(this.last.share * STEPS);
    const across = Math.abs(this.plot.x(this.last.share) - this.plot.x(this.start.share));
    const isClick = across < 3 && Math.abs(this.plot.y(this.last.height) - this.plot.y(this.start.height)) < 3;
    if (isClick && !(this.isContinued && this.end)) {
      this.restore();
      return this.actions.seek?.(this.last.share * this.plot.seconds);
    }
    if (isClick) {
      this.start = this.end;
      this.drawTo(this.last);
    }
    this.end = this.last;
    this.finish();
  }

  restore() {
    this.heights = this.before;
    this.drawCurve();
    this.actions.setStroking(false);
  }

  cancel() {
    if (this.pointer === undefined) return;
    this.pointer = undefined;
    this.restore();
  }

  finish() {
    this.isEditing = false;
    this.drawCurve();
    this.actions.commit(this.index, this.heights);
  }

  // Move the point at the cursor up or down, and the curve around it as far as the neighbouring steps.
  movePoint(by) {
    if (!this.isEditing) this.actions.setStroking(true);
    this.isEditing = true;
    const n = this.heights.length - 1, middle = (this.cursor * n) / STEPS, radius = Math.max(1, n / STEPS);
    this.edit = { from: clamp((middle - radius) / n), to: clamp((middle + radius) / n) };
    this.heights = this.heights.map((height, i) => clamp(height + by * Math.max(0, 1 - Math.abs(i - middle) / radius)));
  }

  onKeyDown(event) {
    const command = event.ctrlKey || event.metaKey, step = event.shiftKey ? 0.05 : 0.01;
    const moves = { ArrowUp: step, ArrowDown: -step, PageUp: 0.1, PageDown: -0.1 };
    const cursors = { ArrowLeft: this.cursor - 1, ArrowRight: this.cursor + 1, Home: 0, End: STEPS };
    if (command && ["z", "Z"].includes(event.key)) this.actions.send(event.shiftKey ? "redo" : "undo");
    else if (command && event.key === "y") this.actions.send("redo");
    else if (command || event.altKey) return;
    else if (event.key === " ") this.actions.togglePlay();
    else if (event.key in moves) this.movePoint(moves[event.key]);
    else if (event.key in cursors) this.cursor = Math.min(STEPS, Math.max(0, cursors[event.key]));
    else return;
    event.preventDefault();
    this.drawCurve();
    this.readout.textContent = this.plot.svg.getAttribute("aria-valuetext");
  }
}
