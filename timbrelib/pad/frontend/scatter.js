// The codebook in two dimensions, each code a point to hear.

const SIDE = 440, EDGE = 26;  // px

function scatter(model, el) {
  const root = node(el, "div", { class: "timbre-pad" });
  const { codes, label } = model.get("codebook");
  const title = node(root, "div", { class: "bar" });
  node(title, "strong", {}, label);
  const said = node(title, "span", { role: "status" }, "Click a code, or move with the arrow keys.");
  const svg = node(root, "svg", {
    width: 1.4 * SIDE, height: SIDE, class: "drawing", tabindex: 0, role: "application",
    "aria-label": "Codebook: arrow keys go to the next code that way, Space plays it",
  });
  const audio = node(root, "audio", { controls: "", "aria-label": "The chosen code" });
  const places = codes.map(([x, y]) => [EDGE + x * (1.4 * SIDE - 2 * EDGE), EDGE + (1 - y) * (SIDE - 2 * EDGE)]);
  codes.forEach(([, , colour], code) => {
    const [cx, cy] = places[code];
    node(svg, "circle", { cx, cy, r: 4, class: colour ? "code" : "code without", fill: colour || "none" });
  });
  node(svg, "text", { x: 0.7 * SIDE, y: SIDE - 4, "text-anchor": "middle" }, "first principal component");
  node(svg, "text", { transform: `translate(14 ${SIDE / 2}) rotate(-90)`, "text-anchor": "middle" }, "second principal component");
  const ring = node(svg, "circle", { r: 8, class: "ring", visibility: "hidden" });
  let chosen = null, address;

  function hear(code) {
    chosen = code;
    ring.setAttribute("cx", places[code][0]);
    ring.setAttribute("cy", places[code][1]);
    ring.setAttribute("visibility", "visible");
    model.send({ do: "hear", code });
  }

  // The code nearest to a point; with a direction, of those within 45 degrees of it.
  function nearest(x, y, direction) {
    let best = null, least = Infinity;
    places.forEach(([px, py], code) => {
      const along = direction ? (px - x) * direction[0] + (py - y) * direction[1] : 0;
      const across = direction ? Math.abs((px - x) * direction[1]) + Math.abs((py - y) * direction[0]) : 0;
      const distance = Math.hypot(px - x, py - y);
      if (distance < least && (!direction || (code !== chosen && along > 0 && along >= across))) [best, least] = [code, distance];
    });
    return best;
  }

  svg.addEventListener("click", (event) => {
    const box = svg.getBoundingClientRect();
    hear(nearest(event.clientX - box.left, event.clientY - box.top));
  });
  svg.addEventListener("keydown", (event) => {
    const ways = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
    if (event.key === " ") hear(chosen ?? 0);
    else if (event.key in ways) hear(nearest(...places[chosen ?? 0], ways[event.key]) ?? chosen ?? 0);
    else return;
    event.preventDefault();
  });
  const play = () => {
    const heard = model.get("heard");
    said.textContent = heard.said;
    if (!heard.sound.byteLength) return;
    URL.revokeObjectURL(address);
    audio.src = address = URL.createObjectURL(new Blob([heard.sound], { type: "audio/wav" }));
    audio.play().catch(() => {});
  };
  model.on("change:heard", play);
  const free = ownKeys(root);
  return () => {
    free();
    model.off("change:heard", play);
    URL.revokeObjectURL(address);
  };
}

export default { render: ({ model, el }) => scatter(model, el) };
