// Musical words, notes and scales.

import { addElement, LEFT } from "./plot.js";

export const NOTES = ["C", "C♯", "D", "D♯", "E", "F", "F♯", "G", "G♯", "A", "A♯", "B"];
export const SCALES = {  // semitones above the root
  off: null,
  semitones: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11],
  major: [0, 2, 4, 5, 7, 9, 11],
  minor: [0, 2, 3, 5, 7, 8, 10],
  pentatonic: [0, 2, 4, 7, 9],
  blues: [0, 3, 5, 6, 7, 10],
};
const MIN_TICKS = 4, TICK_SPACE = 14;  // px of a tick's text
const MIN_ROW = 3;  // px of a semitone from which on keys are shaded

// What a musician calls a lane, and what the field does.
const WORDS = {
  centroid: ["Brightness", "spectral centroid"],
  bandwidth: ["Spread", "spectral bandwidth"],
  rolloff: ["Treble", "spectral rolloff"],
  flatness: ["Tone / noise", "spectral flatness"],
  fundamental: ["Pitch", "fundamental"],
  gain: ["Level", "gain"],
};
export const WARNINGS = { flatness: "follows only roughly: its value lies between the partials" };

export const wordFor = (name) => WORDS[name]?.[0] ?? name;
export const termFor = (name) => WORDS[name]?.[1] ?? "";

export const toMidi = (frequency) => 69 + 12 * Math.log2(frequency / 440);
export const toFrequency = (midi) => 440 * 2 ** ((midi - 69) / 12);
export const noteName = (midi) => `${NOTES[((Math.round(midi) % 12) + 12) % 12]}${Math.floor(Math.round(midi) / 12) - 1}`;

// The nearest MIDI note of a scale on a root, 0 to 11 for C to B.
export function snapNote(midi, scale, root) {
  const steps = SCALES[scale];
  if (!steps) return midi;
  const around = [-1, 0, 1].flatMap((octave) => {
    const base = Math.floor((midi - root) / 12) * 12 + root + 12 * octave;
    return steps.map((step) => base + step);
  });
  return around.reduce((best, note) => (Math.abs(note - midi) < Math.abs(best - midi) ? note : best));
}

// Value of a height on an axis, and back; see lane_state in timbrelib/pad/axes.py.
export const valueOf = ({ low, high, log }, height) => (log ? low * (high / low) ** height : low + (high - low) * height);
export const heightOf = ({ low, high, log }, value) =>
  log ? Math.log(value / low) / Math.log(high / low) : (value - low) / (high - low);

// Ticks, [height, text], of the part of an axis that is in view: those of the whole axis, or closer ones.
export function ticksInView(axis, plot) {
  const inView = axis.ticks.filter(([height]) => plot.shows(height)), { low, high } = plot.view;
  if (high - low >= 1 || inView.length >= MIN_TICKS) return inView;
  const [first, last] = [valueOf(axis, low), valueOf(axis, high)];
  if (axis.log) {
    const notes = Array.from({ length: Math.ceil(toMidi(last) - toMidi(first)) }, (_, i) => Math.ceil(toMidi(first)) + i);
    const step = Math.ceil(notes.length / (plot.height / TICK_SPACE));
    return notes.filter((note) => note % step === 0).map((note) => [heightOf(axis, toFrequency(note)), noteName(note)]);
  }
  const wanted = (last - first) / MIN_TICKS, power = 10 ** Math.floor(Math.log10(wanted)), step = power * (wanted >= 5 * power ? 5 : wanted >= 2 * power ? 2 : 1);
  const count = Math.floor(last / step) - Math.ceil(first / step) + 1;
  return Array.from({ length: count }, (_, i) => {
    const value = (Math.ceil(first / step) + i) * step;
    return [heightOf(axis, value), `${Number(value.toPrecision(4))}`];
  });
}

// The rows of a piano roll behind a pitch lane: black keys are shaded, every C has a line.
export function addPianoRoll(plot, axis) {
  const row = plot.y(0) - plot.y(heightOf(axis, axis.low * 2 ** (1 / 12)));
  for (let midi = Math.ceil(toMidi(axis.low)); midi <= toMidi(axis.high); midi++) {
    const height = heightOf(axis, toFrequency(midi));
    if (!plot.shows(height)) continue;
    const isBlack = NOTES[midi % 12].includes("♯"), y = plot.y(height);
    if (isBlack && row >= MIN_ROW) {
      const top = Math.max(y - row / 2, plot.y(plot.view.high)), bottom = Math.min(y + row / 2, plot.y(plot.view.low));
      addElement(plot.axes, "rect", { class: "black-key", x: LEFT, width: plot.width, y: top, height: bottom - top });
    }
    if (midi % 12 === 0) addElement(plot.axes, "line", { class: "octave", x1: LEFT, x2: LEFT + plot.width, y1: y, y2: y });
  }
}
