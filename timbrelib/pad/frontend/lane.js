// A lane of the pad: one curve, drawn with a pointer or the keyboard, over the selected and measured values.

const PLOT_HEIGHTS = [220, 150];  // px of the first and the second lane
const STEPS = 24;  // of the keyboard's cursor along the curve
const SHAPES = { sin: "Sine", exp: "Log/exp", ramp: "Ramp", steps: "Steps", flat: "Flat" };
const NOTES = ["C", "C♯", "D", "D♯", "E", "F", "F♯", "G", "G♯", "A", "A♯", "B"];

// `actions` are what a lane asks of the pad: setStroking, commit, send, togglePlay.
class Lane {
  constructor(parent, index, actions) {
    this.index = index;
    this.actions = actions;
    this.box = addElement(parent, "div", { class: "lane" });
    const bar = addElement(this.box, "div", { class: "bar" });
    this.title = addElement(bar, "strong");
    this.shapes = Object.entries(SHAPES).map(([shape, text]) => addButton(bar, text, "", () => actions.send("shape", { lane: index, shape })));
    this.readout = addElement(bar, "span", { class: "readout" });
    this.plot = new Plot(this.box, PLOT_HEIGHTS[index], { class: "drawing", tabindex: 0, role: "slider", "aria-orientation": "vertical" });
    const svg = this.plot.svg;
    this.selected = addElement(svg, "path", { class: "selected" });
    this.drawn = addElement(svg, "path", { class: "drawn" });
    this.measured = addElement(svg, "path", { class: "measured" });
    this.cursorMark = addElement(svg, "circle", { class: "cursor", r: 5 });
    this.legend = addElement(this.box, "div", { class: "legend" });
    this.cursor = STEPS / 2;
    this.heights = [];
    svg.addEventListener("pointerdown", (event) => this.onPointerDown(event));
    svg.addEventListener("pointermove", (event) => this.onPointerMove(event));
    svg.addEventListener("pointerup", (event) => this.onPointerUp(event));
    svg.addEventListener("pointercancel", (event) => event.pointerId === this.pointer && this.cancel());
    svg.addEventListener("keydown", (event) => this.onKeyDown(event));
    svg.addEventListener("keyup", () => this.isEditing && this.finish());
    svg.addEventListener("blur", () => this.isEditing && this.finish());
  }

  // axis: name, unit, low, high, log, code_range, ticks, histogram
  show(axis, width, seconds) {
    const layout = JSON.stringify([width, seconds, { ...axis, heights: null }]);
    if (layout !== this.layout) this.drawAxis(axis, width, seconds);
    this.layout = layout;
    this.drawCurve();
  }

  drawAxis(axis, width, seconds) {
    this.axis = axis;
    const label = axis.unit ? `${axis.name} (${axis.unit})` : axis.name;
    this.title.textContent = label;
    for (const shape of this.shapes) shape.ariaLabel = `${shape.textContent}: ${axis.name}`;
    this.plot.svg.setAttribute("aria-label", `${label} over time: arrow keys move a point of the curve, Space plays`);
    this.plot.resize(width, seconds);
    const { axes } = this.plot, y = (height) => this.plot.y(height);
    const [lowest, highest] = axis.code_range;
    for (const [bottom, top] of [[0, lowest], [highest, 1]]) {
      if (top - bottom < 0.001) continue;
      const area = { x: LEFT, width: this.plot.width, y: y(top), height: y(bottom) - y(top), class: "out-of-range" };
      addElement(addElement(axes, "rect", area), "title", {}, "no code has these values");
    }
    for (const [height, text] of axis.ticks) this.plot.addTick(height, text);
    axis.histogram.forEach((share, bin) => {
      const n = axis.histogram.length, corner = { x: LEFT + this.plot.width + 4, y: y((bin + 1) / n) };
      addElement(axes, "rect", { ...corner, width: share * (RIGHT - 8), height: this.plot.height / n - 0.5, class: "histogram" });
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
    addElement(this.legend, "span", { class: "key selected" }, "selected codes");
    addElement(this.legend, "span", { class: "key measured" }, `measured: ${result.score}`);
  }

  frame(share) { return Math.round(clamp(share) * (this.heights.length - 1)); }

  value(height) {
    const { low, high, log } = this.axis;
    return log ? low * (high / low) ** height : low + (high - low) * height;
  }

  describe(share, height) {
    const value = this.value(height), { unit, log } = this.axis;
    const midi = Math.round(69 + 12 * Math.log2(value / 440));
    const note = log ? ` (${NOTES[midi % 12]}${Math.floor(midi / 12) - 1})` : "";
    return `${(share * this.plot.seconds).toFixed(2)} s, ${Number(value.toPrecision(3))} ${unit}${note}`.trim();
  }

  // Where a pointer is: share of the time and height, both from 0 to 1.
  position(event) {
    const box = this.plot.svg.getBoundingClientRect();
    const share = clamp((event.clientX - box.left - LEFT) / this.plot.width);
    return { share, height: clamp(1 - (event.clientY - box.top - TOP) / this.plot.height) };
  }

  // Replace the curve between two positions by a straight line.
  interpolate(a, b) {
    const [first, last] = a.share <= b.share ? [a, b] : [b, a];
    const start = this.frame(first.share), stop = this.frame(last.share);
    for (let i = start; i <= stop; i++) {
      const along = stop === start ? 1 : (i - start) / (stop - start);
      this.heights[i] = first.height + along * (last.height - first.height);
    }
    if (start === stop) this.heights[start] = b.height;
  }

  onPointerDown(event) {
    if (event.button !== 0 || this.pointer !== undefined) return;
    this.plot.svg.setPointerCapture(event.pointerId);
    this.pointer = event.pointerId;
    this.before = this.heights.slice();
    this.start = this.last = this.position(event);
    this.isStraight = event.shiftKey;
    this.actions.setStroking(true);
    this.drawTo(this.last);
  }

  drawTo(position) {
    if (this.isStraight) this.heights = this.before.slice();
    this.interpolate(this.isStraight ? this.start : this.last, position);
    this.last = position;
    this.drawCurve();
  }

  onPointerMove(event) {
    const position = this.position(event);
    this.readout.textContent = this.describe(position.share, position.height);
    if (event.pointerId !== this.pointer) return;
    for (const part of event.getCoalescedEvents?.() ?? []) this.drawTo(this.position(part));
    this.drawTo(position);
  }

  // A click moves the keyboard's cursor; with Shift it draws a line from the end of the last stroke.
  onPointerUp(event) {
    if (event.pointerId !== this.pointer) return;
    this.drawTo(this.position(event));
    this.pointer = undefined;
    this.cursor = Math.round(this.last.share * STEPS);
    const across = Math.abs(this.last.share - this.start.share) * this.plot.width;
    const isClick = across < 3 && Math.abs(this.last.height - this.start.height) * this.plot.height < 3;
    if (isClick && !(this.isStraight && this.end)) return this.restore();
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
