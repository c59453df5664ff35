// Frequencies at the notes of a scale; scales and notes are those of the pad.
import { SCALES, snapNote, toFrequency, toMidi } from "../../pad/frontend/notes.js";

// Whether a MIDI note belongs to a scale; every note does if the scale is off.
export function isInScale(midi, scale, root) {
  return !SCALES[scale] || SCALES[scale].includes((((midi - root) % 12) + 12) % 12);
}

// The note of a scale nearest to a frequency, in Hz; the frequency itself if the scale is off.
export function snapToScale(hertz, scale, root) {
  return SCALES[scale] ? toFrequency(snapNote(toMidi(hertz), scale, root)) : hertz;
}
