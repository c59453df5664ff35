// The drawing pad: settings, lanes to draw in, player and spectrogram.  It shows what the kernel sends, and sends strokes.

import { addButton, addElement, captureKeys, clamp, followTheme, LEFT, Plot, TOP } from "./plot.js";
import { valueOf } from "./notes.js";
import { Controls } from "./settings.js";
import { Files } from "./files.js";
import { Live } from "./live.js";
import { Lane } from "./lane.js";
import { Player } from "./player.js";
import { stayInView, View } from "./view.js";

const LANE_HEIGHTS = { 1: [210], 2: [130, 90] };  // px, by the number of lanes
const SPECTROGRAM_HEIGHT = 84;  // px
const TIMEOUT = 8000;  // ms without an answer after which the pad says so
const HELP = [
  "Draw with a mouse, pen or finger. With Line, or while Shift is held, the stroke is a straight line; Shift-click continues from the end of the last stroke.",
  "A click on a plot plays from there. Ctrl and the wheel enlarge the time, with Shift the values.",
  "Keyboard: ← → select a point, ↑ ↓ move it (with Shift, further), Space plays, Ctrl+Z undoes.",
  "A sound file that is dropped on a lane becomes its curve, beside the lanes all of the drawing: the model follows it, and A/B compares both.",
  "Grey bars on the right show how many codes have a value; where the lane is shaded there are none.",
];

function addPanel(parent, title) {
  const panel = addElement(parent, "details");
  addElement(panel, "summary", {}, title);
  return addElement(panel, "div", { class: "panel" });
}

