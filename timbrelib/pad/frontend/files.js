// Saving, loading, downloading, and sound files to follow.

import { addButton, addElement, addInput, addMenu, setOptions } from "./plot.js";
import { download } from "./download.js";
import { encodeMidi } from "./midi.js";

const CHUNK = 2 ** 20;  // bytes of a sound file in one message

// `pad`: model, send(action, details), setStatus(text, problem), pitch() -> { seconds, frequencies } or null
export class Files {
  constructor(panel, pad) {
    this.pad = pad;
    const saving = addElement(panel, "div", { class: "bar" });
    this.name = addInput(saving, "Name", "input", { placeholder: "my drawing", maxlength: 80 });
    addButton(saving, "Save", "Save sound, curves and figure in the folder of the pad", () => this.save(false));
    this.overwrite = addButton(saving, "Overwrite", "Replace the existing files", () => this.save(true));
    this.saved = addMenu(saving, "Saved", {}, () => {});
    addButton(saving, "Load", "Open the saved drawing", () => pad.send("load", { name: this.saved.value }));
    const downloads = addElement(panel, "div", { class: "bar" });
    addElement(downloads, "span", {}, "Download");
    addButton(downloads, "WAV", "The sound", () => this.downloadSound());
    addButton(downloads, "MIDI", "The drawn pitch as notes with pitch bend", () => this.downloadMidi());
    addButton(downloads, "JSON", "Curves, codes and settings", () => pad.send("export", { kind: "json" }));
    addButton(downloads, "PNG", "The figure", () => pad.send("export", { kind: "png" }));
    this.name.addEventListener("input", () => this.showOverwrite());
  }

  save(overwrite) { this.pad.send("save", { name: this.name.value, overwrite }); }

  show() {
    const { saved, selected } = this.pad.model.get("files");
    setOptions(this.saved, saved.map((name) => [name, name]));
    if (selected !== this.shown) this.saved.value = selected;
    this.shown = selected;
    this.showOverwrite();
  }

  // The question is about one name.
  showOverwrite() {
    const { exists } = this.pad.model.get("files");
    this.overwrite.hidden = !exists || exists !== this.name.value.trim();
  }

  downloadSound() {
    const { sound } = this.pad.model.get("result");
    if (sound.byteLength) download("drawing.wav", sound, "audio/wav");
    else this.pad.setStatus("there is no sound yet: draw first", true);
  }

  downloadMidi() {
    const pitch = this.pad.pitch();
    if (pitch) download("drawing.mid", encodeMidi(pitch), "audio/midi");
    else this.pad.setStatus("a MIDI file needs a pitch: draw Pitch in one of the lanes", true);
  }

  // Take a file that the kernel sends when it was asked for one.
  receive(message, parts) {
    if (typeof message?.file !== "string" || !parts?.length) return;
    download(message.file, parts[0], message.file.endsWith(".png") ? "image/png" : "application/json");
  }

  // Send a sound file for all lanes, or one.
  async upload(file, lane = null) {
    const limit = this.pad.model.get("drawing").max_upload;
    if (file.size > limit) {
      return this.pad.setStatus(`${file.name} has ${Math.round(file.size / 2 ** 20)} MB: choose one of at most ${limit / 2 ** 20} MB`, true);
    }
    this.pad.setStatus(`uploading ${file.name}…`);
    try {
      for (let start = 0; start === 0 || start < file.size; start += CHUNK) {
        const part = await file.slice(start, start + CHUNK).arrayBuffer();
        this.pad.model.send({ action: "upload", name: file.name, start, size: file.size, lane }, undefined, [part]);
      }
    } catch (error) {
      this.pad.setStatus(`${file.name} cannot be read (${error.message}): choose it again`, true);
    }
  }

  // Follow a sound file that is dropped on an element: in one lane, if it is dropped there.
  acceptDrops(element) {
    const mark = (isOver) => element.classList.toggle("drop", isOver);
    element.addEventListener("dragover", (event) => {
      if (![...event.dataTransfer.types].includes("Files")) return;
      event.preventDefault();
      event.stopPropagation();  // JupyterLab would upload it into its folder
      mark(true);
    });
    element.addEventListener("dragleave", () => mark(false));
    element.addEventListener("drop", (event) => {
      mark(false);
      const [file] = event.dataTransfer.files;
      if (!file) return;
      event.preventDefault();
      event.stopPropagation();
      const lane = [...element.querySelectorAll(".lane")].indexOf(event.target.closest(".lane"));
      this.upload(file, lane < 0 ? null : lane);
    });
  }
}
