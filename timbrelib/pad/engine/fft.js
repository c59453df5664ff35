// Fourier transform of one real frame, by a complex transform of half its length (Cooley and Tukey, "An algorithm for
// the machine calculation of complex Fourier series", Mathematics of Computation 19, 1965).

import { N_BINS, N_FFT } from "./frames.js";

const HALF = N_FFT / 2, BITS = Math.log2(HALF);
const COS = new Float64Array(HALF + 1), SIN = new Float64Array(HALF + 1);  // of 2 pi k / N_FFT
const REVERSED = new Uint16Array(HALF);
for (let k = 0; k <= HALF; k++) [COS[k], SIN[k]] = [Math.cos((2 * Math.PI * k) / N_FFT), Math.sin((2 * Math.PI * k) / N_FFT)];
for (let i = 1; i < HALF; i++) REVERSED[i] = (REVERSED[i >> 1] >> 1) | ((i & 1) << (BITS - 1));

export class FFT {
  constructor() {
    this.re = new Float64Array(HALF);
    this.im = new Float64Array(HALF);
  }

  // Transform the frame, (N_FFT), into the real and imaginary parts of its spectrum, (N_BINS) each.
  forward(frame, real, imaginary) {
    const { re, im } = this;
    for (let i = 0; i < HALF; i++) {
      re[REVERSED[i]] = frame[2 * i];
      im[REVERSED[i]] = frame[2 * i + 1];
    }
    this.transform(-1);
    for (let k = 0; k < N_BINS; k++) {
      const a = k % HALF, b = (HALF - k) % HALF;
      const evenRe = 0.5 * (re[a] + re[b]), evenIm = 0.5 * (im[a] - im[b]);
      const oddRe = 0.5 * (im[a] + im[b]), oddIm = 0.5 * (re[b] - re[a]);
      real[k] = evenRe + COS[k] * oddRe + SIN[k] * oddIm;
      imaginary[k] = evenIm + COS[k] * oddIm - SIN[k] * oddRe;
    }
  }

  // Transform a spectrum back into its frame.
  inverse(real, imaginary, frame) {
    const { re, im } = this;
    for (let k = 0; k < HALF; k++) {
      const j = HALF - k, imK = k ? imaginary[k] : 0, imJ = k ? imaginary[j] : 0;  // those of the two ends do not count
      const evenRe = real[k] + real[j], evenIm = imK - imJ;
      const differenceRe = real[k] - real[j], differenceIm = imK + imJ;
      const oddRe = COS[k] * differenceRe - SIN[k] * differenceIm, oddIm = COS[k] * differenceIm + SIN[k] * differenceRe;
      re[REVERSED[k]] = evenRe - oddIm;
      im[REVERSED[k]] = evenIm + oddRe;
    }
    this.transform(1);
    for (let i = 0; i < HALF; i++) {
      frame[2 * i] = re[i] / N_FFT;
      frame[2 * i + 1] = im[i] / N_FFT;
    }
  }

  // The complex transform in place, of values in bit-reversed order.
  transform(sign) {
    const { re, im } = this;
    for (let size = 2; size <= HALF; size *= 2) {
      const half = size / 2, step = N_FFT / size;
      for (let first = 0; first < HALF; first += size) {
        for (let k = 0; k < half; k++) {
          const a = first + k, b = a + half, c = COS[k * step], s = sign * SIN[k * step];
          const x = re[b] * c - im[b] * s, y = re[b] * s + im[b] * c;
          re[b] = re[a] - x;
          im[b] = im[a] - y;
          re[a] += x;
          im[a] += y;
        }
      }
    }
  }
}
