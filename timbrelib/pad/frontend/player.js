// The player: one sound element without the browser's own controls, whose clock shows whole lengths.

import { addButton, addElement, addToggle } from "./plot.js";

// `onTime(seconds or null)` moves the playheads.
export class Player {
  constructor(bar, onTime) {
    this.onTime = onTime;
    this.urls = {};
    this.sounds = {};
    this.isComparing = false;
    this.audio = addElement(bar, "audio");
    this.button = addButton(bar, "Play", "Space", () => this.toggle());
    this.button.classList.add("primary");
    this.loop = addToggle(bar, "Loop", "Play the sound again and again", (isOn) => { this.audio.loop = isOn; });
    this.fromEdit = addToggle(bar, "From the edit", "After a stroke, play from where it began", () => {});
    this.clock = addElement(bar, "output", { class: "clock", "aria-label": "Position" });
    const volume = addElement(bar, "input", { type: "range", min: 0, max: 1, step: 0.01, value: 1, class: "volume", "aria-label": "Volume" });
    volume.addEventListener("input", () => { this.audio.volume = Number(volume.value); });
    this.compare = addToggle(bar, "A/B", "", (isOn) => this.hear(isOn));
    for (const name of ["play", "pause", "ended", "seeked", "emptied", "loadedmetadata"]) {
      this.audio.addEventListener(name, () => this.follow());
    }
  }

  get isPlaying() { return !this.audio.paused && !this.audio.ended; }

  toggle() { this.isPlaying ? this.audio.pause() : this.play(); }

  play() { this.audio.play().catch(() => {}); }  // a browser may forbid sound before the first gesture

  // Go to a time, and play from there.
  seek(seconds) {
    this.audio.currentTime = seconds;
    this.play();
  }

  // Take the sounds, as bytes: the rendered one and the one to compare it with.
  setSounds({ sound, reference, label }) {
    const wasComparing = this.isComparing, changed = [];
    for (const [name, data] of Object.entries({ sound, reference })) {
      if (this.sounds[name] === data) continue;
      this.sounds[name] = data;
      changed.push(name);
      URL.revokeObjectURL(this.urls[name]);
      this.urls[name] = data.byteLength ? URL.createObjectURL(new Blob([data], { type: "audio/wav" })) : "";
    }
    this.compare.disabled = !this.urls.reference;
    this.compare.title = label ? `Hear ${label} instead of the drawing` : "First keep a sound, or follow a recording";
    if (this.compare.disabled) this.compare.ariaPressed = "false";
    this.isComparing = this.compare.ariaPressed === "true";
    if (wasComparing !== this.isComparing || changed.includes(this.isComparing ? "reference" : "sound")) this.load();
  }

  load() {
    const url = this.isComparing ? this.urls.reference : this.urls.sound;
    if (url) this.audio.src = url;
    else this.audio.removeAttribute("src");
    if (!url) this.audio.load();  // otherwise it keeps the sound it has
  }

  // Change between the two sounds at the same position.
  hear(reference) {
    const { currentTime } = this.audio, { isPlaying } = this;
    this.isComparing = reference;
    this.load();
    this.audio.currentTime = currentTime;
    if (isPlaying) this.play();
  }

  // Hear the drawing again, from a time on.
  playNew(seconds) {
    this.compare.ariaPressed = "false";
    if (this.isComparing) this.hear(false);
    this.seek(this.fromEdit.ariaPressed === "true" ? seconds : 0);
  }

  follow() {
    const { currentTime, duration } = this.audio;
    this.button.textContent = this.isPlaying ? "Pause" : "Play";
    this.clock.textContent = `${currentTime.toFixed(2)} / ${(Number.isFinite(duration) ? duration : 0).toFixed(2)} s`;
    this.onTime(currentTime > 0 ? currentTime : null);
    if (this.isPlaying && this.audio.isConnected) requestAnimationFrame(() => this.follow());
  }

  close() {
    this.audio.pause();
    for (const url of Object.values(this.urls)) URL.revokeObjectURL(url);
  }
}
