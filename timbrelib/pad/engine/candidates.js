// The codes among which the path chooses in each frame, as in timbrelib/control/matching.py.

// Signed errors of a value against a target, in units.
function signedError(table, name, value, target, unit) {
  return (table.isLog(name) ? Math.log2(value / target) : value - target) / unit;
}

// Errors of each descriptor that cost 1.
export function errorUnits(table, names, weights) {
  return Object.fromEntries(names.map((name) => [name, table.errorUnit(name) / Math.sqrt(weights[name] ?? 1)]));
}

// Find candidates for curves: codes and their errors, frame by frame.
// Returns n (candidates of a frame), codes (Int32Array, frames * n), errors (a Float32Array, frames * n, for each kind of
// error), maxBlend (for each kind, the difference up to which two codes blend).
export function findCandidates(table, curves, units, settings) {
  const { search, values } = table, names = Object.keys(curves), frames = curves[names[0]].length;
  const eligible = eligibleCodes(table, names), hasPitch = names.includes("fundamental");
  const keepsNote = !hasPitch && settings.continuity > 0 && eligible.some((code) => values.fundamental[code] > 0);
  const unclear = Float64Array.from(eligible, (code) => table.unclearPitch(code));
  const notes = keepsNote ? bestNotes(table, curves, units, eligible) : [];
  const nearest = Math.min(search.candidates - search.per_note * notes.length, eligible.length);
  const n = nearest + search.per_note * notes.length, kinds = names.length + (hasPitch ? 2 : keepsNote ? 1 : 0);
  const codes = new Int32Array(frames * n), errors = Array.from({ length: kinds }, () => new Float32Array(frames * n));
  const rows = Array.from({ length: kinds }, () => new Float32Array(eligible.length)), cost = new Float64Array(eligible.length);
  const reach = settings.retune / 1200 / units.fundamental;
  for (let frame = 0; frame < frames; frame++) {
    names.forEach((name, kind) => eligible.forEach((code, i) => {
      rows[kind][i] = signedError(table, name, values[name][code], curves[name][frame], units[name]);
    }));
    if (hasPitch) {
      const pitch = rows[names.indexOf("fundamental")], [retuning, noise] = [rows[names.length], rows[names.length + 1]];
      for (let i = 0; i < eligible.length; i++) {
        const moved = Math.min(reach, Math.max(-reach, pitch[i]));
        [pitch[i], retuning[i], noise[i]] = [pitch[i] - moved, search.retune_cost * moved, unclear[i]];
      }
    } else if (keepsNote) {
      for (let i = 0; i < eligible.length; i++) rows[names.length][i] = settings.continuity * unclear[i];
    }
    cost.fill(0);
    for (const row of rows) for (let i = 0; i < cost.length; i++) cost[i] += row[i] * row[i];
    const chosen = cheapest(cost, everyIndex(eligible.length), nearest);
    for (const note of notes) chosen.push(...cheapest(cost, note, search.per_note));
    chosen.forEach((i, place) => {
      codes[frame * n + place] = eligible[i];
      rows.forEach((row, kind) => { errors[kind][frame * n + place] = row[i]; });
    });
  }
  const maxBlend = Array.from({ length: kinds }, (_, kind) =>
    (names[kind] === "fundamental" ? search.max_blend_octaves / units.fundamental : Infinity));
  return { n, codes, errors, maxBlend };
}

// Codes that have all descriptors.
function eligibleCodes(table, names) {
  const codes = everyIndex(table.nCodes).filter((code) => names.every((name) => Number.isFinite(table.values[name][code])));
  if (!codes.length) throw new Error(`no code of this timbre has all of ${names.join(", ")}: leave one out`);
  return codes;
}

function everyIndex(count) { return Array.from({ length: count }, (_, i) => i); }

// Those of some indices whose costs are lowest, in no particular order.
function cheapest(cost, indices, count) {
  const order = indices.slice();
  for (let low = 0, high = order.length - 1; low < high;) {  // Hoare, "Algorithm 65: find", Communications of the ACM 4(7), 1961
    const pivot = cost[order[(low + high) >> 1]];
    let i = low, j = high;
    while (i <= j) {
      while (cost[order[i]] < pivot) i++;
      while (cost[order[j]] > pivot) j--;
      if (i <= j) {
        [order[i], order[j]] = [order[j], order[i]];
        i++;
        j--;
      }
    }
    if (count - 1 <= j) high = j;
    else if (count - 1 >= i) low = i;
    else break;
  }
  return order.slice(0, count);
}

// The semitones whose codes come nearest to the targets: lists of indices of eligible codes.
function bestNotes(table, curves, units, eligible) {
  const { search, values } = table, names = Object.keys(curves), frames = curves[names[0]].length, groups = new Map();
  eligible.forEach((code, i) => {
    const f0 = values.fundamental[code];
    if (!(f0 > 0)) return;
    const note = roundHalfToEven(12 * Math.log2(f0));
    if (!groups.has(note)) groups.set(note, []);
    groups.get(note).push(i);
  });
  const step = Math.max(1, Math.floor(frames / search.note_frames)), ranked = [];
  for (const [note, group] of groups) {
    if (group.length < search.per_note) continue;
    let sum = 0, count = 0;
    for (let frame = 0; frame < frames; frame += step, count++) {
      let least = search.undefined_error;
      for (const i of group) {
        let error = 0;
        for (const name of names) error += signedError(table, name, values[name][eligible[i]], curves[name][frame], units[name]) ** 2;
        if (error < least) least = error;
      }
      sum += least;
    }
    ranked.push({ note, group, distance: sum / count });
  }
  ranked.sort((a, b) => a.distance - b.distance || a.note - b.note);
  return ranked.slice(0, search.notes).map(({ group }) => group);
}

function roundHalfToEven(x) {
  const nearest = Math.round(x);
  return Math.abs(x % 1) === 0.5 && nearest % 2 ? nearest - 1 : nearest;
}
