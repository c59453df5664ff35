// The frame grid of timbrelib/audio/frames.py.

export const SAMPLE_RATE = 22050;  // Hz
export const N_FFT = 2048, HOP = 512, N_BINS = N_FFT / 2 + 1;
export const OVERLAP = N_FFT / HOP;  // frames that cover each sample
export const FRAME_RATE = SAMPLE_RATE / HOP;  // Hz

// The periodic Hann window.
export const WINDOW = Float32Array.from({ length: N_FFT }, (_, i) => 0.5 - 0.5 * Math.cos((2 * Math.PI * i) / N_FFT));

// Gain of a magnitude spectrum: RMS of the windowed samples, by Parseval's theorem.
export function spectrumGain(magnitude) {
  let power = 0;
  for (let bin = 0; bin < N_BINS; bin++) power += magnitude[bin] * magnitude[bin];
  const ends = magnitude[0] * magnitude[0] + magnitude[N_BINS - 1] * magnitude[N_BINS - 1];
  return Math.sqrt(2 * power - ends) / N_FFT;
}
