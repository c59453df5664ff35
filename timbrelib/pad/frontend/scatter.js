// The codebook in two dimensions: each code is a point that can be played.

import { addElement, captureKeys, followTheme } from "./plot.js";

const SIDE = 440, EDGE = 26, BAR = 92;  // px of the plot, around it, and of the colour bar with its numbers
const WIDTH = 1.4 * SIDE;  // of the plot; on a narrow page everything is smaller
const RADIUS = 4, ROOMY = 1024;  // px of a code, up to this number of codes; of more, they keep their area together

function renderScatter(model, el) {
  const root = addElement(el, "div", { class: "timbre-pad" });
  const { codes, label, scale } = model.get("codebook");
  const title = addElement(root, "div", { class: "bar" });
  addElement(title, "strong", {}, label);
  const status = addElement(title, "span", { role: "status" }, "Click a code to hear it, or move with the arrow keys.");
  const svg = addElement(root, "svg", {
    viewBox: `0 0 ${WIDTH + BAR} ${SIDE}`, class: "drawing codes", tabindex: 0, role: "application",
    "aria-label": "Codebook: an arrow key moves to the next code in that direction, Space plays it again",
  });
  const audio = addElement(root, "audio");
  const r = RADIUS * Math.min(1, Math.sqrt(ROOMY / codes.length));
  const points = codes.map(([x, y]) => [EDGE + x * (WIDTH - 2 * EDGE), EDGE + (1 - y) * (SIDE - 2 * EDGE)]);
  codes.forEach(([, , colour], code) => {
    const [cx, cy] = points[code];
    addElement(svg, "circle", { cx, cy, r, class: colour ? "code" : "code undefined", fill: colour || "none" });
  });
  addElement(svg, "text", { x: WIDTH / 2, y: SIDE - 4, "text-anchor": "middle" }, "first principal component");
  addElement(svg, "text", { transform: `translate(14 ${SIDE / 2}) rotate(-90)`, "text-anchor": "middle" }, "second principal component");
  scale.colours.forEach((fill, i) => {
    const height = (SIDE - 2 * EDGE) / scale.colours.length, y = SIDE - EDGE - (i + 1) * height;
    addElement(svg, "rect", { x: WIDTH, y, width: 14, height: height + 0.5, fill });
  });
  for (const [text, y] of [[scale.high, EDGE + 10], [scale.low, SIDE - EDGE]]) addElement(svg, "text", { x: WIDTH + 20, y }, text);
  const ring = addElement(svg, "circle", { r: 8, class: "ring", visibility: "hidden" });
  let selected = null, url;

  function play(code) {
    selected = code;
    ring.setAttribute("cx", points[code][0]);
    ring.setAttribute("cy", points[code][1]);
    ring.setAttribute("visibility", "visible");
    model.send({ action: "play", code });
  }

  // The code nearest to a point; with a direction, only among codes within 45 degrees of it.
  function nearest(x, y, direction) {
    let best = null, least = Infinity;
    points.forEach(([px, py], code) => {
      const along = direction ? (px - x) * direction[0] + (py - y) * direction[1] : 0;
      const across = direction ? Math.abs((px - x) * direction[1]) + Math.abs((py - y) * direction[0]) : 0;
      const distance = Math.hypot(px - x, py - y);
      if (distance < least && (!direction || (code !== selected && along > 0 && along >= across))) [best, least] = [code, distance];
    });
    return best;
  }

  svg.addEventListener("click", (event) => {
    const box = svg.getBoundingClientRect(), shown = (WIDTH + BAR) / box.width;
    play(nearest((event.clientX - box.left) * shown, (event.clientY - box.top) * shown));
  });
  svg.addEventListener("keydown", (event) => {
    const directions = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
    if (event.key === " ") play(selected ?? 0);
    else if (event.key in directions) play(nearest(...points[selected ?? 0], directions[event.key]) ?? selected ?? 0);
    else return;
    event.preventDefault();
  });
  const showPlayed = () => {
    const played = model.get("played");
    status.textContent = played.text;
    if (!played.sound.byteLength) return;
    URL.revokeObjectURL(url);
    audio.src = url = URL.createObjectURL(new Blob([played.sound], { type: "audio/wav" }));
    audio.play().catch(() => {});
  };
  model.on("change:played", showPlayed);
  const releases = [captureKeys(root), followTheme(root)];
  return () => {
    for (const release of releases) release();
    model.off("change:played", showPlayed);
    URL.revokeObjectURL(url);
  };
}

export default { render: ({ model, el }) => renderScatter(model, el) };
