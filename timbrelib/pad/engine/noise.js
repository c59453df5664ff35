// Noise: white noise filtered frame by frame, as in timbrelib/synthesis/noise.py.

import { FFT } from "./fft.js";
import { HOP, N_BINS, N_FFT, WINDOW } from "./frames.js";

const LEVEL = Math.sqrt(WINDOW.reduce((sum, weight) => sum + weight * weight, 0));  // RMS magnitude of a bin of white noise

// Numbers of the normal distribution: those of mulberry32 by the transform of Box and Muller ("A note on the generation
// of random normal deviates", Annals of Mathematical Statistics 29(2), 1958).
export function normalNumbers(seed) {
  let state = seed | 0;
  const uniform = () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
  return () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform());
}

export class FilteredNoise {
  constructor(seed) {
    this.draw = normalNumbers(seed);
    this.samples = Float32Array.from({ length: N_FFT }, (_, i) => (i < HOP ? 0 : this.draw()));  // under the frame before
    this.frame = new Float64Array(N_FFT);
    this.real = new Float64Array(N_BINS);
    this.imaginary = new Float64Array(N_BINS);
    this.fft = new FFT();
  }

  // Add the next frame, with the given magnitudes times a gain, to a complex spectrum.
  play(magnitude, gain, real, imaginary) {
    this.samples.copyWithin(0, HOP);
    for (let i = N_FFT - HOP; i < N_FFT; i++) this.samples[i] = this.draw();
    for (let i = 0; i < N_FFT; i++) this.frame[i] = this.samples[i] * WINDOW[i];
    this.fft.forward(this.frame, this.real, this.imaginary);
    for (let bin = 0; bin < N_BINS; bin++) {
      const factor = (gain * magnitude[bin]) / LEVEL;
      real[bin] += factor * this.real[bin];
      imaginary[bin] += factor * this.imaginary[bin];
    }
  }
}
