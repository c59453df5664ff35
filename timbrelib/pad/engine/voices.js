// Voices that sound at once: the partials of a code as a bank of oscillators, and its noise.

import { HOP, N_BINS, N_FFT, SAMPLE_RATE } from "./frames.js";
import { FilteredNoise, normalNumbers } from "./noise.js";
import { OverlapAdd } from "./synthesis.js";

const TOP = 0.48 * SAMPLE_RATE;  // Hz, above which no partial sounds
const ATTACK = 0.006, RELEASE = 0.06, MORPH = 0.02;  // s, time constants of level and spectrum
const LOUDEST = 0.1;  // RMS of a voice at level 1
const SILENT = 1e-4;  // level at which a released voice ends
const MAX_TILT = 6;  // dB per octave by which a code is made brighter or darker to meet the brightness
const PITCH_REACH = 100;  // cents by which a code may be moved as if it had the pitch
const BRIGHTNESS_UNIT = 3;  // % of the range of the brightness that counts as much as a reach of pitch
// A held note moves as much as the recordings, by their spectral flux: amplitudes of partials, in nepers, and pitch, in
// cents (RMS at a flux of 1), within a time constant in s.
const FLUTTER = 1.5, DRIFT = 12, MOVEMENT = 0.05;
const STAY = 0.5;  // advantage of the code that sounds, so that two do not alternate

// The code that is nearest to a pitch in Hz and a brightness (a centroid in Hz, or null).
function nearestCode(table, pitch, brightness, current = -1) {
  const { values } = table, [low, high] = table.range("centroid"), unit = (BRIGHTNESS_UNIT / 100) * (high - low);
  let best = 0, least = Infinity;
  for (let code = 0; code < table.nCodes; code++) {
    const f0 = values.fundamental[code];
    if (!(f0 > 0)) continue;
    const cents = (1200 * Math.log2(pitch / f0)) / PITCH_REACH, bright = brightness === null ? 0 : (values.centroid[code] - brightness) / unit;
    const cost = cents * cents + bright * bright + table.unclearPitch(code) ** 2 - (code === current ? STAY : 0);
    if (cost < least) [least, best] = [cost, code];
  }
  return best;
}

// Amplitudes of the partials of a code at unit gain, those of its harmonics.
function harmonics(table, code) {
  const f0 = table.values.fundamental[code], spectrum = table.partials(code);
  const count = Math.floor(TOP / f0);
  return Float32Array.from({ length: count }, (_, k) => {
    const bin = Math.round(((k + 1) * f0 * N_FFT) / SAMPLE_RATE);
    let peak = 0;
    for (let near = Math.max(1, bin - 1); near <= Math.min(N_BINS - 2, bin + 1); near++) {
      const [a, b, c] = [spectrum[near - 1], spectrum[near], spectrum[near + 1]];
      const top = b > a && b > c ? b - (a - c) ** 2 / (8 * (a - 2 * b + c)) : b;  // of the parabola through a peak
      if (top > peak) peak = top;
    }
    return (4 * peak) / N_FFT;  // the window halves a sinusoid, whose other half has a negative frequency
  });
}

// A spectrum moved along frequency by a ratio: noise has the pitch of its code, too.
function stretched(spectrum, ratio) {
  return spectrum.map((_, bin) => {
    const position = Math.min(bin / ratio, N_BINS - 1), below = Math.min(Math.floor(position), N_BINS - 2);
    return spectrum[below] + (position - below) * (spectrum[below + 1] - spectrum[below]);
  });
}

