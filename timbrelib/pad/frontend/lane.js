// A lane of the pad: one curve to draw by hand or keys, over what was heard of it.

const HEIGHTS = [220, 150];  // px of the first and the second lane
const POINTS = 24;  // steps of the keyboard's point along the curve
const SHAPES = { sin: "Sine", exp: "Log/exp", ramp: "Ramp", steps: "Steps", clear: "Clear" };
const NOTES = ["C", "C♯", "D", "D♯", "E", "F", "F♯", "G", "G♯", "A", "A♯", "B"];

// `act` has what a lane asks of the pad: stroke, commit, ask, play.
class Lane {
  constructor(parent, index, act) {
    this.index = index;
    this.act = act;
    this.box = node(parent, "div", { class: "lane" });
    const bar = node(this.box, "div", { class: "bar" });
    this.title = node(bar, "strong");
    this.shapes = Object.entries(SHAPES).map(([shape, text]) => button(bar, text, "", () => act.ask("shape", { lane: index, shape })));
    this.readout = node(bar, "span", { class: "readout" });
    this.plot = new Plot(this.box, HEIGHTS[index], { class: "drawing", tabindex: 0, role: "slider", "aria-orientation": "vertical" });
    const svg = this.plot.svg;
    this.selected = node(svg, "path", { class: "selected" });
    this.drawn = node(svg, "path", { class: "drawn" });
    this.measured = node(svg, "path", { class: "measured" });
    this.point = node(svg, "circle", { class: "point", r: 5 });
    this.legend = node(this.box, "div", { class: "legend" });
    this.at = POINTS / 2;  // where the keyboard's point is
    this.heights = [];
    svg.addEventListener("pointerdown", (event) => this.down(event));
    svg.addEventListener("pointermove", (event) => this.move(event));
    svg.addEventListener("pointerup", (event) => this.up(event));
    svg.addEventListener("pointercancel", (event) => event.pointerId === this.pen && this.cancel());
    svg.addEventListener("keydown", (event) => this.key(event));
    svg.addEventListener("keyup", () => this.moved && this.finish());
    svg.addEventListener("blur", () => this.moved && this.finish());
  }

  // axis: name, unit, low, high, log, reach, ticks, histogram
  show(axis, width, seconds) {
    const key = JSON.stringify([width, seconds, { ...axis, heights: null }]);
    if (key !== this.laid) this.lay(axis, width, seconds);
    this.laid = key;
    this.trace();
  }

  lay(axis, width, seconds) {
    this.axis = axis;
    const label = axis.unit ? `${axis.name} (${axis.unit})` : axis.name;
    this.title.textContent = label;
    for (const shape of this.shapes) shape.ariaLabel = `${shape.textContent}: ${axis.name}`;
    this.plot.svg.setAttribute("aria-label", `${label} over time: arrow keys move a point of the curve, Space plays`);
    this.plot.resize(width, seconds);
    const { axes } = this.plot, y = (h) => this.plot.y(h);
    const [lowest, highest] = axis.reach;
    for (const [bottom, top] of [[0, lowest], [highest, 1]]) {
      if (top - bottom < 0.001) continue;
      const area = { x: LEFT, width: this.plot.width, y: y(top), height: y(bottom) - y(top), class: "beyond" };
      node(node(axes, "rect", area), "title", {}, "no code reaches here");
    }
    for (const [height, text] of axis.ticks) this.plot.tick(height, text);
    axis.histogram.forEach((share, bin) => {
      const n = axis.histogram.length, place = { x: LEFT + this.plot.width + 4, y: y((bin + 1) / n) };
      node(axes, "rect", { ...place, width: share * (RIGHT - 8), height: this.plot.height / n - 0.5, class: "codes" });
    });
  }

  line(path, heights) {
    let text = "", pen = "M";
    heights.forEach((height, i) => {
      if (height === null) { pen = "M"; return; }
      text += `${pen}${this.plot.x(i / (heights.length - 1)).toFixed(1)} ${this.plot.y(height).toFixed(1)}`;
      pen = "L";
    });
    path.setAttribute("d", text);
  }

  trace() {
    this.line(this.drawn, this.heights);
    const share = this.at / POINTS, height = this.heights[this.frame(share)] ?? 0;
    this.point.setAttribute("cx", this.plot.x(share));
    this.point.setAttribute("cy", this.plot.y(height));
    const text = this.say(share, height), percent = Math.round(100 * height);
    for (const [key, value] of Object.entries({ valuemin: 0, valuemax: 100, valuenow: percent, valuetext: text })) {
      this.plot.svg.setAttribute(`aria-${key}`, value);
    }
  }

