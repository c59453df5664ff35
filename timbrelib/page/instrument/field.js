// The field: pitch from left to right, brightness upwards.
import { noteName, toFrequency, toMidi } from "../../pad/frontend/notes.js";
import { clamp } from "../../pad/frontend/plot.js";
import { isInScale, snapToScale } from "./scales.js";
import { Surface } from "./surface.js";

const GLOW = 70;  // px around a finger in which codes grow
const LABEL_SPACE = 34;  // px that the name of a note takes

// settings: level (0 to 1), scale and root of the notes
export class Field extends Surface {
  constructor(parent, player, settings, onMove) {
    super(parent, "Field: pitch from left to right, brightness upwards. Arrow keys move, Space sounds");
    Object.assign(this, { player, settings, onMove });
  }

  // Show the range of a model, and its pitched codes as points.
  show(table) {
    this.pitches = table.range("fundamental");
    this.brightnesses = table.range("centroid");
    const { fundamental, centroid } = table.values;
    this.codes = [...fundamental.keys()]
      .filter((code) => Number.isFinite(fundamental[code] * centroid[code]))
      .map((code) => [this.share(fundamental[code], this.pitches), this.share(centroid[code], this.brightnesses)])
      .filter(([x, y]) => x >= 0 && x <= 1 && y >= 0 && y <= 1);
    this.draw();
  }

  share(value, [low, high]) { return Math.log(value / low) / Math.log(high / low); }

  value(share, [low, high]) { return low * (high / low) ** share; }

  values({ x, y, pressure = 1 }) {
    const [low, high] = this.pitches, pitch = snapToScale(this.value(x, this.pitches), this.settings.scale, this.settings.root);
    return {
      pitch: Math.min(high, Math.max(low, pitch)),
      brightness: this.value(y, this.brightnesses),
      level: this.settings.level * pressure,
    };
  }

  press(id, place) { this.player.press(id, this.values(place)); }

  move(id, place) { this.player.move(id, this.values(place)); }

  release(id) { this.player.release(id); }

  step(isLarge) {
    const semitone = 1 / (12 * Math.log2(this.pitches[1] / this.pitches[0]));
    return { x: isLarge ? 12 * semitone : semitone, y: isLarge ? 0.1 : 0.02 };
  }

  describe(place) {
    const { pitch, brightness } = this.values(place), midi = toMidi(pitch), note = Math.round(midi);
    const cents = Math.round(100 * (midi - note));
    this.onMove(`${noteName(note)}${cents ? ` ${cents > 0 ? "+" : "−"}${Math.abs(cents)} cents` : ""}, brightness ${(brightness / 1000).toFixed(1)} kHz`);
  }

  // Show a note of the keyboard or MIDI where a finger would play it.
  showNote(id, { pitch, brightness }) {
    const x = clamp(this.share(pitch, this.pitches)), near = this.codes.filter((code) => Math.abs(code[0] - x) < 0.04);
    const usual = near.reduce((sum, code) => sum + code[1], 0) / Math.max(1, near.length);
    const y = brightness === null ? usual : clamp(this.share(brightness, this.brightnesses));
    const trace = this.touches.get(id)?.trace ?? [];
    trace.push({ x, y, time: performance.now() });
    this.touches.set(id, { x, y, trace });
    this.onMove(noteName(Math.round(toMidi(pitch))));
    this.draw();
  }

  paint(width, height, colour) {
    if (!this.codes) return;
    const { brush } = this, { scale, root } = this.settings;
    brush.font = `12px ${getComputedStyle(this.canvas).fontFamily}`;
    brush.textBaseline = "bottom";
    brush.lineWidth = 1;
    const first = Math.ceil(toMidi(this.pitches[0])), last = Math.floor(toMidi(this.pitches[1]));
    const spacing = width / Math.max(1, toMidi(this.pitches[1]) - toMidi(this.pitches[0]));  // px of a semitone
    const isShown = (note) => scale === "off" ? isInScale(note, "major", 0) : isInScale(note, scale, root);
    for (let note = first; note <= last; note++) {
      const x = Math.round(this.share(toFrequency(note), this.pitches) * width) + 0.5, isOctave = note % 12 === (scale === "off" ? 0 : root);
      if (!isShown(note)) continue;
      brush.strokeStyle = colour("ink");
      brush.globalAlpha = isOctave ? 0.32 : 0.09;
      brush.beginPath();
      brush.moveTo(x, 0);
      brush.lineTo(x, height);
      brush.stroke();
      brush.globalAlpha = 0.75;
      brush.fillStyle = colour("ink");
      if ((isOctave || spacing * 2 > LABEL_SPACE) && x + LABEL_SPACE < width) brush.fillText(noteName(note), x + 4, height - 6);
    }
    brush.globalAlpha = 0.6;
    brush.textBaseline = "top";
    brush.fillText("↑ bright", 10, 10);
    const fingers = [...this.touches.values()].map((touch) => [touch.x * width, (1 - touch.y) * height]);
    brush.fillStyle = colour("code");
    for (const [shareX, shareY] of this.codes) {
      const x = shareX * width, y = (1 - shareY) * height;
      const nearness = Math.max(0, ...fingers.map(([fx, fy]) => clamp(1 - Math.hypot(x - fx, y - fy) / GLOW)));
      brush.globalAlpha = 0.4 + 0.6 * nearness;
      brush.beginPath();
      brush.arc(x, y, 1.8 + 3.5 * nearness, 0, 2 * Math.PI);
      brush.fill();
    }
    brush.globalAlpha = 1;
  }
}
