// Play: the field and the codes, notes from the keyboard and MIDI, and a recorder.
import { SAMPLE_RATE } from "../../pad/engine/frames.js";
import { encodeWav } from "../../pad/engine/synthesis.js";
import { download } from "../../pad/frontend/download.js";
import { toFrequency } from "../../pad/frontend/notes.js";
import { CodeMap } from "./code_map.js";
import { Field } from "./field.js";
import { ComputerKeys, MidiInput } from "./keys.js";

export class PlayPanel {
  constructor(root, player, showStatus) {
    Object.assign(this, { root, player, showStatus });
    this.settings = { level: 0.8, scale: "off", root: 0, brightness: null };  // null: as bright as the pitch usually is
    this.notes = new Map();  // by id: MIDI note and level
    this.bends = new Map();  // semitones by the prefix of ids
    const stage = root.querySelector("[data-part=stage]"), readout = root.querySelector("[data-part=readout]");
    const onMove = (text) => { readout.textContent = text; };
    this.field = new Field(stage, player, this.settings, onMove);
    this.map = new CodeMap(stage, player, this.settings, onMove);
    this.map.canvas.hidden = true;
    const hint = root.querySelector("[data-part=hint]");
    player.onstart = () => hint.classList.add("gone");
    new ComputerKeys(this, () => this.isShown() && root.getBoundingClientRect().bottom > 0);
    this.midi = new MidiInput(this);
    this.connectControls();
  }

  control(name) { return this.root.querySelector(`[name="${name}"]`); }

  isShown() { return !this.root.querySelector("[data-panel=play]").hidden && Boolean(this.table); }

  connectControls() {
    const { settings, player } = this, on = (name, event, react) => this.control(name).addEventListener(event, (e) => react(e.target));
    on("level", "input", (slider) => { settings.level = Number(slider.value); });
    on("glide", "input", (slider) => { player.instrument.glide = Number(slider.value); });
    on("brightness", "input", (slider) => this.setBrightness(Number(slider.value)));
    on("scale", "change", (menu) => {
      settings.scale = menu.value;
      this.root.querySelector("[data-part=root]").hidden = ["off", "semitones"].includes(menu.value);
      this.field.draw();
    });
    on("root", "change", (menu) => { settings.root = Number(menu.value); this.field.draw(); });
    for (const choice of this.root.querySelectorAll("[name=surface]")) choice.addEventListener("change", () => this.showSurface(choice.value));
    this.control("midi").hidden = !navigator.requestMIDIAccess;
    on("midi", "click", (button) => this.connectMidi(button));
    on("record", "click", (button) => this.toggleRecording(button));
  }

  show(table) {
    this.table = table;
    this.isPitched = table.descriptors.includes("fundamental");
    if (this.isPitched) this.field.show(table);
    this.map.show(table);
    const [field, codes] = this.root.querySelectorAll("[name=surface]");
    field.disabled = !this.isPitched;
    if (!this.isPitched) codes.checked = true;
    this.showSurface(codes.checked ? "codes" : "field");
    this.player.instrument.glide = Number(this.control("glide").value);
  }

  showSurface(name) {
    this.field.canvas.hidden = name !== "field";
    this.map.canvas.hidden = name !== "codes";
  }

  // Voices of the keyboard and MIDI.

  values(id) {
    const { midi, level } = this.notes.get(id), [prefix] = [...this.bends.keys()].filter((start) => id.startsWith(start));
    return { pitch: toFrequency(midi + (this.bends.get(prefix) ?? 0)), brightness: this.settings.brightness, level: level * this.settings.level };
  }

  noteOn(id, midi, level) {
    if (!this.isShown()) return;
    this.notes.set(id, { midi, level });
    const values = this.values(id);
    this.player.press(id, values);
    if (this.isPitched) this.field.showNote(id, values);
  }

  noteOff(id) {
    this.notes.delete(id);
    this.player.release(id);
    this.field.end(id);
  }

  moveNotes(prefix = "") {
    for (const id of this.notes.keys()) {
      if (!id.startsWith(prefix)) continue;
      const values = this.values(id);
      this.player.move(id, values);
      if (this.isPitched) this.field.showNote(id, values);
    }
  }

  bend(prefix, semitones) {
    this.bends.set(prefix, semitones);
    this.moveNotes(prefix);
  }

  setBrightness(share) {
    const [low, high] = this.table.range("centroid");
    this.settings.brightness = low * (high / low) ** share;
    this.control("brightness").value = share;
    this.moveNotes();
  }

  allOff(prefix) {
    for (const id of [...this.notes.keys()]) if (id.startsWith(prefix)) this.noteOff(id);
  }

  async connectMidi(button) {
    await this.player.start();
    try {
      const names = await this.midi.connect();
      this.showStatus(names.length ? `MIDI: ${names.join(", ")}` : "MIDI is on: connect a keyboard");
      button.setAttribute("aria-pressed", "true");
    } catch (error) {
      this.showStatus(`MIDI is not available (${error.message}): allow it in the browser's settings for this page`, true);
    }
  }

  async toggleRecording(button) {
    if (!(await this.player.start())) return;
    this.isRecording = !this.isRecording;
    button.setAttribute("aria-pressed", this.isRecording);
    button.textContent = this.isRecording ? "Stop and save" : "Record";
    if (this.isRecording) return this.player.instrument.record();
    const samples = await this.player.instrument.stopRecording();
    download(`${this.table.name}_played.wav`, encodeWav(samples, SAMPLE_RATE), "audio/wav");
    this.showStatus(`saved ${(samples.length / SAMPLE_RATE).toFixed(1)} s as ${this.table.name}_played.wav`);
  }
}
