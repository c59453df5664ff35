// The path search: codes that follow drawn curves, all frames together, as in timbrelib/control/viterbi.py.

import { errorUnits, findCandidates } from "./candidates.js";
import { N_BINS } from "./frames.js";

const DECIMALS = 100;  // cents are rounded to two decimals

// Choose the codes that follow curves, Float64Array (frames) by descriptor: codes, and cents by which they are moved.
export function followTargets(table, curves, settings = {}) {
  const { smoothness, continuity, retune } = { ...table.search, ...settings };
  const units = errorUnits(table, Object.keys(curves), settings.weights ?? {});
  const found = findCandidates(table, curves, units, { continuity, retune });
  const note = "fundamental" in curves ? 0 : continuity, path = cheapestPath(table, found, { smoothness, continuity: note });
  const codes = Int32Array.from(path, (place, frame) => found.codes[frame * found.n + place]);
  return { codes, cents: curves.fundamental && retune ? retuneCents(table, codes, curves.fundamental, retune) : null };
}

// Find the sequence of candidates with the smallest total cost by dynamic programming: the place of each frame's.
function cheapestPath(table, { n, codes, errors, maxBlend }, { smoothness, continuity }) {
  const frames = codes.length / n, transition = transitionCosts(table, smoothness, continuity);
  const predecessor = new Uint16Array(frames * n), own = new Float64Array(frames * n);
  for (const error of errors) for (let i = 0; i < own.length; i++) own[i] += table.search.own_share * error[i] * error[i];
  let total = own.slice(0, n), next = new Float64Array(n);
  for (let frame = 1; frame < frames; frame++) {
    for (let now = 0; now < n; now++) {
      const here = frame * n + now;
      let least = Infinity, best = 0;
      for (let before = 0; before < n; before++) {
        const there = here - now - n + before;
        let cost = total[before] + transition(codes[here], codes[there]);
        for (let kind = 0; kind < errors.length; kind++) {
          const a = errors[kind][there], b = errors[kind][here];
          // halfway between two frames the mean of their codes sounds, if they are not too far apart
          const blend = Math.abs(a - b) > maxBlend[kind] ? Math.max(Math.abs(a), Math.abs(b)) : 0.5 * a + 0.5 * b;
          cost += blend * blend;
        }
        if (cost < least) [least, best] = [cost, before];
      }
      next[now] = least + own[here];
      predecessor[here] = best;
    }
    [total, next] = [next, total];
  }
  const path = new Int32Array(frames);
  path[frames - 1] = total.indexOf(Math.min(...total));
  for (let frame = frames - 1; frame > 0; frame--) path[frame - 1] = predecessor[frame * n + path[frame]];
  return path;
}

// Costs of going from one code to another.
function transitionCosts(table, smoothness, continuity) {
  const { search, nCodes } = table, distances = (table.distances ??= spectralDistances(table));
  const note = Float64Array.from(table.values.fundamental, (f0) => 12 * Math.log2(f0));  // NaN without a pitch
  return (now, before) => {
    const cost = smoothness * distances[now * nCodes + before];
    if (!continuity) return cost;
    const isPitched = note[now] === note[now], wasPitched = note[before] === note[before];
    if (isPitched && wasPitched) return cost + continuity * search.semitone_cost * Math.min(search.max_semitones, Math.abs(note[now] - note[before]));
    return cost + (isPitched === wasPitched ? 0 : continuity * search.voicing_cost);
  };
}

// Distances of the spectra of all codes, Float32Array (nCodes * nCodes), at a median of 1: those of the first cepstral
// coefficients of their audible levels.
function spectralDistances(table) {
  const { nCodes, search } = table, size = search.cepstrum, level = new Float64Array(N_BINS);
  const basis = Float64Array.from({ length: size * N_BINS }, (_, i) => {
    const order = Math.floor(i / N_BINS), bin = i % N_BINS;
    return Math.sqrt((order ? 2 : 1) / N_BINS) * Math.cos((Math.PI * (bin + 0.5) * order) / N_BINS);
  });
  const points = new Float32Array(nCodes * size);
  for (let code = 0; code < nCodes; code++) {
    const magnitude = table.magnitudes(code);
    const loudest = magnitude.reduce((a, b) => Math.max(a, b));
    for (let bin = 0; bin < N_BINS; bin++) level[bin] = 20 * Math.log10(Math.max(magnitude[bin] / loudest, 10 ** (-search.audible_bin / 20)));
    for (let order = 0; order < size; order++) {
      let sum = 0;
      for (let bin = 0; bin < N_BINS; bin++) sum += basis[order * N_BINS + bin] * level[bin];
      points[code * size + order] = sum / search.median_distance;
    }
  }
  const distances = new Float32Array(nCodes * nCodes);
  for (let a = 0; a < nCodes; a++) {
    for (let b = 0; b < a; b++) {
      let square = 0;
      for (let i = 0; i < size; i++) square += (points[a * size + i] - points[b * size + i]) ** 2;
      distances[a * nCodes + b] = distances[b * nCodes + a] = Math.sqrt(square);
    }
  }
  return distances;
}

// Cents by which the codes of three frames (before, here, after) are moved to meet a fundamental, Float32Array (frames * 3).
function retuneCents(table, codes, f0, limit) {
  const own = Float64Array.from(codes, (code) => table.values.fundamental[code]);
  const cents = own.map((pitch, i) => Math.min(limit, Math.max(-limit, 1200 * Math.log2(f0[i] / pitch))));
  const pitch = own.map((value, i) => value * 2 ** (cents[i] / 1200)), last = codes.length - 1;
  return Float32Array.from({ length: 3 * codes.length }, (_, i) => {
    const frame = Math.floor(i / 3), near = Math.min(last, Math.max(0, frame + (i % 3) - 1));
    const toFrame = 1200 * Math.log2(pitch[frame] / own[near]);
    return Math.round(DECIMALS * (Math.abs(toFrame) <= table.search.max_neighbour_cents ? toFrame : cents[near])) / DECIMALS;
  });
}
