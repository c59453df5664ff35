// A compact table, as timbrelib/control/instruments/compact_table.py describes and writes it: the codebook of one timbre.

import { N_BINS, spectrumGain } from "./frames.js";

const FORMAT = "timbrelib engine table", VERSION = 1;
const ARRAYS = { u1: Uint8Array, u2: Uint16Array, f4: Float32Array };
const FINE = 8, POINTS = (N_BINS - 1) * FINE + 1;  // points per bin at which the spline through a spectrum is tabulated
const SPECTRUM_FLOOR = 1e-9;  // magnitude below which a logarithm would be undefined
const MAX_KEPT = 512;  // spectra and splines, the latter of 32 kB each

// Read a compressed table, an ArrayBuffer.
export async function readTable(content) {
  let bytes, header;
  try {
    const stream = new Blob([content]).stream().pipeThrough(new DecompressionStream("gzip"));
    bytes = await new Response(stream).arrayBuffer();
    const length = new DataView(bytes).getUint32(0, true);
    header = JSON.parse(new TextDecoder().decode(new Uint8Array(bytes, 4, length)));
    header.start = 4 + length;
  } catch {
    throw new Error("this is not the table of a timbre, or it is damaged: make it again");
  }
  if (header.format !== FORMAT || header.version !== VERSION) {
    throw new Error(`this engine reads version ${VERSION} of the ${FORMAT}, not ${header.format} ${header.version}: make it again`);
  }
  const arrays = {};
  let start = header.start;
  for (const [name, kind, shape] of header.arrays) {
    const size = shape.reduce((a, b) => a * b, 1) * ARRAYS[kind].BYTES_PER_ELEMENT;
    arrays[name] = new ARRAYS[kind](bytes.slice(start, start + size));
    start += size;
  }
  for (const name of ["levels", "shares"]) addUp(arrays[name]);
  return new Table({ header, arrays });
}

// Undo the differences along the rows of bytes, (n, N_BINS), in place.
function addUp(rows) {
  for (let i = 0; i < rows.length; i++) if (i % N_BINS) rows[i] += rows[i - 1];
}

// `data` is what a message to the worklet can carry: header and arrays.
export class Table {
  constructor(data) {
    this.data = data;
    const { header, arrays } = data;
    this.name = header.name;
    this.licence = header.licence;
    this.credits = header.sources;
    this.codes = arrays.codes;
    this.nCodes = arrays.codes.length;
    this.points = arrays.points;
    this.descriptors = Object.keys(header.descriptors);
    this.values = { periodicity: arrays.periodicity, ambiguity: arrays.ambiguity };
    for (const name of this.descriptors) this.values[name] = arrays[name];
    this.values.fundamental ??= new Float32Array(this.nCodes).fill(NaN);
    this.search = header.search;
    this.gain = header.gain;
    this.flux = header.flux;
    this.hasPartials = header.excitation !== "noise";
    this.hasNoise = header.excitation === "noise" || (header.excitation === "mixed" && header.noise > 0);
    this.levels = Float64Array.from({ length: 256 }, (_, level) => 10 ** ((level * header.step - header.floor) / 20));
    this.slope = Float64Array.from({ length: N_BINS }, (_, bin) => 10 ** ((-header.slope * bin) / 20));
    this.shareFactors(header);
    this.kept = { partials: new Map(), noise: new Map(), splines: new Map() };  // by code
  }

  // Factors of a magnitude by which a share of noise splits it into partials and noise.
  shareFactors({ excitation, noise, noise_level, share_steps }) {
    const squares = Array.from({ length: share_steps + 1 }, (_, share) => noise * (share / share_steps) ** 2);
    this.toPartials = Float64Array.from(squares, (square) => (this.hasNoise ? Math.sqrt(1 - square) : 1));
    this.toNoise = Float64Array.from(squares, (square) => (excitation === "noise" ? 1 : noise_level * Math.sqrt(square)));
  }

  unit(name) { return this.data.header.descriptors[name].unit; }
  isLog(name) { return this.data.header.descriptors[name].log; }
  range(name) { return this.data.header.descriptors[name].range; }
  fullRange(name) { return this.data.header.descriptors[name].full_range; }
  errorUnit(name) { return this.data.header.descriptors[name].error_unit; }

