// The player: the rendered sound, or the engine's while that is not there yet; its clock shows whole lengths.

import { addButton, addElement, addToggle } from "./plot.js";

// `live` is the engine; `isCurrent()` says whether the rendered sound is that of the drawing; `onTime(seconds or null)`
// moves the playheads.
export class Player {
  constructor(bar, live, isCurrent, onTime) {
    this.live = live;
    this.isCurrent = isCurrent;
    this.onTime = onTime;
    this.urls = {};
    this.sounds = {};
    this.isComparing = false;
    this.audio = addElement(bar, "audio");
    this.button = addButton(bar, "Play", "Space", () => this.toggle());
    this.button.classList.add("primary");
    this.loop = addToggle(bar, "Loop", "Play the sound again and again", (isOn) => { this.audio.loop = live.isLooped = isOn; });
    this.fromEdit = addToggle(bar, "From the edit", "After a stroke, play from where it began", () => {});
    this.clock = addElement(bar, "span", { class: "clock" });
    const volume = addElement(bar, "input", { type: "range", min: 0, max: 1, step: 0.01, value: 1, class: "volume", "aria-label": "Volume" });
    volume.addEventListener("input", () => { this.audio.volume = live.volume = Number(volume.value); });
    this.compare = addToggle(bar, "A/B", "", (isOn) => this.hear(isOn));
    for (const name of ["play", "pause", "ended", "seeked", "emptied", "loadedmetadata"]) {
      this.audio.addEventListener(name, () => this.follow());
    }
    live.onStop = () => this.follow();
  }

  get isPlaying() { return this.live.isPlaying || (!this.audio.paused && !this.audio.ended); }
  get time() { return this.live.isPlaying ? this.live.position : this.audio.currentTime; }

  toggle() { this.isPlaying ? this.pause() : this.play(); }

  pause() {
    this.live.stop();
    this.audio.pause();
  }

  play() {
    if (!this.isCurrent() && !this.isComparing && this.live.play(this.audio.ended ? 0 : this.audio.currentTime)) return this.follow();
    this.live.stop();
    this.audio.play().catch(() => {});  // a browser may forbid sound before the first gesture
  }

  // Go to a time, and play from there.
  seek(seconds) {
    this.pause();
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
    const { time, isPlaying } = this;
    this.pause();
    this.isComparing = reference;
    this.load();
    this.audio.currentTime = time;
    if (isPlaying) this.play();
  }

  // A stroke goes on: the engine plays it, again and again, from where it began.
  playStroke(seconds) {
    if (this.live.isPlaying || !this.live.play(seconds, true)) return;
    this.audio.pause();
    this.follow();
  }

  // A stroke has ended: the engine plays the drawing until it is rendered.
  playDrawing(seconds) {
    const from = this.fromEdit.ariaPressed === "true" ? seconds : 0;
    this.hearDrawing();
    this.audio.pause();
    this.audio.currentTime = from;
    if (!this.live.play(from)) this.live.stop();
    this.follow();
  }

  // The drawing is rendered: go on with its sound where the engine is, or begin.
  playRendered(seconds) {
    const { isPlaying, position } = this.live;
    this.hearDrawing();
    this.seek(isPlaying ? position : this.fromEdit.ariaPressed === "true" ? seconds : 0);
  }

  hearDrawing() {
    this.compare.ariaPressed = "false";
    if (this.isComparing) this.hear(false);
  }

  follow() {
    const { time, isPlaying } = this, { duration } = this.audio;
    this.button.textContent = isPlaying ? "Pause" : "Play";
    this.clock.textContent = `${time.toFixed(2)} / ${(Number.isFinite(duration) ? duration : 0).toFixed(2)} s`;
    this.onTime(time > 0 ? time : null);
    if (!isPlaying || this.isFollowing || !this.audio.isConnected) return;
    this.isFollowing = true;
    requestAnimationFrame(() => {
      this.isFollowing = false;
      this.follow();
    });
  }

  close() {
    this.pause();
    for (const url of Object.values(this.urls)) URL.revokeObjectURL(url);
  }
}
