// The vertical axis of a lane, from a model's table; shapes and a phrase to start with.
import { heightOf, noteName, toFrequency, toMidi, valueOf } from "../../pad/frontend/notes.js";
import { clamp, roundTicks } from "../../pad/frontend/plot.js";
import { isInScale } from "./scales.js";

const ORDER = ["fundamental", "centroid", "bandwidth", "rolloff", "flatness"];  // of the menus
const LEVEL_LANE = "gain";  // the one lane that is not a descriptor
const LEVEL_RANGE = [-40, 6];  // dB relative to the default
const AXIS_MARGIN = 0.06;  // of the range, added at both ends
const AXIS_BINS = 40, AXIS_TICKS = 6;
const PHRASE = [0, 4, 7, 12, 11, 7, 9, 2, 0];  // semitones over the lowest note

// Descriptors of a table in the order of the menus.
export function laneNames(table) {
  const known = ORDER.filter((name) => table.descriptors.includes(name));
  return [...known, ...table.descriptors.filter((name) => !ORDER.includes(name)), LEVEL_LANE];
}

// What Lane.show needs, with heights from values and back.
export class LaneAxis {
  constructor(table, name) {
    this.name = name;
    this.unit = name === LEVEL_LANE ? "dB" : table.unit(name);
    this.log = name !== LEVEL_LANE && table.isLog(name);
    const [low, high] = name === LEVEL_LANE ? LEVEL_RANGE : table.range(name);
    this.inner = [low, high];
    const margin = name === LEVEL_LANE ? 0 : AXIS_MARGIN;
    this.low = this.log ? low / (high / low) ** margin : low - margin * (high - low);
    this.high = this.log ? high * (high / low) ** margin : high + margin * (high - low);
    this.code_range = name === LEVEL_LANE ? [0, 1] : table.fullRange(name).map((value) => clamp(this.height(value)));
    this.histogram = name === LEVEL_LANE ? [] : this.countCodes(table.values[name]);
    this.ticks = this.log ? this.noteTicks() : roundTicks(this.low, this.high, AXIS_TICKS).map(([tick, text]) => [this.height(tick), text]);
  }

  value(height) { return valueOf(this, height); }
  height(value) { return heightOf(this, value); }

  countCodes(values) {
    const counts = new Array(AXIS_BINS).fill(0);
    for (const value of values) {
      const bin = Math.floor(this.height(value) * AXIS_BINS);
      if (bin >= 0 && bin < AXIS_BINS) counts[bin] += 1;
    }
    return counts.map((count) => count / Math.max(1, ...counts));
  }

  noteTicks() {
    const first = Math.ceil(toMidi(this.low)), last = Math.floor(toMidi(this.high)), ticks = [];
    for (let note = first; note <= last; note++) {
      if (last - first > 12 ? note % 12 === 0 || note % 12 === 7 : isInScale(note, "major", 0)) ticks.push([this.height(toFrequency(note)), noteName(note)]);
    }
    return ticks;
  }

  // Heights of a preset shape over the range that the codes cover well.
  shape(kind, nFrames) {
    const [bottom, top] = this.inner.map((value) => this.height(value));
    if (this.name === LEVEL_LANE && kind === "flat") return new Array(nFrames).fill(this.height(0));
    return Array.from({ length: nFrames }, (_, i) => bottom + (top - bottom) * shapeAt(kind, i / (nFrames - 1)));
  }

  // The curve that is there before anything is drawn: a phrase, a slow wave of brightness, the default level.
  firstCurve(nFrames) {
    if (this.name === LEVEL_LANE) return this.shape("flat", nFrames);
    if (this.name !== "fundamental") return this.shape("sin", nFrames).map((height) => 0.2 + 0.6 * height);
    const [low, high] = this.inner.map(toMidi), base = Math.ceil(low + Math.max(0, high - low - 12) / 2);
    return Array.from({ length: nFrames }, (_, i) => clamp(this.height(toFrequency(base + phraseAt(i / nFrames)))));
  }
}

// A share of the range at a share u of the time, as timbrelib.control.targets has them.
function shapeAt(kind, u) {
  if (kind === "sin") return (1 + Math.sin(2 * Math.PI * u)) / 2;
  if (kind === "ramp") return u;
  if (kind === "steps") return Math.min(4, Math.floor(5 * u)) / 4;
  if (kind === "exp") return u < 0.5 ? Math.log(1 + 18 * u) / Math.log(10) : (Math.exp(2 - 4 * u) - Math.exp(-2)) / (1 - Math.exp(-2));
  return 0.5;
}

// Semitones of the phrase at a share of the time: notes with short glides, and a vibrato that grows in each.
function phraseAt(share) {
  const place = share * PHRASE.length, index = Math.floor(place), along = place - index;
  const glide = clamp((along - 0.78) / 0.22), next = PHRASE[Math.min(PHRASE.length - 1, index + 1)];
  const vibrato = 0.35 * along * (1 - glide) * Math.sin(2 * Math.PI * 3.5 * along);
  return PHRASE[index] + (next - PHRASE[index]) * glide * glide * (3 - 2 * glide) + vibrato;
}
