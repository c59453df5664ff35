// The drawing pad: lanes to draw in, player and spectrogram.  It shows what the kernel sends, and sends strokes.

const SPECTROGRAM_HEIGHT = 150;  // px
const CHUNK = 2 ** 20;  // bytes of a sound file in one message
const TIMEOUT = 8000;  // ms without an answer after which the pad says so
const HELP = "Draw with a mouse, pen or finger. Hold Shift to draw a straight line; Shift-click to continue from the end of " +
  "the last stroke. Keyboard: ← → select a point, ↑ ↓ move it (with Shift, further), Space plays, Ctrl+Z undoes.";

// Of several views of one pad, the one used last plays.
function renderPad(model, el, views) {
  const root = addElement(el, "div", { class: "timbre-pad" });
  const bar = addElement(root, "div", { class: "bar" });
  const undo = addButton(bar, "Undo", "Ctrl+Z", () => undo.ariaDisabled === "true" || actions.send("undo"));
  const redo = addButton(bar, "Redo", "Ctrl+Shift+Z", () => redo.ariaDisabled === "true" || actions.send("redo"));
  const play = addButton(bar, "Play", "Space", () => actions.togglePlay());
  const chooser = addElement(bar, "input", { type: "file", accept: "audio/*", class: "chooser", "aria-label": "Sound file" });
  addButton(bar, "Follow a recording…", "Use the curves of a sound file as the drawing", () => chooser.click());
  const status = addElement(bar, "span", { role: "status", class: "status" });
  const strip = addElement(root, "div", { class: "lanes" });
  const spectrogram = new Plot(root, SPECTROGRAM_HEIGHT, { class: "spectrogram", role: "img", "aria-label": "Spectrogram of the sound" });
  const image = addElement(spectrogram.svg, "image", { preserveAspectRatio: "none" });
  spectrogram.svg.append(spectrogram.playhead);  // in front of the image
  const audio = addElement(root, "audio", { controls: "", "aria-label": "The sound that follows the drawing" });
  addElement(root, "p", { class: "help" }, HELP);

  let lanes = [], version = 0, isStroking = false, urls = {}, timer;
  const actions = {
    setStroking(begun) { isStroking = begun; showStatus(); },
    commit(lane, heights) {
      isStroking = false;
      actions.send("draw", { lane, heights: heights.map((height) => Number(height.toFixed(5))) });
    },
    send(action, details = {}) {
      version += 1;
      showStatus();
      model.send({ action, version, ...details });
    },
    togglePlay() { audio.paused ? audio.play().catch(() => {}) : audio.pause(); },
  };

  chooser.addEventListener("change", async () => {
    const [file] = chooser.files;
    if (!file) return;
    chooser.value = "";  // so that the same file can be chosen again
    const limit = model.get("drawing").max_upload;
    if (file.size > limit) return setStatus(`${file.name} has ${Math.round(file.size / 2 ** 20)} MB: choose one of at most ${limit / 2 ** 20} MB`, true);
    setStatus(`uploading ${file.name}…`);
    try {
      for (let start = 0; start === 0 || start < file.size; start += CHUNK) {
        const part = await file.slice(start, start + CHUNK).arrayBuffer();
        model.send({ action: "upload", name: file.name, start, size: file.size }, undefined, [part]);
      }
    } catch (error) {
      setStatus(`${file.name} cannot be read (${error.message}): choose it again`, true);
    }
  });

  function setStatus(text, problem) {
    status.textContent = text;
    status.classList.toggle("problem", Boolean(problem));
  }

  // Busy while a stroke is drawn, sent or rendered.  Show what the kernel says about it, else the text of the result.
  function showStatus() {
    const { number, version: known } = model.get("drawing"), result = model.get("result"), message = model.get("status");
    const unanswered = version > known, busy = unanswered || result.number < number;
    root.classList.toggle("stale", isStroking || busy);
    strip.setAttribute("aria-busy", busy);
    clearTimeout(timer);
    if (unanswered && !isStroking) timer = setTimeout(() => setStatus("no answer from the kernel: run the cells of this notebook, or wait until the running cell is done", true), TIMEOUT);
    if (unanswered || (busy && !message.text)) setStatus("working…");
    else if (message.text) setStatus(message.text, message.problem);
    else setStatus(result.text, result.problem);
  }

  function showDrawing() {
    const drawing = model.get("drawing");
    while (lanes.length > drawing.lanes.length) {
      lanes.at(-1).cancel();
      lanes.pop().box.remove();
    }
    drawing.lanes.forEach((axis, i) => {
      const lane = (lanes[i] ??= new Lane(strip, i, actions));
      const resized = lane.heights.length !== axis.heights.length;
      if (resized) lane.cancel();
      if (resized || (lane.pointer === undefined && !lane.isEditing && drawing.version >= version)) lane.heights = axis.heights.slice();
      lane.show(axis, root.clientWidth, drawing.seconds);
    });
    version = Math.max(version, drawing.version);
    undo.ariaDisabled = !drawing.can_undo;  // a button that is really disabled would lose the focus
    redo.ariaDisabled = !drawing.can_redo;
    showResult();
  }

  function showResult() {
    const result = model.get("result"), { seconds, max_frequency } = model.get("drawing");
    lanes.forEach((lane, i) => lane.showResult(result.lanes[i]));
    spectrogram.resize(root.clientWidth, seconds);
    for (const khz of [0, 2, 4, 6, 8, 10]) spectrogram.addTick((1000 * khz) / max_frequency, `${khz} kHz`);
    const area = { x: LEFT, y: TOP, width: spectrogram.width, height: spectrogram.height };
    for (const [key, value] of Object.entries(area)) image.setAttribute(key, value);
    showStatus();
  }

  function showSound(isNew) {
    const result = model.get("result"), drawing = model.get("drawing");
    for (const [element, name, type] of [[image, "spectrogram", "image/png"], [audio, "sound", "audio/wav"]]) {
      const key = element === audio ? "src" : "href", data = result[name];
      URL.revokeObjectURL(urls[name]);
      urls[name] = data.byteLength ? URL.createObjectURL(new Blob([data], { type })) : "";
      if (urls[name]) element.setAttribute(key, urls[name]);
      else element.removeAttribute(key);
    }
    if (!urls.sound) audio.load();  // otherwise it keeps the sound it has
    const isNewest = result.number === drawing.number && version === drawing.version && !isStroking;
    if (!views.last?.isConnected) markUsed();
    if (isNew && result.play && isNewest && views.last === root) audio.play().catch(() => {});
  }

  function followPlayback() {
    const isPlaying = !audio.paused && !audio.ended;
    play.textContent = isPlaying ? "Pause" : "Play";
    for (const plot of [spectrogram, ...lanes.map((lane) => lane.plot)]) plot.movePlayhead(audio.currentTime > 0 ? audio.currentTime : null);
    if (isPlaying && root.isConnected) requestAnimationFrame(followPlayback);
  }
  for (const name of ["play", "pause", "ended", "seeked", "emptied"]) audio.addEventListener(name, followPlayback);

  const markUsed = () => { views.last = root; };
  for (const name of ["pointerdown", "focusin"]) root.addEventListener(name, markUsed);
  const reactions = { drawing: showDrawing, result: () => { showResult(); showSound(true); }, status: showStatus };
  for (const [name, react] of Object.entries(reactions)) model.on(`change:${name}`, react);
  const resizes = new ResizeObserver(showDrawing);
  resizes.observe(root);
  showDrawing();
  showSound(false);
  const releaseKeys = captureKeys(root);
  return () => {
    releaseKeys();
    resizes.disconnect();
    clearTimeout(timer);
    for (const [name, react] of Object.entries(reactions)) model.off(`change:${name}`, react);
    audio.pause();
    for (const url of Object.values(urls)) URL.revokeObjectURL(url);
  };
}

export default () => {
  const views = {};
  return { render: ({ model, el }) => renderPad(model, el, views) };
};
