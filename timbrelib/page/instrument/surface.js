// A canvas that is played with a pointer, a pen, several fingers or the keyboard.
import { addElement, clamp } from "../../pad/frontend/plot.js";

const TRAIL = 900;  // ms that the trace of a finger fades
const KEYBOARD = "keyboard";  // id of the voice of the keyboard's cursor
const STILL = matchMedia("(prefers-reduced-motion: reduce)");

// Subclasses have press, move, release (with an id and a place), paint and describe.
export class Surface {
  constructor(parent, label) {
    this.canvas = addElement(parent, "canvas", { tabindex: 0, role: "application", "aria-label": label });
    this.brush = this.canvas.getContext("2d");
    this.touches = new Map();  // by pointer: x and y, shares from 0 to 1, and the trace
    this.fading = [];
    this.cursor = { x: 0.5, y: 0.5 };
    const listen = (names, react) => names.forEach((name) => this.canvas.addEventListener(name, react));
    listen(["pointerdown"], (event) => this.onPointerDown(event));
    listen(["pointermove", "pointerrawupdate"], (event) => this.onPointerMove(event));  // the second comes between frames
    listen(["pointerup", "pointercancel", "lostpointercapture"], (event) => this.end(event.pointerId));
    listen(["keydown"], (event) => this.onKeyDown(event));
    listen(["keyup"], (event) => event.key === " " && this.end(KEYBOARD));
    listen(["blur"], () => this.end(KEYBOARD));
    listen(["focus", "contextmenu"], (event) => event.type === "focus" ? this.draw() : event.preventDefault());
    new ResizeObserver(() => this.draw()).observe(this.canvas);
    for (const query of ["(prefers-color-scheme: dark)", "(forced-colors: active)"]) matchMedia(query).addEventListener("change", () => this.draw());
  }

  place(event) {
    const box = this.canvas.getBoundingClientRect();
    const isPressure = event.pointerType !== "mouse" && event.pressure > 0 && event.pressure < 1 && event.pressure !== 0.5;
    return {
      x: clamp((event.clientX - box.left) / box.width),
      y: clamp(1 - (event.clientY - box.top) / box.height),
      pressure: isPressure ? event.pressure : 1,  // a mouse, and a screen that feels none, reports 0.5
    };
  }

  onPointerDown(event) {
    if (event.button !== 0) return;
    const place = this.place(event);
    this.press(event.pointerId, place);  // sound before everything else
    this.canvas.setPointerCapture(event.pointerId);
    this.begin(event.pointerId, place);
  }

  onPointerMove(event) {
    if (!this.touches.has(event.pointerId)) return;
    const place = this.place(event);
    this.move(event.pointerId, place);
    this.trace(event.pointerId, place);
  }

  begin(id, place) {
    this.touches.set(id, { ...place, trace: [] });
    this.trace(id, place);
  }

  trace(id, place) {
    const touch = this.touches.get(id);
    touch.trace.push({ x: place.x, y: place.y, time: performance.now() });
    Object.assign(touch, place);
    this.describe(place);
    this.draw();
  }

  end(id) {
    const touch = this.touches.get(id);
    if (!touch) return;
    this.touches.delete(id);
    this.release(id);
    this.fading.push(touch.trace);
    this.draw();
  }

  onKeyDown(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const step = this.step(event.shiftKey);
    const moves = { ArrowLeft: [-step.x, 0], ArrowRight: [step.x, 0], ArrowUp: [0, step.y], ArrowDown: [0, -step.y] };
    if (event.key in moves) {
      const [x, y] = moves[event.key];
      this.cursor = { x: clamp(this.cursor.x + x), y: clamp(this.cursor.y + y), pressure: 1 };
      if (this.touches.has(KEYBOARD)) this.move(KEYBOARD, this.cursor), this.trace(KEYBOARD, this.cursor);
      else this.describe(this.cursor);
    } else if (event.key === " ") {
      if (!event.repeat) this.press(KEYBOARD, { pressure: 1, ...this.cursor }), this.begin(KEYBOARD, this.cursor);
    } else return;
    event.preventDefault();
    this.draw();
  }

  // How far an arrow key moves the cursor.
  step(isLarge) { return isLarge ? { x: 0.1, y: 0.1 } : { x: 0.02, y: 0.02 }; }

  // Draw at the next frame, and go on as long as traces fade.
  draw() {
    this.request ??= requestAnimationFrame((now) => {
      this.request = undefined;
      const { clientWidth: width, clientHeight: height } = this.canvas, scale = window.devicePixelRatio || 1;
      if (!width) return;
      const [w, h] = [Math.round(width * scale), Math.round(height * scale)];
      if (this.canvas.width !== w || this.canvas.height !== h) Object.assign(this.canvas, { width: w, height: h });
      this.brush.setTransform(scale, 0, 0, scale, 0, 0);
      this.brush.clearRect(0, 0, width, height);
      const style = getComputedStyle(this.canvas), colour = (name) => style.getPropertyValue(`--${name}`).trim();
      this.paint(width, height, colour);
      this.paintTouches(width, height, colour, now);
    });
  }

  paintTouches(width, height, colour, now) {
    const { brush } = this, at = (point) => [point.x * width, (1 - point.y) * height];
    this.fading = STILL.matches ? [] : this.fading.filter((trace) => trace.length && now - trace.at(-1).time < TRAIL);
    brush.strokeStyle = brush.fillStyle = colour("accent");
    brush.lineCap = "round";
    for (const trace of STILL.matches ? [] : [...this.fading, ...[...this.touches.values()].map((touch) => touch.trace)]) {
      while (trace.length && now - trace[0].time > TRAIL) trace.shift();
      for (let i = 1; i < trace.length; i++) {
        const left = 1 - (now - trace[i].time) / TRAIL;
        brush.globalAlpha = 0.7 * left;
        brush.lineWidth = 1 + 7 * left;
        brush.beginPath();
        brush.moveTo(...at(trace[i - 1]));
        brush.lineTo(...at(trace[i]));
        brush.stroke();
      }
    }
    for (const touch of this.touches.values()) {
      for (const [radius, alpha] of [[26 * Math.sqrt(touch.pressure ?? 1), 0.18], [9, 1]]) {
        brush.globalAlpha = alpha;
        brush.beginPath();
        brush.arc(...at(touch), radius, 0, 2 * Math.PI);
        brush.fill();
      }
    }
    if (this.canvas.matches(":focus-visible") && !this.touches.size) {
      brush.globalAlpha = 1;
      brush.lineWidth = 2;
      brush.beginPath();
      brush.arc(...at(this.cursor), 9, 0, 2 * Math.PI);
      brush.stroke();
    }
    brush.globalAlpha = 1;
    const isMoving = this.fading.length || (!STILL.matches && [...this.touches.values()].some((touch) => touch.trace.length));
    if (isMoving) this.draw();
  }
}
