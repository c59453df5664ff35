// Notes from the computer keyboard, and from MIDI where the browser has it.

// By place, so that they lie like a piano's on every layout of the letters.
const PIANO_KEYS = ["KeyA", "KeyW", "KeyS", "KeyE", "KeyD", "KeyF", "KeyT", "KeyG", "KeyY", "KeyH", "KeyU", "KeyJ", "KeyK", "KeyO", "KeyL", "KeyP", "Semicolon"];
const BEND = 2;  // semitones of a full pitch bend
const KEY_LEVEL = 0.8;
const MODULATION = 1, BRIGHTNESS = 74, ALL_NOTES_OFF = 123;  // MIDI controllers
const TEXT_FIELDS = "input:not([type=range]):not([type=checkbox]):not([type=radio]), textarea, select, [contenteditable]";

// `voices` has noteOn(id, midi, level), noteOff(id).
export class ComputerKeys {
  constructor(voices, isActive) {
    this.octave = 4;
    this.held = new Map();  // voices by the code of their key
    window.addEventListener("keydown", (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest?.(TEXT_FIELDS) || !isActive()) return;
      const semitone = PIANO_KEYS.indexOf(event.code), octaves = { KeyZ: -1, KeyX: 1 };
      if (event.code in octaves) this.octave = Math.min(8, Math.max(0, this.octave + octaves[event.code]));
      if (semitone < 0 || event.repeat || this.held.has(event.code)) return;
      const id = `key ${event.code}`;
      this.held.set(event.code, id);
      voices.noteOn(id, 12 * (this.octave + 1) + semitone, KEY_LEVEL);
    });
    const end = (code) => {
      if (this.held.has(code)) voices.noteOff(this.held.get(code));
      this.held.delete(code);
    };
    window.addEventListener("keyup", (event) => end(event.code));
    window.addEventListener("blur", () => [...this.held.keys()].forEach(end));
  }
}

// `voices` also has bend(prefix of ids, semitones), setBrightness(0 to 1) and allOff(prefix).
export class MidiInput {
  constructor(voices) {
    this.voices = voices;
  }

  // Ask for access and listen; returns the names of the inputs.
  async connect() {
    const access = await navigator.requestMIDIAccess();
    const listen = () => {
      const inputs = [...access.inputs.values()];
      for (const input of inputs) input.onmidimessage = (event) => this.onMessage(event.data);
      return inputs.map((input) => input.name);
    };
    access.onstatechange = listen;  // a device that is plugged in later
    return listen();
  }

  onMessage([status, first, second]) {
    const kind = status & 0xf0, prefix = `midi ${status & 0x0f} `;
    if (kind === 0x90 && second > 0) this.voices.noteOn(`${prefix}${first}`, first, second / 127);
    else if (kind === 0x80 || kind === 0x90) this.voices.noteOff(`${prefix}${first}`);
    else if (kind === 0xe0) this.voices.bend(prefix, (BEND * (first + 128 * second - 8192)) / 8192);
    else if (kind === 0xb0 && (first === MODULATION || first === BRIGHTNESS)) this.voices.setBrightness(second / 127);
    else if (kind === 0xb0 && first === ALL_NOTES_OFF) this.voices.allOff(prefix);
  }
}
