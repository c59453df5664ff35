// Notes, scales, and the keys of a computer keyboard that play them.

const SHARPS = ["C", "C♯", "D", "D♯", "E", "F", "F♯", "G", "G♯", "A", "A♯", "B"];
const SCALES = {  // semitones over the root
  off: [],
  semitones: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11],
  major: [0, 2, 4, 5, 7, 9, 11],
  minor: [0, 2, 3, 5, 7, 8, 10],
  pentatonic: [0, 2, 4, 7, 9],
};
// By place, so that they lie like a piano's on every layout of the letters.
export const PIANO_KEYS = ["KeyA", "KeyW", "KeyS", "KeyE", "KeyD", "KeyF", "KeyT", "KeyG", "KeyY", "KeyH", "KeyU", "KeyJ", "KeyK", "KeyO", "KeyL", "KeyP", "Semicolon"];

export const toMidi = (hertz) => 69 + 12 * Math.log2(hertz / 440);
export const toHertz = (midi) => 440 * 2 ** ((midi - 69) / 12);

// Name of a MIDI note, such as A4.
export const noteName = (midi) => `${SHARPS[((midi % 12) + 12) % 12]}${Math.floor(midi / 12) - 1}`;

// Whether a MIDI note belongs to a scale; every note does if the scale is off.
export function isInScale(midi, scale, root) {
  return scale === "off" || SCALES[scale].includes((((midi - root) % 12) + 12) % 12);
}

// The note of a scale nearest to a frequency, in Hz; the frequency itself if the scale is off.
export function snapToScale(hertz, scale, root) {
  if (scale === "off") return hertz;
  const midi = toMidi(hertz), nearest = Math.round(midi);
  let best = Infinity;
  for (let note = nearest - 3; note <= nearest + 3; note++) {
    if (isInScale(note, scale, root) && Math.abs(note - midi) < Math.abs(best - midi)) best = note;
  }
  return toHertz(best);
}
