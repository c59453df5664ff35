// From codes and gains to sound, frame by frame: the blending, excitation and overlap-add of timbrelib/synthesis.

import { FFT } from "./fft.js";
import { HOP, N_BINS, N_FFT, OVERLAP, SAMPLE_RATE, WINDOW, spectrumGain } from "./frames.js";
import { Oscillators } from "./locked.js";
import { FilteredNoise } from "./noise.js";

const EDGE = 16;  // samples over which a sound fades in and out: an abrupt end clicks
const GAIN_CORRECTIONS = 5;

// Overlaps frames; each one that is added completes a hop.
export class OverlapAdd {
  constructor() {
    this.fft = new FFT();
    this.wave = new Float64Array(N_FFT);
    this.sum = new Float64Array(N_FFT);
    this.weight = new Float64Array(N_FFT);
  }

  // Add a frame, a complex spectrum, and return the hop that no later frame reaches; without a frame, what is left.
  add(real, imaginary) {
    if (real) {
      this.fft.inverse(real, imaginary, this.wave);
      for (let i = 0; i < N_FFT; i++) {
        this.sum[i] += WINDOW[i] * this.wave[i];
        this.weight[i] += WINDOW[i] * WINDOW[i];
      }
    }
    const hop = Float32Array.from({ length: HOP }, (_, i) => (this.weight[i] > 1e-9 ? this.sum[i] / this.weight[i] : 0));
    for (const buffer of [this.sum, this.weight]) buffer.copyWithin(0, HOP).fill(0, N_FFT - HOP);
    return hop;
  }
}

// Plays a score (codes, cents, gain) frame by frame.
export class Synthesiser {
  constructor(table, seed = 0) {
    this.table = table;
    this.oscillators = new Oscillators();
    this.filtered = new FilteredNoise(seed);
    this.overlap = new OverlapAdd();
    this.partials = new Float32Array(N_BINS);
    this.noise = new Float32Array(N_BINS);
    this.part = new Float32Array(N_BINS);
    this.real = new Float64Array(N_BINS);
    this.imaginary = new Float64Array(N_BINS);
  }

  // Add a frame of a score, and return the hop that it completes, two hops before its centre.
  play({ codes, cents, gain }, frame) {
    const { table } = this, last = codes.length - 1;
    const three = [Math.max(frame - 1, 0), frame, Math.min(frame + 1, last)].map((i) => codes[i]);
    let power = 0;
    if (table.hasPartials) {
      this.blend(this.partials, (place) => (cents
        ? table.movedPartials(three[place], cents[3 * frame + place], this.part)
        : table.partials(three[place])));
      power += spectrumGain(this.partials) ** 2;
    }
    if (table.hasNoise) {
      this.blend(this.noise, (place) => table.noise(three[place]));
      power += spectrumGain(this.noise) ** 2;
    }
    const unit = Math.fround(Math.sqrt(power));
    for (const part of [this.partials, this.noise]) for (let bin = 0; bin < N_BINS; bin++) part[bin] /= unit;
    this.real.fill(0);
    this.imaginary.fill(0);
    if (table.hasPartials) this.oscillators.play(this.partials, gain[frame], this.real, this.imaginary);
    if (table.hasNoise) this.filtered.play(this.noise, gain[frame], this.real, this.imaginary);
    return this.overlap.add(this.real, this.imaginary);
  }

  // Weight the spectra of the frame before, the frame and the frame after 1 : 2 : 1.
  blend(sum, read) {
    sum.fill(0);
    for (const place of [0, 2, 1]) {
      const part = read(place), weight = place === 1 ? 2 : 1;
      for (let bin = 0; bin < N_BINS; bin++) sum[bin] += weight * part[bin];
    }
  }
}

// Synthesise a whole score from the centre of its first frame to that of its last, Float32Array at 22,050 Hz.
export function renderScore(table, score, seed = 0) {
  const n = score.codes.length, hops = Math.max(1, n - 1), synthesiser = new Synthesiser(table, seed);
  const audio = new Float32Array(hops * HOP);
  for (let hop = 0; hop < hops + OVERLAP / 2; hop++) {
    const made = hop < n ? synthesiser.play(score, hop) : synthesiser.overlap.add();
    if (hop >= OVERLAP / 2) audio.set(made, (hop - OVERLAP / 2) * HOP);
  }
  for (let i = 0; i < Math.min(EDGE, audio.length / 2); i++) {
    audio[i] *= (i + 0.5) / EDGE;
    audio[audio.length - 1 - i] *= (i + 0.5) / EDGE;
  }
  restoreGain(audio, score.gain);
  return audio;
}

// Scale a sound over time until its frames have the requested gain: where neighbours differ, they interfere.
function restoreGain(audio, gain) {
  const hops = audio.length / HOP, ratio = new Float64Array(hops + 1);
  for (let correction = 0; correction < GAIN_CORRECTIONS; correction++) {
    for (let frame = 0; frame <= hops; frame++) {
      const measured = frameGain(audio, frame * HOP);
      ratio[frame] = measured > 1e-9 ? gain[Math.min(frame, gain.length - 1)] / measured : 0;
    }
    for (let i = 0; i < audio.length; i++) {
      const hop = Math.floor(i / HOP);
      audio[i] *= ratio[hop] + ((i % HOP) / HOP) * (ratio[hop + 1] - ratio[hop]);
    }
  }
}

// RMS of the windowed samples around a centre.
function frameGain(audio, centre) {
  let energy = 0;
  const start = centre - N_FFT / 2;
  for (let i = Math.max(0, -start); i < Math.min(N_FFT, audio.length - start); i++) energy += (WINDOW[i] * audio[start + i]) ** 2;
  return Math.sqrt(energy / N_FFT);
}

// A sound as a WAV file of 16 bits.
export function encodeWav(samples, rate = SAMPLE_RATE) {
  const view = new DataView(new ArrayBuffer(44 + 2 * samples.length));
  const write = (offset, text) => [...text].forEach((letter, i) => view.setUint8(offset + i, letter.charCodeAt(0)));
  write(0, "RIFF");
  view.setUint32(4, 36 + 2 * samples.length, true);
  write(8, "WAVEfmt ");
  [[16, 16, 4], [20, 1, 2], [22, 1, 2], [24, rate, 4], [28, 2 * rate, 4], [32, 2, 2], [34, 16, 2]].forEach(([offset, value, bytes]) =>
    (bytes === 4 ? view.setUint32(offset, value, true) : view.setUint16(offset, value, true)));
  write(36, "data");
  view.setUint32(40, 2 * samples.length, true);
  samples.forEach((sample, i) => view.setInt16(44 + 2 * i, Math.round(32767 * Math.min(1, Math.max(-1, sample))), true));
  return new Blob([view], { type: "audio/wav" });
}