  // heard: selected, measured, error; null clears
  result(heard) {
    const dots = (heard?.selected ?? []).map((h, i, all) =>
      h === null ? "" : `M${this.plot.x(i / (all.length - 1)).toFixed(1)} ${this.plot.y(h).toFixed(1)}h0`);
    this.selected.setAttribute("d", dots.join(""));
    this.line(this.measured, heard?.measured ?? []);
    this.legend.replaceChildren();
    node(this.legend, "span", { class: "key drawn" }, "drawn");
    if (!heard) return;
    node(this.legend, "span", { class: "key selected" }, "selected codes");
    node(this.legend, "span", { class: "key measured" }, `measured: ${heard.error}`);
  }

  frame(share) { return Math.round(clamp(share) * (this.heights.length - 1)); }

  value(height) {
    const { low, high, log } = this.axis;
    return log ? low * (high / low) ** height : low + (high - low) * height;
  }

  say(share, height) {
    const value = this.value(height), { unit, log } = this.axis;
    const midi = Math.round(69 + 12 * Math.log2(value / 440));
    const note = log ? ` (${NOTES[midi % 12]}${Math.floor(midi / 12) - 1})` : "";
    return `${(share * this.plot.seconds).toFixed(2)} s, ${Number(value.toPrecision(3))} ${unit}${note}`.trim();
  }

  place(event) {
    const box = this.plot.svg.getBoundingClientRect();
    const share = clamp((event.clientX - box.left - LEFT) / this.plot.width);
    return { share, height: clamp(1 - (event.clientY - box.top - TOP) / this.plot.height) };
  }

  join(a, b) {
    const [first, last] = a.share <= b.share ? [a, b] : [b, a];
    const start = this.frame(first.share), stop = this.frame(last.share);
    for (let i = start; i <= stop; i++) {
      const along = stop === start ? 1 : (i - start) / (stop - start);
      this.heights[i] = first.height + along * (last.height - first.height);
    }
    if (start === stop) this.heights[start] = b.height;
  }

  down(event) {
    if (event.button !== 0 || this.pen !== undefined) return;
    this.plot.svg.setPointerCapture(event.pointerId);
    this.pen = event.pointerId;
    this.before = this.heights.slice();
    this.from = this.last = this.place(event);
    this.straight = event.shiftKey;
    this.act.stroke(true);
    this.draw(this.last);
  }

  draw(here) {
    if (this.straight) this.heights = this.before.slice();
    this.join(this.straight ? this.from : this.last, here);
    this.last = here;
    this.trace();
  }

  move(event) {
    const here = this.place(event);
    this.readout.textContent = this.say(here.share, here.height);
    if (event.pointerId !== this.pen) return;
    for (const part of event.getCoalescedEvents?.() ?? []) this.draw(this.place(part));
    this.draw(here);
  }

  // A click chooses a point for the keyboard; with Shift it draws a line from where the last stroke ended.
  up(event) {
    if (event.pointerId !== this.pen) return;
    this.draw(this.place(event));
    this.pen = undefined;
    this.at = Math.round(this.last.share * POINTS);
    const across = Math.abs(this.last.share - this.from.share) * this.plot.width;
    const clicked = across < 3 && Math.abs(this.last.height - this.from.height) * this.plot.height < 3;
    if (clicked && !(this.straight && this.end)) return this.leave();
    if (clicked) {
      this.from = this.end;
      this.draw(this.last);
    }
    this.end = this.last;
    this.finish();
  }

  leave() {
    this.heights = this.before;
    this.trace();
    this.act.stroke(false);
  }

  cancel() {
    if (this.pen === undefined) return;
    this.pen = undefined;
    this.leave();
  }

  finish() {
    this.moved = false;
    this.trace();
    this.act.commit(this.index, this.heights);
  }

  // Lift the point, and the curve between its neighbours with it.
  lift(by) {
    if (!this.moved) this.act.stroke(true);
    this.moved = true;
    const n = this.heights.length - 1, middle = (this.at * n) / POINTS, reach = Math.max(1, n / POINTS);
    this.heights = this.heights.map((h, i) => clamp(h + by * Math.max(0, 1 - Math.abs(i - middle) / reach)));
  }

  key(event) {
    const command = event.ctrlKey || event.metaKey, fine = event.shiftKey ? 0.05 : 0.01;
    const steps = { ArrowUp: fine, ArrowDown: -fine, PageUp: 0.1, PageDown: -0.1 };
    const places = { ArrowLeft: this.at - 1, ArrowRight: this.at + 1, Home: 0, End: POINTS };
    if (command && ["z", "Z"].includes(event.key)) this.act.ask(event.shiftKey ? "redo" : "undo");
    else if (command && event.key === "y") this.act.ask("redo");
    else if (command || event.altKey) return;
    else if (event.key === " ") this.act.play();
    else if (event.key in steps) this.lift(steps[event.key]);
    else if (event.key in places) this.at = Math.min(POINTS, Math.max(0, places[event.key]));
    else return;
    event.preventDefault();
    this.trace();
    this.readout.textContent = this.plot.svg.getAttribute("aria-valuetext");
  }
}
