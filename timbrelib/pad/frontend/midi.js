// A pitch curve as a Standard MIDI File (format 0): notes, with pitch bend within two semitones.

import { toMidi } from "./notes.js";

const TICKS = 480, BEAT_US = 500_000;  // ticks and microseconds per quarter note, which is 120 beats per minute
const BEND_RANGE = 2;  // semitones, the default of MIDI instruments
const VELOCITY = 96;

// A number in groups of 7 bits, as delta times are written.
function variableLength(number) {
  const bytes = [number & 127];
  while ((number >>= 7) > 0) bytes.unshift((number & 127) | 128);
  return bytes;
}

// seconds: length; frequencies: Hz per frame, evenly over it; null or NaN is silence.
export function encodeMidi({ seconds, frequencies }) {
  const events = [], n = frequencies.length;
  const tickAt = (i) => Math.round(((i / Math.max(1, n - 1)) * seconds * 1e6 * TICKS) / BEAT_US);
  let note = null, bend = null;
  const stop = (i) => {
    if (note !== null) events.push([tickAt(i), 0x80, note, 0]);
    note = null;
  };
  frequencies.forEach((frequency, i) => {
    if (!(frequency > 0)) return stop(i);
    const pitch = toMidi(frequency);
    const isNew = note === null || Math.abs(pitch - note) > BEND_RANGE;
    if (isNew) stop(i);
    const base = isNew ? Math.min(127, Math.max(0, Math.round(pitch))) : note;
    const value = Math.min(16383, Math.max(0, Math.round(8192 + (8192 * (pitch - base)) / BEND_RANGE)));
    if (value !== bend) events.push([tickAt(i), 0xe0, value & 127, value >> 7]);
    bend = value;
    if (isNew) events.push([tickAt(i), 0x90, base, VELOCITY]);
    note = base;
  });
  stop(n - 1);
  const track = [0, 0xff, 0x51, 3, BEAT_US >> 16, (BEAT_US >> 8) & 255, BEAT_US & 255];
  let now = 0;
  for (const [tick, ...bytes] of events) {
    track.push(...variableLength(tick - now), ...bytes);
    now = tick;
  }
  track.push(0, 0xff, 0x2f, 0);
  const text = (letters) => [...letters].map((letter) => letter.charCodeAt(0));
  const word = (number) => [number >>> 24, (number >> 16) & 255, (number >> 8) & 255, number & 255];
  return new Uint8Array([...text("MThd"), ...word(6), 0, 0, 0, 1, TICKS >> 8, TICKS & 255, ...text("MTrk"), ...word(track.length), ...track]);
}