// Tilt in dB per octave that moves the centroid of partials by a ratio.
function tiltFor(amplitudes, ratio) {
  const centroid = (tilt) => {
    let sum = 0, total = 0;
    amplitudes.forEach((amplitude, k) => {
      const tilted = amplitude * (k + 1) ** (tilt / 6.02);
      sum += tilted * (k + 1);
      total += tilted;
    });
    return sum / total;
  };
  const wanted = ratio * centroid(0);
  let low = -MAX_TILT, high = MAX_TILT;
  for (let step = 0; step < 12; step++) {
    const middle = (low + high) / 2;
    if (centroid(middle) < wanted) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}

export class Voice {
  constructor(table, seed) {
    this.table = table;
    this.amplitude = new Float64Array(0);
    this.wanted = new Float64Array(0);
    this.flutter = new Float64Array(0);
    this.cos = new Float64Array(0);
    this.sin = new Float64Array(0);
    this.level = 0;
    this.noise = new FilteredNoise(seed);
    this.overlap = new OverlapAdd();
    this.real = new Float64Array(N_BINS);
    this.imaginary = new Float64Array(N_BINS);
    this.noiseHop = new Float32Array(HOP);
    this.used = HOP;  // samples of the hop of noise
    this.isReleased = false;
    this.random = normalNumbers(seed);
    this.drift = 0;  // in cents
  }

  // Head for a pitch, brightness and level, or for a code as it is.
  aim({ pitch, brightness = null, level, code }, isNew) {
    const { table } = this, { values } = table;
    this.code = code ?? nearestCode(table, pitch, brightness, this.code);
    const f0 = values.fundamental[this.code], own = code === undefined ? pitch : f0;
    this.aimedPitch = own > 0 ? own : null;
    this.pitch = isNew ? this.aimedPitch : this.pitch ?? this.aimedPitch;
    this.aimedLevel = level;
    this.noiseSpectrum = stretched(table.noise(this.code), own > 0 ? own / f0 : 1);
    const amplitudes = this.aimedPitch && table.hasPartials ? harmonics(table, this.code) : [];
    const tilt = brightness === null || !amplitudes.length ? 0 : tiltFor(amplitudes, brightness / values.centroid[this.code]);
    this.grow(amplitudes.length);
    this.wanted.fill(0);
    let before = 0, after = 0;
    amplitudes.forEach((amplitude, k) => {
      this.wanted[k] = amplitude * (k + 1) ** (tilt / 6.02);
      before += amplitude ** 2;
      after += this.wanted[k] ** 2;
    });
    const scale = Math.sqrt(before / Math.max(after, 1e-12));  // a tilt changes no loudness
    for (let k = 0; k < this.wanted.length; k++) this.wanted[k] *= scale;
    if (isNew) this.amplitude.set(this.wanted);
  }

  // Make room for more partials, whose phases begin at random, so that their peaks do not add up.
  grow(count) {
    if (count <= this.wanted.length) return;
    const from = this.wanted.length;
    for (const name of ["amplitude", "wanted", "flutter", "cos", "sin"]) {
      const longer = new Float64Array(count);
      longer.set(this[name]);
      this[name] = longer;
    }
    for (let k = from; k < count; k++) {
      const phase = 2 * Math.PI * ((k * k * 0.381966) % 1);
      [this.cos[k], this.sin[k]] = [Math.cos(phase), Math.sin(phase)];
    }
  }

  get hasEnded() { return this.isReleased && this.level < SILENT; }

  // Add the next samples to `out`; `glide` is the time constant of the pitch in seconds.
  play(out, glide) {
    const n = out.length, seconds = n / SAMPLE_RATE, share = (constant) => 1 - Math.exp(-seconds / Math.max(constant, 1e-4));
    const aimed = this.isReleased ? 0 : this.aimedLevel, level = this.level;
    this.level += (aimed - level) * share(aimed > level ? ATTACK : this.isReleased ? RELEASE : MORPH);
    const from = LOUDEST * level, step = (LOUDEST * (this.level - level)) / n;
    if (this.pitch && this.aimedPitch) this.pitch *= (this.aimedPitch / this.pitch) ** share(glide);
    const morph = share(MORPH), steady = this.flutterPartials(1 - share(MOVEMENT)), pitch = this.pitch * 2 ** (this.drift / 1200);
    for (let k = 0; k < this.amplitude.length && this.pitch; k++) {
      const amplitude = this.amplitude[k], frequency = (k + 1) * pitch;
      this.amplitude[k] += ((frequency < TOP ? steady * this.wanted[k] * Math.exp(this.flutter[k]) : 0) - amplitude) * morph;
      if (amplitude < 1e-7 && this.amplitude[k] < 1e-7) continue;
      const turnCos = Math.cos((2 * Math.PI * frequency) / SAMPLE_RATE), turnSin = Math.sin((2 * Math.PI * frequency) / SAMPLE_RATE);
      const slope = (this.amplitude[k] - amplitude) / n;
      let c = this.cos[k], s = this.sin[k];
      for (let i = 0; i < n; i++) {
        out[i] += (from + step * i) * (amplitude + slope * i) * s;
        [c, s] = [c * turnCos - s * turnSin, c * turnSin + s * turnCos];
      }
      const norm = 1 / Math.hypot(c, s);  // rounding would make the oscillator grow or fade
      [this.cos[k], this.sin[k]] = [c * norm, s * norm];
    }
    if (this.table.hasNoise) this.addNoise(out, from, step);
  }

  // Move the pitch and the amplitudes of the partials a little; return the factor that keeps their level.
  flutterPartials(keep) {
    const move = Math.sqrt(1 - keep * keep) * this.table.flux;
    this.drift = keep * this.drift + move * DRIFT * this.random();
    let still = 0, moved = 0;
    for (let k = 0; k < this.wanted.length; k++) {
      this.flutter[k] = keep * this.flutter[k] + move * FLUTTER * this.random();
      still += this.wanted[k] ** 2;
      moved += (this.wanted[k] * Math.exp(this.flutter[k])) ** 2;
    }
    return Math.sqrt(still / Math.max(moved, 1e-12));
  }

  addNoise(out, from, step) {
    for (let i = 0; i < out.length; i++) {
      if (this.used === HOP) {
        this.real.fill(0);
        this.imaginary.fill(0);
        this.noise.play(this.noiseSpectrum, 1, this.real, this.imaginary);
        this.noiseHop = this.overlap.add(this.real, this.imaginary);
        this.used = 0;
      }
      out[i] += (from + step * i) * this.noiseHop[this.used++];
    }
  }
}
