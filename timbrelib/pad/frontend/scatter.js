// The codebook in two dimensions: each code is a point that can be played.

const SIDE = 440, EDGE = 26;  // px
const WIDTH = 1.4 * SIDE;
const RADIUS = 4, ROOMY = 1024;  // px of a code, up to this number of codes; of more, they keep their area together

function renderScatter(model, el) {
  const root = addElement(el, "div", { class: "timbre-pad" });
  const { codes, label } = model.get("codebook");
  const title = addElement(root, "div", { class: "bar" });
  addElement(title, "strong", {}, label);
  const status = addElement(title, "span", { role: "status" }, "Click a code to hear it, or move with the arrow keys.");
  const svg = addElement(root, "svg", {
    width: WIDTH, height: SIDE, class: "drawing", tabindex: 0, role: "application",
    "aria-label": "Codebook: an arrow key moves to the next code in that direction, Space plays it again",
  });
  const audio = addElement(root, "audio", { controls: "", "aria-label": "The selected code" });
  const r = RADIUS * Math.min(1, Math.sqrt(ROOMY / codes.length));
  const points = codes.map(([x, y]) => [EDGE + x * (WIDTH - 2 * EDGE), EDGE + (1 - y) * (SIDE - 2 * EDGE)]);
  codes.forEach(([, , colour], code) => {
    const [cx, cy] = points[code];
    addElement(svg, "circle", { cx, cy, r, class: colour ? "code" : "code undefined", fill: colour || "none" });
  });
  addElement(svg, "text", { x: WIDTH / 2, y: SIDE - 4, "text-anchor": "middle" }, "first principal component");
  addElement(svg, "text", { transform: `translate(14 ${SIDE / 2}) rotate(-90)`, "text-anchor": "middle" }, "second principal component");
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
    const box = svg.getBoundingClientRect();
    play(nearest(event.clientX - box.left, event.clientY - box.top));
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
  const releaseKeys = captureKeys(root);
  return () => {
    releaseKeys();
    model.off("change:played", showPlayed);
    URL.revokeObjectURL(url);
  };
}

export default { render: ({ model, el }) => renderScatter(model, el) };
