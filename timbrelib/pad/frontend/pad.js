// The drawing pad: lanes to draw in, player and spectrogram.  It draws what the kernel sends and sends
// what the hand draws.

const SPECTROGRAM = 150;  // px of its height
const CHUNK = 2 ** 20;  // bytes of a sound file in one message
const PATIENCE = 8000;  // ms after which an answer is late

// Of several views of one pad the one last used plays.
function pad(model, el, views) {
  const root = node(el, "div", { class: "timbre-pad" });
  const bar = node(root, "div", { class: "bar" });
  const undo = button(bar, "Undo", "Ctrl+Z", () => undo.ariaDisabled === "true" || act.ask("undo"));
  const redo = button(bar, "Redo", "Ctrl+Shift+Z", () => redo.ariaDisabled === "true" || act.ask("redo"));
  const play = button(bar, "Play", "Space", () => act.play());
  const chooser = node(bar, "input", { type: "file", accept: "audio/*", class: "chooser", "aria-label": "Sound as target" });
  button(bar, "Sound as target…", "Its curves become the drawing", () => chooser.click());
  const status = node(bar, "span", { role: "status", class: "status" });
  const strip = node(root, "div", { class: "lanes" });
  const image = new Plot(root, SPECTROGRAM, { class: "spectrogram", role: "img", "aria-label": "Spectrogram of the sound" });
  const pixels = node(image.svg, "image", { preserveAspectRatio: "none" });
  image.svg.append(image.head);
  const audio = node(root, "audio", { controls: "", "aria-label": "The sound that follows the drawing" });
  node(root, "p", { class: "help" }, "Draw with mouse, pen or finger. Shift: straight lines; Shift and click goes on from the last end. " +
    "Keys: ←→ choose a point, ↑↓ move it (Shift: further), Space plays, Ctrl+Z undoes.");

  let lanes = [], version = 0, stroking = false, urls = {}, late;
  const act = {
    stroke(begun) { stroking = begun; wait(); },
    commit(lane, heights) {
      stroking = false;
      act.ask("draw", { lane, heights: heights.map((h) => Number(h.toFixed(5))) });
    },
    ask(what, details = {}) {
      version += 1;
      wait();
      model.send({ do: what, version, ...details });
    },
    play() { audio.paused ? audio.play().catch(() => {}) : audio.pause(); },
  };

  chooser.addEventListener("change", async () => {
    const [file] = chooser.files;
    if (!file) return;
    chooser.value = "";  // so that the same file can be chosen again
    const most = model.get("drawing").largest;
    if (file.size > most) return say(`${file.name} has ${Math.round(file.size / 2 ** 20)} MB: give one of at most ${most / 2 ** 20} MB`, true);
    say(`sending ${file.name}…`);
    try {
      for (let start = 0; start === 0 || start < file.size; start += CHUNK) {
        const part = await file.slice(start, start + CHUNK).arrayBuffer();
        model.send({ do: "upload", name: file.name, start, size: file.size }, undefined, [part]);
      }
    } catch (error) {
      say(`${file.name} cannot be read (${error.message}): choose it again`, true);
    }
  });

  function say(text, problem) {
    status.textContent = text;
    status.classList.toggle("problem", Boolean(problem));
  }

  // Busy while a stroke is being drawn, on its way, or worked on; then say what there is to say.
  function wait() {
    const { number, version: known } = model.get("drawing"), heard = model.get("result"), said = model.get("status");
    const unanswered = version > known, busy = unanswered || heard.number < number;
    root.classList.toggle("stale", stroking || busy);
    strip.setAttribute("aria-busy", busy);
    clearTimeout(late);
    if (unanswered && !stroking) late = setTimeout(() => say("no answer yet: run the cells of this notebook, or wait for one that is running", true), PATIENCE);
    if (busy) say("working…");
    else if (said.text) say(said.text, said.problem);
    else say(heard.said, heard.problem);
  }

  function showDrawing() {
    const drawing = model.get("drawing");
    while (lanes.length > drawing.lanes.length) {
      lanes.at(-1).cancel();
      lanes.pop().box.remove();
    }
    drawing.lanes.forEach((axis, i) => {
      const lane = (lanes[i] ??= new Lane(strip, i, act));
      const resized = lane.heights.length !== axis.heights.length;
      if (resized) lane.cancel();
      if (resized || (lane.pen === undefined && !lane.moved && drawing.version >= version)) lane.heights = axis.heights.slice();
      lane.show(axis, root.clientWidth, drawing.seconds);
    });
    version = Math.max(version, drawing.version);
    undo.ariaDisabled = !drawing.undo;  // a button that is disabled would lose the focus
    redo.ariaDisabled = !drawing.redo;
    showResult();
  }

  function showResult() {
    const heard = model.get("result"), { seconds, highest } = model.get("drawing");
    lanes.forEach((lane, i) => lane.result(heard.lanes[i]));
    image.resize(root.clientWidth, seconds);
    for (const khz of [0, 2, 4, 6, 8, 10]) image.tick((1000 * khz) / highest, `${khz} kHz`);
    const area = { x: LEFT, y: TOP, width: image.width, height: image.height };
    for (const [key, value] of Object.entries(area)) pixels.setAttribute(key, value);
    wait();
  }

  function showSound(played) {
    const heard = model.get("result");
    for (const [place, name, type] of [[pixels, "spectrogram", "image/png"], [audio, "sound", "audio/wav"]]) {
      const key = place === audio ? "src" : "href", data = heard[name];
      URL.revokeObjectURL(urls[name]);
      urls[name] = data.byteLength ? URL.createObjectURL(new Blob([data], { type })) : "";
      if (urls[name]) place.setAttribute(key, urls[name]);
      else place.removeAttribute(key);
    }
    if (!urls.sound) audio.load();  // or it would go on with what it has
    const newest = heard.number === model.get("drawing").number && version === model.get("drawing").version && !stroking;
    if (!views.last?.isConnected) used();
    if (played && heard.play && newest && views.last === root) audio.play().catch(() => {});
  }

  function follow() {
    const running = !audio.paused && !audio.ended;
    play.textContent = running ? "Pause" : "Play";
    for (const plot of [image, ...lanes.map((lane) => lane.plot)]) plot.play(audio.currentTime > 0 ? audio.currentTime : null);
    if (running && root.isConnected) requestAnimationFrame(follow);
  }
  for (const name of ["play", "pause", "ended", "seeked", "emptied"]) audio.addEventListener(name, follow);

  const used = () => { views.last = root; };
  for (const name of ["pointerdown", "focusin"]) root.addEventListener(name, used);
  const changed = { drawing: showDrawing, result: () => { showResult(); showSound(true); }, status: wait };
  for (const [name, react] of Object.entries(changed)) model.on(`change:${name}`, react);
  const watch = new ResizeObserver(showDrawing);
  watch.observe(root);
  showDrawing();
  showSound(false);
  const free = ownKeys(root);
  return () => {
    free();
    watch.disconnect();
    clearTimeout(late);
    for (const [name, react] of Object.entries(changed)) model.off(`change:${name}`, react);
    audio.pause();
    for (const address of Object.values(urls)) URL.revokeObjectURL(address);
  };
}

export default () => {
  const views = {};
  return { render: ({ model, el }) => pad(model, el, views) };
};
