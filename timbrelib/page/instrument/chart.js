// A figure of curves over time, drawn at the width of the screen.
import { heightOf, noteName, toFrequency, toMidi } from "../../pad/frontend/notes.js";
import { addElement, clamp, roundTicks } from "../../pad/frontend/plot.js";

const METHODS = ["ours", "paper"];  // whose sounds the page has
const CHART = { height: 240, left: 46, right: 10, top: 12, bottom: 40 };  // px

// figure: name, unit, isLog, seconds, curves: { name: heights in the unit, null where undefined }
export class Chart {
  constructor(parent, figure, onSeek) {
    this.figure = figure;
    this.svg = addElement(parent, "svg", { class: "chart", role: "img", "aria-label": figure.description, height: CHART.height });
    this.svg.addEventListener("click", (event) => {
      const share = (event.clientX - this.svg.getBoundingClientRect().left - CHART.left) / this.width;
      onSeek(figure.seconds * clamp(share));
    });
    const values = Object.values(figure.curves).flat().filter((value) => value !== null).sort((a, b) => a - b);
    const target = figure.curves.target, low = Math.min(...target), high = Math.max(...target);
    const inner = (share) => values[Math.round(share * (values.length - 1))];
    // wide enough for all but a few outliers of the measured curves
    this.low = Math.min(low, inner(0.01)) / 1.06;
    this.high = Math.max(high, inner(0.99)) * 1.06;
    new ResizeObserver(() => this.draw()).observe(parent);
  }

  x(share) { return CHART.left + share * this.width; }

  y(value) {
    const share = clamp(heightOf({ low: this.low, high: this.high, log: this.figure.isLog }, value));
    return CHART.top + (1 - share) * (CHART.height - CHART.top - CHART.bottom);
  }

  draw() {
    const width = this.svg.parentNode.clientWidth, { figure } = this;
    if (!width || width === this.drawnWidth) return;
    this.drawnWidth = width;
    this.width = width - CHART.left - CHART.right;
    this.svg.setAttribute("width", width);
    this.svg.replaceChildren();
    const bottom = CHART.height - CHART.bottom;
    for (const [value, label] of figure.isLog ? this.noteTicks() : roundTicks(this.low, this.high, 5)) {
      addElement(this.svg, "line", { class: "grid", x1: this.x(0), x2: this.x(1), y1: this.y(value), y2: this.y(value) });
      addElement(this.svg, "text", { x: CHART.left - 8, y: this.y(value) + 4, "text-anchor": "end" }, label);
    }
    for (const [time, label] of roundTicks(0, figure.seconds, Math.max(2, this.width / 70))) {
      addElement(this.svg, "line", { class: "grid", x1: this.x(time / figure.seconds), x2: this.x(time / figure.seconds), y1: bottom, y2: bottom + 4 });
      addElement(this.svg, "text", { x: this.x(time / figure.seconds), y: bottom + 18, "text-anchor": "middle" }, label);
    }
    addElement(this.svg, "text", { x: this.x(1), y: bottom + 34, "text-anchor": "end" }, "time (s)");
    addElement(this.svg, "text", { x: 0, y: bottom + 34 }, figure.axis);
    this.paths = {};
    for (const [name, values] of Object.entries(figure.curves)) this.paths[name] = addElement(this.svg, "path", { class: name, d: this.line(values) });
    this.svg.append(this.paths.target);  // in front
    this.cursor = addElement(this.svg, "line", { class: "cursor", y1: CHART.top, y2: bottom, visibility: "hidden" });
    this.moveCursor(this.time ?? null);
    this.show(this.shown ?? "ours");
  }

  line(values) {
    let command = "M", text = "";
    values.forEach((value, i) => {
      if (value === null) { command = "M"; return; }
      text += `${command}${this.x(i / (values.length - 1)).toFixed(1)} ${this.y(value).toFixed(1)}`;
      command = "L";
    });
    return text;
  }

  noteTicks() {
    const ticks = [], first = Math.ceil(toMidi(this.low)), last = Math.floor(toMidi(this.high));
    for (let note = first; note <= last; note++) if (note % 12 === 0 || (last - first < 20 && note % 12 === 7)) ticks.push([toFrequency(note), noteName(note)]);
    return ticks;
  }

  // Bring the curve of one method to the front.
  show(method) {
    this.shown = method;
    for (const name of METHODS) this.paths?.[name].classList.toggle("faded", name !== method);
  }

  // Time in s, or null to hide the cursor.
  moveCursor(time) {
    this.time = time;
    if (!this.cursor) return;
    const x = this.x((time ?? 0) / this.figure.seconds);
    this.cursor.setAttribute("x1", x);
    this.cursor.setAttribute("x2", x);
    this.cursor.setAttribute("visibility", time === null ? "hidden" : "visible");
  }
}
