// Elements, buttons, and plots with a time axis.
// timbrelib/pad/elements.py joins these modules into one, which needs no other host.

export const SVG = "http://www.w3.org/2000/svg";
export const LEFT = 60, RIGHT = 44, TOP = 6, BOTTOM = 22;  // px around a plot

export const clamp = (x) => Math.min(1, Math.max(0, x));

export function addElement(parent, name, attributes = {}, text = "") {
  const isSvg = name === "svg" || parent.namespaceURI === SVG;
  const element = isSvg ? document.createElementNS(SVG, name) : document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  if (text) element.textContent = text;
  parent.append(element);
  return element;
}

export function addButton(parent, label, title, onClick) {
  const button = addElement(parent, "button", { type: "button", title }, label);
  button.addEventListener("click", onClick);
  return button;
}

// A button that is on or off.
export function addToggle(parent, label, title, onChange) {
  const button = addButton(parent, label, title, () => {
    button.ariaPressed = String(button.ariaPressed !== "true");
    onChange(button.ariaPressed === "true");
  });
  button.ariaPressed = "false";
  return button;
}

// An input with a label next to it; its text would not be its name alone, since a label contains what is in it.
export function addInput(parent, label, name, attributes = {}) {
  const box = addElement(parent, "label", { class: `control ${attributes.type ?? ""}`.trim() }, label);
  return addElement(box, name, { "aria-label": label, ...attributes });
}

// A menu, options: { value: text }.
export function addMenu(parent, label, options, onChange) {
  const menu = addInput(parent, label, "select");
  setOptions(menu, Object.entries(options));
  menu.addEventListener("change", () => onChange(menu.value));
  return menu;
}

// Replace the options of a menu, [value, text], only if they are others, so that an open menu stays open.
export function setOptions(menu, options) {
  const key = JSON.stringify(options);
  if (menu.dataset.options === key) return;
  menu.dataset.options = key;
  menu.replaceChildren();
  for (const [value, text] of options) addElement(menu, "option", { value }, text);
}

// Keep Jupyter from moving its cells with keys that a widget uses.  Notebook 7 handles keys before the page
// does, unless their target has an attribute; JupyterLab 4 handles them after it.  Other keys, such as Ctrl+S,
// still reach Jupyter.
export function captureKeys(root) {
  const capture = (event) => {
    const command = event.ctrlKey || event.metaKey;
    if (!root.contains(event.target)) return;
    const used = command ? /^[zy]$/i.test(event.key) : !event.altKey && event.key !== "Enter";
    event.target.toggleAttribute("data-lm-suppress-shortcuts", used);
    if (used) root.addEventListener("keydown", (e) => e.stopPropagation(), { once: true });
  };
  window.addEventListener("keydown", capture, true);
  return () => window.removeEventListener("keydown", capture, true);
}

// Give a widget the class `dark` while the page around it is dark: JupyterLab, Notebook and Voila say so in an
// attribute, marimo in a class; elsewhere the system decides.
export function followTheme(root) {
  const system = matchMedia("(prefers-color-scheme: dark)");
  const update = () => {
    const { jpThemeLight } = document.body.dataset, marks = `${document.body.className} ${document.documentElement.className}`;
    const isDark = jpThemeLight ? jpThemeLight === "false" : /\b(dark|light)\b/.exec(marks)?.[1] ?? (system.matches && "dark");
    root.classList.toggle("dark", isDark === true || isDark === "dark");
  };
  const changes = new MutationObserver(update);
  for (const element of [document.body, document.documentElement]) changes.observe(element, { attributes: true });
  system.addEventListener("change", update);
  update();
  return () => {
    changes.disconnect();
    system.removeEventListener("change", update);
  };
}

// Round numbers from low to high, at most about `count` of them, as [number, text].
export function roundTicks(low, high, count) {
  const exact = (high - low) / count, power = 10 ** Math.floor(Math.log10(exact)), ticks = [];
  const step = [1, 2, 5, 10].map((digit) => digit * power).find((size) => size >= exact);
  for (let tick = Math.ceil(low / step) * step; tick <= high; tick += step) ticks.push([tick, String(Number(tick.toPrecision(6)))]);
  return ticks;
}