  // Cost of a code whose pitch is weak, or may be perceived octaves higher, in units of error.
  unclearPitch(code) {
    const { periodicity, ambiguity } = this.values, { periodicity_unit, clear, ambiguity_unit } = this.search;
    return (1 - periodicity[code]) / periodicity_unit + Math.max(ambiguity[code] - clear, 0) / ambiguity_unit;
  }

  // Magnitudes of a code at unit gain, Float32Array (N_BINS).
  magnitudes(code) {
    const { levels } = this.data.arrays, row = code * N_BINS, exact = new Float64Array(N_BINS);
    for (let bin = 0; bin < N_BINS; bin++) exact[bin] = this.levels[levels[row + bin]] * this.slope[bin];
    const gain = spectrumGain(exact);
    return Float32Array.from(exact, (magnitude) => magnitude / gain);
  }

  partials(code) { return this.keep("partials", code, () => this.split(code, this.toPartials)); }
  noise(code) { return this.keep("noise", code, () => this.split(code, this.toNoise)); }
  spline(code) { return this.keep("splines", code, () => tabulateSpline(this.partials(code))); }

  split(code, factors) {
    const { shares } = this.data.arrays, row = code * N_BINS;
    return this.magnitudes(code).map((magnitude, bin) => magnitude * factors[shares[row + bin]]);
  }

  // Make something of a code once, and keep it until many others were made.
  keep(what, code, make) {
    const kept = this.kept[what];
    if (!kept.has(code)) {
      if (kept.size >= MAX_KEPT) kept.delete(kept.keys().next().value);
      kept.set(code, make());
    }
    return kept.get(code);
  }

  // Move the partials of a code by cents along frequency, as timbrelib/synthesis/retuning.py does.
  movedPartials(code, cents, out = new Float32Array(N_BINS)) {
    const spline = this.spline(code), step = FINE * 2 ** (-cents / 1200);
    for (let bin = 0; bin < N_BINS; bin++) {
      const position = Math.fround(Math.min(bin * step, POINTS - 1)), below = Math.min(Math.floor(position), POINTS - 2);
      out[bin] = spline[below] + (position - below) * (spline[below + 1] - spline[below]);
    }
    return out;
  }

}

// The cubic spline through the logarithm of magnitudes, tabulated, Float32Array (POINTS); the ends are not knots.
function tabulateSpline(magnitudes) {
  const y = magnitudes.map((magnitude) => Math.log(Math.max(magnitude, SPECTRUM_FLOOR))), curvature = curvatures(y);
  return Float32Array.from({ length: POINTS }, (_, i) => {
    const bin = Math.min(Math.floor(i / FINE), N_BINS - 2), t = i / FINE - bin;
    const bend = ((t * (1 - t)) / 6) * ((2 - t) * curvature[bin] + (1 + t) * curvature[bin + 1]);
    return Math.exp((1 - t) * y[bin] + t * y[bin + 1] - bend);
  });
}

// Second derivatives of the cubic spline through values one apart whose third derivative is continuous at the second
// and the last but one.
function curvatures(y) {
  const n = y.length, m = new Float64Array(n), share = new Float64Array(n);
  const bend = (i) => 6 * (y[i - 1] - 2 * y[i] + y[i + 1]);
  m[1] = bend(1) / 6;
  m[n - 2] = bend(n - 2) / 6;
  for (let i = 2; i < n - 2; i++) {  // the algorithm of Thomas for m[i - 1] + 4 m[i] + m[i + 1] = bend(i)
    share[i] = 1 / (4 - share[i - 1]);
    m[i] = (bend(i) - m[i - 1] - (i === n - 3 ? m[n - 2] : 0)) * share[i];
  }
  for (let i = n - 4; i >= 2; i--) m[i] -= share[i] * m[i + 1];
  m[0] = 2 * m[1] - m[2];
  m[n - 1] = 2 * m[n - 2] - m[n - 3];
  return m;
}
