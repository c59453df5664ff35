// Locked excitation: spectral peaks drive oscillators with continuous phase, as in timbrelib/synthesis/locked.py.
// Phases are in cycles.

import { HOP, N_BINS, N_FFT } from "./frames.js";

// Peaks of a magnitude spectrum.
class Peaks {
  constructor() {
    this.bins = new Uint16Array(N_BINS);
    this.advance = new Float32Array(N_BINS);  // phase by which each peak advances in a hop
    this.phase = new Float64Array(N_BINS);
    this.lock = new Int32Array(N_BINS);  // twice the peak that each bin is locked to, plus one if it has the opposite sign
    this.count = 0;
  }

  find(magnitude, log) {
    for (let bin = 0; bin < N_BINS; bin++) log[bin] = Math.log(Math.max(magnitude[bin], 1e-9));
    let highest = 1;
    for (let bin = 2; bin < N_BINS - 1; bin++) if (log[bin] > log[highest]) highest = bin;
    this.count = 0;
    for (let bin = 1; bin < N_BINS - 1; bin++) {
      if ((log[bin] > log[bin - 1] && log[bin + 1] <= log[bin]) || bin === highest) this.bins[this.count++] = bin;
    }
    for (let peak = 0, bin = 0; peak < this.count; peak++) {
      const top = this.bins[peak], curvature = log[top - 1] - 2 * log[top] + log[top + 1];
      const offset = curvature < 0 ? (0.5 * (log[top - 1] - log[top + 1])) / curvature : 0;
      this.advance[peak] = (top + Math.min(0.5, Math.max(-0.5, offset))) * (HOP / N_FFT);
      // regions meet halfway between two peaks; a window centred on its frame alternates the sign from bin to bin
      const end = peak + 1 < this.count ? (top + this.bins[peak + 1]) >> 1 : N_BINS - 1;
      for (; bin <= end; bin++) this.lock[bin] = 2 * peak + ((top ^ bin) & 1);
    }
  }
}

export class Oscillators {
  constructor() {
    this.now = new Peaks();
    this.before = null;
    this.log = new Float32Array(N_BINS);
  }

  // Add the next frame of magnitudes, times a gain, with continuous phases, to a complex spectrum.
  play(magnitude, gain, real, imaginary) {
    const { now } = this;
    now.find(magnitude, this.log);
    for (let peak = 0; peak < now.count; peak++) {
      // half the hop at the old frequency and half at the new one, so that both frames agree where they overlap
      const before = this.before ?? now, source = before.lock[now.bins[peak]], old = this.before ? before.phase[source >> 1] : 0;
      const phase = old + 0.5 * (source & 1);
      now.phase[peak] = phase - Math.floor(phase) + 0.5 * (before.advance[source >> 1] + now.advance[peak]);
    }
    for (let bin = 0; bin < N_BINS; bin++) {
      const lock = now.lock[bin], angle = 2 * Math.PI * (now.phase[lock >> 1] + 0.5 * (lock & 1));
      real[bin] += gain * magnitude[bin] * Math.cos(angle);
      imaginary[bin] += gain * magnitude[bin] * Math.sin(angle);
    }
    this.now = this.before ?? new Peaks();
    this.before = now;
  }
}
