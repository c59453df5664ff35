// Drawing on the page: nodes, buttons, and plots with a time axis.
// timbrelib/frontend/__init__.py joins these files into one module, which a page loads without any other host.

const SVG = "http://www.w3.org/2000/svg";
const LEFT = 72, RIGHT = 64, TOP = 8, BOTTOM = 22;  // px around the plot

const clamp = (x) => Math.min(1, Math.max(0, x));

function node(parent, name, attributes = {}, text = "") {
  const drawn = name === "svg" || parent.namespaceURI === SVG;
  const made = drawn ? document.createElementNS(SVG, name) : document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  if (text) made.textContent = text;
  parent.append(made);
  return made;
}

function button(parent, label, title, act) {
  const made = node(parent, "button", { type: "button", title }, label);
  made.addEventListener("click", act);
  return made;
}

// Jupyter would move its cells by keys that a widget understands: Notebook 7 takes them before the page does, unless
// their target has an attribute, JupyterLab 4 after it.  The others, like Ctrl+S, are Jupyter's.  The menus of
// ipywidgets around the pad need the same.
function ownKeys(root) {
  const keep = (event) => {
    const area = root.closest(".widget-vbox") ?? root, command = event.ctrlKey || event.metaKey;
    if (!area.contains(event.target)) return;
    const own = command ? /^[zy]$/i.test(event.key) : !event.altKey && event.key !== "Enter";
    event.target.toggleAttribute("data-lm-suppress-shortcuts", own);
    if (own) area.addEventListener("keydown", (e) => e.stopPropagation(), { once: true });
  };
  window.addEventListener("keydown", keep, true);
  return () => window.removeEventListener("keydown", keep, true);
}

// Plot with a time axis; lanes and spectrogram have the same, so that they line up.
class Plot {
  constructor(parent, height, attributes) {
    this.height = height;
    this.svg = node(parent, "svg", { height: height + TOP + BOTTOM, ...attributes });
    this.axes = node(this.svg, "g");
    this.head = node(this.svg, "line", { class: "head", y1: TOP, y2: TOP + height, visibility: "hidden" });
  }

  resize(width, seconds) {
    this.width = Math.max(80, width - LEFT - RIGHT);
    this.seconds = seconds;
    this.svg.setAttribute("width", width);
    this.axes.replaceChildren();
    node(this.axes, "rect", { class: "plot", x: LEFT, y: TOP, width: this.width, height: this.height });
    const step = [0.1, 0.2, 0.5, 1, 2, 5, 10].find((s) => seconds / s <= this.width / 50) ?? 20;
    for (let i = 0; i * step <= seconds + 1e-9; i++) {
      const x = this.x((i * step) / seconds), label = Number((i * step).toFixed(1));
      node(this.axes, "line", { class: "grid", x1: x, x2: x, y1: TOP, y2: TOP + this.height });
      node(this.axes, "text", { x, y: TOP + this.height + 15, "text-anchor": "middle" }, `${label}`);
    }
    node(this.axes, "text", { x: LEFT + this.width + RIGHT, y: TOP + this.height + 15, "text-anchor": "end" }, "time (s)");
  }

  tick(height, label) {
    const y = this.y(height);
    node(this.axes, "line", { class: "grid", x1: LEFT, x2: LEFT + this.width, y1: y, y2: y });
    node(this.axes, "text", { x: LEFT - 6, y: y + 4, "text-anchor": "end" }, label);
  }

  x(share) { return LEFT + share * this.width; }
  y(height) { return TOP + (1 - height) * this.height; }

  play(seconds) {
    this.head.setAttribute("visibility", seconds === null ? "hidden" : "visible");
    const x = this.x(clamp((seconds ?? 0) / this.seconds));
    this.head.setAttribute("x1", x);
    this.head.setAttribute("x2", x);
  }
}