// A plot with a time axis; lanes and spectrogram share its margins, so that they line up.
// `view` is the part of it that is shown, as shares of the time and of the height.
export class Plot {
  constructor(parent, height, attributes) {
    this.height = height;
    this.view = { from: 0, to: 1, low: 0, high: 1 };
    this.beat = 0;  // seconds between the lines of a beat grid, 0 for none
    this.svg = addElement(parent, "svg", { height: height + TOP + BOTTOM, ...attributes });
    const id = `timbre-${Math.random().toString(36).slice(2)}`;
    this.clip = addElement(addElement(this.svg, "clipPath", { id }), "rect", { x: LEFT - 2, y: TOP - 2 });
    this.axes = addElement(this.svg, "g");
    this.content = addElement(this.svg, "g", { "clip-path": `url(#${id})` });  // what must not leave the plot
    this.playhead = addElement(this.svg, "line", { class: "playhead", visibility: "hidden" });
  }

  resize(width, seconds) {
    const bottom = TOP + this.height;
    this.width = Math.max(80, width - LEFT - RIGHT);
    this.seconds = seconds;
    this.svg.setAttribute("width", width);
    this.svg.setAttribute("height", bottom + BOTTOM);
    this.clip.setAttribute("width", this.width + 4);
    this.clip.setAttribute("height", this.height + 4);
    this.playhead.setAttribute("y1", TOP);
    this.playhead.setAttribute("y2", bottom);
    this.axes.replaceChildren();
    addElement(this.axes, "rect", { class: "plot", x: LEFT, y: TOP, width: this.width, height: this.height });
    const shown = seconds * (this.view.to - this.view.from);
    const step = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10].find((s) => shown / s <= this.width / 50) ?? 20;
    for (const time of this.times(step)) {
      const x = this.x(time / seconds);
      addElement(this.axes, "line", { class: "grid", x1: x, x2: x, y1: TOP, y2: bottom });
      addElement(this.axes, "text", { x, y: bottom + 15, "text-anchor": "middle" }, `${Number(time.toFixed(2))}`);
    }
    if (this.beat && shown / this.beat <= this.width / 5) {
      for (const time of this.times(this.beat)) {
        const x = this.x(time / seconds), isBar = Math.round(time / this.beat) % 4 === 0;
        addElement(this.axes, "line", { class: isBar ? "bar-line" : "beat", x1: x, x2: x, y1: TOP, y2: bottom });
      }
    }
    addElement(this.axes, "text", { x: LEFT + this.width + RIGHT, y: bottom + 15, "text-anchor": "end" }, "s");
  }

  // The multiples of a step that are in view, in seconds.
  times(step) {
    const first = Math.ceil((this.view.from * this.seconds) / step - 1e-9);
    const last = Math.floor((this.view.to * this.seconds) / step + 1e-9);
    return Array.from({ length: Math.max(0, last - first + 1) }, (_, i) => (first + i) * step);
  }

  addTick(height, label) {
    if (!this.shows(height)) return;
    const y = this.y(height);
    addElement(this.axes, "line", { class: "grid", x1: LEFT, x2: LEFT + this.width, y1: y, y2: y });
    addElement(this.axes, "text", { x: LEFT - 6, y: y + 4, "text-anchor": "end" }, label);
  }

  shows(height) { return height >= this.view.low - 1e-9 && height <= this.view.high + 1e-9; }

  // Positions in px of a share of the time and of a height, both from 0 to 1.
  x(share) { return LEFT + ((share - this.view.from) / (this.view.to - this.view.from)) * this.width; }
  y(height) { return TOP + (1 - (height - this.view.low) / (this.view.high - this.view.low)) * this.height; }

  // Share of the time and height at a pointer, both from 0 to 1.
  position(event) {
    const box = this.svg.getBoundingClientRect(), { from, to, low, high } = this.view;
    const across = clamp((event.clientX - box.left - LEFT) / this.width);
    const up = clamp(1 - (event.clientY - box.top - TOP) / this.height);
    return { share: from + across * (to - from), height: low + up * (high - low) };
  }

  // Show the playhead at a time, or hide it for null.
  movePlayhead(seconds) {
    const share = (seconds ?? 0) / this.seconds, isShown = share >= this.view.from && share <= this.view.to;
    this.playhead.setAttribute("visibility", seconds === null || !isShown ? "hidden" : "visible");
    const x = this.x(clamp(share));
    this.playhead.setAttribute("x1", x);
    this.playhead.setAttribute("x2", x);
  }
}
