// One sound at a time on the whole page: the instrument's voices, its score, or an audio element.

const TAP = 0.35;  // s that a tap sounds which ended before the browser let the instrument start

export class Player {
  constructor(instrument, onProblem) {
    this.instrument = instrument;
    this.onProblem = onProblem;
    this.onstart = () => {};
    this.voices = new Map();  // values of the voices that are held, by the id of a pointer, key or note
    this.isReady = false;
    document.addEventListener("play", (event) => this.silenceOthers(event.target), true);
  }

  // Start the instrument in a gesture of the user; again is harmless, and wakes it where the first gesture did not count.
  async start() {
    try {
      await this.instrument.start();
    } catch (error) {
      this.voices.clear();
      this.onProblem(error.message);
      return false;
    }
    if (!this.isReady) {
      this.isReady = true;
      for (const [id, { isTap, ...values }] of this.voices) {
        this.instrument.press(id, values);
        if (isTap) setTimeout(() => this.release(id), 1000 * TAP);
      }
    }
    return true;
  }

  silenceOthers(sounding) {
    for (const audio of document.querySelectorAll("audio")) if (audio !== sounding) audio.pause();
    if (sounding) this.releaseAll();
    if (sounding && this.instrument.isPlaying) this.instrument.stopScore();
  }

  // values: pitch (Hz) and brightness (Hz or null), or a code; level
  press(id, values) {
    const isFirst = this.voices.size === 0;
    this.voices.set(id, values);
    if (this.isReady) this.instrument.press(id, values);
    else this.start();
    if (!isFirst) return;
    this.silenceOthers(null);
    if (this.instrument.isPlaying) this.instrument.stopScore();
    this.onstart();
  }

  move(id, values) {
    if (!this.voices.has(id)) return;
    this.voices.set(id, { ...this.voices.get(id), ...values });
    if (this.isReady) this.instrument.move(id, values);
  }

  release(id) {
    if (!this.voices.has(id)) return;
    if (!this.isReady) {
      this.voices.get(id).isTap = true;
      this.start();  // on a phone, the lifted finger is the gesture that counts
      return;
    }
    this.voices.delete(id);
    this.instrument.release(id);
  }

  releaseAll() {
    this.voices.clear();
    if (this.isReady) this.instrument.releaseAll();
  }

  async playScore(score, options) {
    this.releaseAll();
    this.silenceOthers(null);
    if (!(await this.start())) return false;
    this.instrument.setScore(score);
    this.instrument.playScore(options);
    return true;
  }
}