// Of several views of one pad, the one used last plays.
function renderPad(model, el, views) {
  const root = addElement(el, "div", { class: "timbre-pad" });
  const top = addElement(root, "div", { class: "bar menus" }), bar = addElement(root, "div", { class: "bar" });
  const status = addElement(root, "div", { role: "status", class: "status" });
  const strip = addElement(root, "div", { class: "lanes" });
  const spectrogram = new Plot(root, SPECTROGRAM_HEIGHT, {
    class: "spectrogram", role: "slider", tabindex: 0, "aria-label": "Position in the spectrogram of the sound", "aria-valuemin": 0,
  });
  const image = addElement(spectrogram.content, "image", { preserveAspectRatio: "none" });
  const panels = addElement(root, "div", { class: "panels" });

  let lanes = [], version = 0, isStroking = false, editStart = 0, timer;  // editStart: share of the time
  const actions = {
    setStroking(begun) {
      isStroking = begun;
      if (!begun) live.stop();  // it was a click
      showStatus();
    },
    preview(lane) {
      live.change();
      player.playStroke(lanes[lane].edit.from * lanes[lane].plot.seconds);
    },
    commit(lane, heights) {
      isStroking = false;
      actions.send("draw", { lane, heights: heights.map((height) => Number(height.toFixed(5))) });
      editStart = lanes[lane].edit.from;
      player.playDrawing(editStart * lanes[lane].plot.seconds);
    },
    send(action, details = {}) {
      version += 1;
      editStart = 0;
      showStatus();
      model.send({ action, version, ...details });
    },
    togglePlay() { player.toggle(); },
    seek(seconds) { player.seek(seconds); },
    isLine: () => view.isLine,
    snap: (height, axis) => view.snap(height, axis),
  };

  const controls = new Controls((name, value) => actions.send("set", { name, value }));
  controls.addMenu(top, "model", "Timbre");
  controls.addMenu(top, "descriptor", "Draw");
  controls.addMenu(top, "second", "Second lane");
  controls.addNumber(top, "seconds", "Length (s)");
  const live = new Live(() => lanes, () => model.get("settings"));
  const isAnswered = () => version <= model.get("drawing").version;
  const isCurrent = () => !isStroking && isAnswered() && model.get("result").number >= model.get("drawing").number;
  const player = new Player(bar, live, isCurrent, (seconds) => {
    for (const plot of [spectrogram, ...lanes.map((lane) => lane.plot)]) plot.movePlayhead(seconds);
    spectrogram.svg.setAttribute("aria-valuenow", (seconds ?? 0).toFixed(2));
  });
  addButton(bar, "Keep", "Keep this sound, to compare the next ones with it", () => actions.send("keep"));
  const [undo, redo] = [["↶", "Undo", "Ctrl+Z"], ["↷", "Redo", "Ctrl+Shift+Z"]].map(([sign, name, keys]) => {
    const button = addButton(bar, sign, `${name} (${keys})`, () => button.ariaDisabled === "true" || actions.send(name.toLowerCase()));
    button.ariaLabel = name;
    return button;
  });
  const chooser = addElement(bar, "input", { type: "file", accept: "audio/*", class: "chooser", "aria-label": "Sound file" });
  const sound = addPanel(panels, "Sound"), grid = addPanel(panels, "Notes, beats, zoom"), disk = addPanel(panels, "Save, load, download");
  const view = new View(bar, grid, () => showDrawing(), (i) => {
    const heights = lanes[i]?.heights ?? [0.5];
    return (Math.min(...heights) + Math.max(...heights)) / 2;
  });
  addButton(bar, "Follow a recording…", "Use the curves of a sound file as the drawing", () => chooser.click());
  const settings = addElement(sound, "div", { class: "bar" });
  controls.addSlider(settings, "smoothness", "Smoothness (0: exact)");
  controls.addSlider(settings, "weight", "Weight of second lane");
  controls.addMenu(settings, "excitation", "Excitation");
  controls.addSlider(settings, "noise", "Noise (0: locked)");
  controls.addCheckbox(settings, "keep_note", "Keep the note", "Without a drawn pitch, change the note as seldom as possible");
  controls.addCheckbox(settings, "adjust", "Adjust codes", "Retune and tilt the chosen codes to meet the drawing more closely");
  const files = new Files(disk, { model, send: actions.send, setStatus, pitch });
  const help = addPanel(panels, "Help");
  for (const text of HELP) addElement(help, "p", {}, text);
  chooser.addEventListener("change", () => {
    const [file] = chooser.files;
    chooser.value = "";  // so that the same file can be chosen again
    if (file) files.upload(file);
  });
  files.acceptDrops(root);

  function pitch() {
    const lane = lanes.find(({ axis }) => axis.name === "fundamental");
    return lane ? { seconds: lane.plot.seconds, frequencies: lane.heights.map((height) => valueOf(lane.axis, height)) } : null;
  }

  function setStatus(text, problem) {
    status.textContent = status.title = text;
    status.classList.toggle("problem", Boolean(problem));
  }

  // Busy while a stroke is drawn, sent or rendered.  Show what the kernel says about it, else the text of the result.
  function showStatus() {
    const { number, version: known } = model.get("drawing"), result = model.get("result"), message = model.get("status");
    const unanswered = version > known, busy = unanswered || result.number < number;
    root.classList.toggle("stale", isStroking || busy);
    root.classList.toggle("busy", busy || message.busy);
    strip.setAttribute("aria-busy", busy);
    clearTimeout(timer);
    if (unanswered) timer = setTimeout(() => setStatus("no answer from the kernel: start it, or wait until the running cell is done", true), TIMEOUT);
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
      const lane = (lanes[i] ??= addLane(i));
      const resized = lane.heights.length !== axis.heights.length;
      if (resized) lane.cancel();
      if (resized || (lane.pointer === undefined && !lane.isEditing && drawing.version >= version)) lane.heights = axis.heights.slice();
      lane.plot.height = LANE_HEIGHTS[drawing.lanes.length][i];
      view.apply(lane.plot, i);
      lane.show(axis, strip.clientWidth, drawing.seconds);
    });
    version = Math.max(version, drawing.version);
    undo.ariaDisabled = !drawing.can_undo;  // a button that is really disabled would lose the focus
    redo.ariaDisabled = !drawing.can_redo;
    showResult();
  }

  function addLane(i) {
    const lane = new Lane(strip, i, actions);
    view.listen(lane.plot, i);
    return lane;
  }

  function showResult() {
    const result = model.get("result"), { seconds, max_frequency } = model.get("drawing");
    lanes.forEach((lane, i) => {
      lane.showResult(result.lanes[i]);
      lane.showKept(model.get("reference").lanes[lane.axis.name]);
    });
    view.apply(spectrogram);
    spectrogram.resize(strip.clientWidth, seconds);
    for (const khz of [0, 5, 10]) spectrogram.addTick((1000 * khz) / max_frequency, `${khz} kHz`);
    const area = { x: spectrogram.x(0), y: TOP, width: spectrogram.x(1) - spectrogram.x(0), height: spectrogram.height };
    for (const [key, value] of Object.entries(area)) image.setAttribute(key, value);
    spectrogram.svg.setAttribute("aria-valuemax", seconds.toFixed(2));
    player.follow();
    showStatus();
  }

  function showSound(isNew) {
    const result = model.get("result"), drawing = model.get("drawing"), reference = model.get("reference");
    player.setSounds({ sound: result.sound, reference: reference.sound, label: reference.label });
    if (!views.last?.isConnected) markUsed();
    if (isNew && result.play && isCurrent() && views.last === root) player.playRendered(editStart * drawing.seconds);
  }

  let imageUrl;
  function showImage() {
    const { spectrogram: data } = model.get("result");
    URL.revokeObjectURL(imageUrl);
    imageUrl = data.byteLength ? URL.createObjectURL(new Blob([data], { type: "image/png" })) : "";
    if (imageUrl) image.setAttribute("href", imageUrl);
    else image.removeAttribute("href");
  }

  // a control that was just moved stays so until the kernel has answered
  const showSettings = () => isAnswered() && controls.show(model.get("settings"), model.get("menus"));
  view.listen(spectrogram);
  const seekTo = (event) => player.seek(spectrogram.position(event).share * spectrogram.seconds);
  spectrogram.svg.addEventListener("pointerdown", (event) => event.button === 0 && event.clientX && seekTo(event));
  spectrogram.svg.addEventListener("keydown", (event) => {
    const steps = { ArrowLeft: -0.1, ArrowDown: -0.1, ArrowRight: 0.1, ArrowUp: 0.1, Home: -Infinity, End: Infinity };
    const { seconds } = spectrogram;
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === " ") player.toggle();
    else if (event.key in steps) player.audio.currentTime = clamp((player.time + steps[event.key]) / seconds) * seconds;
    else return;
    event.preventDefault();
  });
  const markUsed = () => { views.last = root; };
  for (const name of ["pointerdown", "focusin"]) root.addEventListener(name, markUsed);
  for (const name of ["pointerdown", "keydown"]) root.addEventListener(name, () => live.start());
  for (const name of ["pointerenter", "focusin"]) root.addEventListener(name, () => live.prepare());
  const reactions = {
    drawing: () => { showDrawing(); showSettings(); }, result: () => { showResult(); showImage(); showSound(true); }, reference: () => { showResult(); showSound(false); },
    table: () => live.setTable(model.get("table")), settings: showSettings, menus: showSettings, files: () => files.show(), status: () => { showStatus(); showSettings(); },  // a change may have been refused
  };
  for (const [name, react] of Object.entries(reactions)) model.on(`change:${name}`, react);
  const receive = (message, parts) => files.receive(message, parts);
  model.on("msg:custom", receive);
  const resizes = new ResizeObserver(showDrawing);
  resizes.observe(strip);
  showSettings();
  files.show();
  showDrawing();
  showImage();
  showSound(false);
  live.setTable(model.get("table"));
  const releases = [captureKeys(root), followTheme(root)];
  if (version === 0) releases.push(stayInView(root));
  return () => {
    for (const release of releases) release();
    resizes.disconnect();
    clearTimeout(timer);
    for (const [name, react] of Object.entries(reactions)) model.off(`change:${name}`, react);
    model.off("msg:custom", receive);
    player.close();
    live.close();
    URL.revokeObjectURL(imageUrl);
  };
}

export default () => {
  const views = {};
  return { render: ({ model, el }) => renderPad(model, el, views) };
};
