// Elements, buttons, and plots with a time axis.
// timbrelib/pad/elements.py joins these files into one module, which needs no other host.

const SVG = "http://www.w3.org/2000/svg";
const LEFT = 72, RIGHT = 64, TOP = 8, BOTTOM = 22;  // px around a plot

const clamp = (x) => Math.min(1, Math.max(0, x));

function addElement(parent, name, attributes = {}, text = "") {
  const isSvg = name === "svg" || parent.namespaceURI === SVG;
  const element = isSvg ? document.createElementNS(SVG, name) : document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  if (text) element.textContent = text;
  parent.append(element);
  return element;
}

function addButton(parent, label, title, onClick) {
  const button = addElement(parent, "button", { type: "button", title }, label);
  button.addEventListener("click", onClick);
  return button;
}

// Keep Jupyter from moving its cells with keys that a widget uses.  Notebook 7 handles keys before the page
// does, unless their target has an attribute; JupyterLab 4 handles them after it.  Other keys, such as Ctrl+S,
// still reach Jupyter.  The ipywidgets menus around the pad need the same.
function captureKeys(root) {
  const capture = (event) => {
    const area = root.closest(".widget-vbox") ?? root, command = event.ctrlKey || event.metaKey;
    if (!area.contains(event.target)) return;
    const used = command ? /^[zy]$/i.test(event.key) : !event.altKey && event.key !== "Enter";
    event.target.toggleAttribute("data-lm-suppress-shortcuts", used);
    if (used) area.addEventListener("keydown", (e) => e.stopPropagation(), { once: true });
  };
  window.addEventListener("keydown", capture, true);
  return () => window.removeEventListener("keydown", capture, true);
}

// A plot with a time axis; lanes and spectrogram share its margins, so that they line up.
class Plot {
  constructor(parent, height, attributes) {
    this.height = height;
    this.svg = addElement(parent, "svg", { height: height + TOP + BOTTOM, ...attributes });
    this.axes = addElement(this.svg, "g");
    this.playhead = addElement(this.svg, "line", { class: "playhead", y1: TOP, y2: TOP + height, visibility: "hidden" });
  }

  resize(width, seconds) {
    this.width = Math.max(80, width - LEFT - RIGHT);
    this.seconds = seconds;
    this.svg.setAttribute("width", width);
    this.axes.replaceChildren();
    addElement(this.axes, "rect", { class: "plot", x: LEFT, y: TOP, width: this.width, height: this.height });
    const step = [0.1, 0.2, 0.5, 1, 2, 5, 10].find((s) => seconds / s <= this.width / 50) ?? 20;
    for (let i = 0; i * step <= seconds + 1e-9; i++) {
      const x = this.x((i * step) / seconds), label = Number((i * step).toFixed(1));
      addElement(this.axes, "line", { class: "grid", x1: x, x2: x, y1: TOP, y2: TOP + this.height });
      addElement(this.axes, "text", { x, y: TOP + this.height + 15, "text-anchor": "middle" }, `${label}`);
    }
    addElement(this.axes, "text", { x: LEFT + this.width + RIGHT, y: TOP + this.height + 15, "text-anchor": "end" }, "time (s)");
  }

  addTick(height, label) {
    const y = this.y(height);
    addElement(this.axes, "line", { class: "grid", x1: LEFT, x2: LEFT + this.width, y1: y, y2: y });
    addElement(this.axes, "text", { x: LEFT - 6, y: y + 4, "text-anchor": "end" }, label);
  }

  // Positions in px of a share of the time and of a height, both from 0 to 1.
  x(share) { return LEFT + share * this.width; }
  y(height) { return TOP + (1 - height) * this.height; }

  // Show the playhead at a time, or hide it for null.
  movePlayhead(seconds) {
    this.playhead.setAttribute("visibility", seconds === null ? "hidden" : "visible");
    const x = this.x(clamp((seconds ?? 0) / this.seconds));
    this.playhead.setAttribute("x1", x);
    this.playhead.setAttribute("x2", x);
  }
}
