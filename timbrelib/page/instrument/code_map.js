// The codes of a model by their first two principal components; each sounds as it is.
import { noteName, toMidi } from "../../pad/frontend/notes.js";
import { clamp } from "../../pad/frontend/plot.js";
import { Surface } from "./surface.js";

const MAP_EDGE = 0.04;  // share of the canvas around the points
const SHADES = 24;  // colours from the darkest to the brightest sound

export class CodeMap extends Surface {
  constructor(parent, player, settings, onMove) {
    super(parent, "Codes: similar spectra lie near each other. Arrow keys move, Space sounds the nearest code");
    Object.assign(this, { player, settings, onMove });
    this.sounding = new Map();  // by pointer: the code
  }

  show(table) {
    this.table = table;
    const [low, high] = table.range("centroid"), shade = (value) => clamp(Math.log(value / low) / Math.log(high / low));
    this.codes = Array.from({ length: table.nCodes }, (_, code) => ({
      x: MAP_EDGE + (1 - 2 * MAP_EDGE) * table.points[2 * code],
      y: MAP_EDGE + (1 - 2 * MAP_EDGE) * table.points[2 * code + 1],
      shade: Math.round((SHADES - 1) * shade(table.values.centroid[code])),
      isPitched: Number.isFinite(table.values.fundamental?.[code]),
    }));
    this.draw();
  }

  nearest({ x, y }) {
    const { clientWidth: width, clientHeight: height } = this.canvas;
    let best = 0, least = Infinity;
    this.codes.forEach((code, index) => {
      const distance = Math.hypot((code.x - x) * width, (code.y - y) * height);
      if (distance < least) [best, least] = [index, distance];
    });
    return best;
  }

  voice(id, code) { return `${id} code ${code}`; }

  press(id, place) {
    const code = this.nearest(place);
    this.sounding.set(id, code);
    this.player.press(this.voice(id, code), { code, level: this.settings.level * (place.pressure ?? 1) });
  }

  move(id, place) {
    if (this.nearest(place) === this.sounding.get(id)) return;
    this.release(id);
    this.press(id, place);
  }

  release(id) {
    this.player.release(this.voice(id, this.sounding.get(id)));
    this.sounding.delete(id);
  }

  describe(place) {
    const code = this.nearest(place), { fundamental, centroid } = this.table.values, pitch = fundamental?.[code];
    const note = Number.isFinite(pitch) ? noteName(Math.round(toMidi(pitch))) : "no pitch";
    this.onMove(`code ${this.table.codes[code]}: ${note}, brightness ${(centroid[code] / 1000).toFixed(1)} kHz`);
  }

  paint(width, height, colour) {
    if (!this.codes) return;
    const { brush } = this, sounding = new Set(this.sounding.values());
    this.codes.forEach((code, index) => {
      const isSounding = sounding.has(index), share = code.shade / (SHADES - 1);
      brush.beginPath();
      brush.arc(code.x * width, (1 - code.y) * height, isSounding ? 9 : 3.2, 0, 2 * Math.PI);
      brush.globalAlpha = isSounding ? 1 : 0.35 + 0.6 * share;
      brush.fillStyle = brush.strokeStyle = colour(isSounding ? "accent" : "code");
      if (code.isPitched) brush.fill();
      else brush.stroke();
    });
    brush.globalAlpha = 0.6;
    brush.fillStyle = colour("ink");
    brush.font = `12px ${getComputedStyle(this.canvas).fontFamily}`;
    brush.textBaseline = "top";
    brush.fillText("each point is one spectrum; rings have no pitch", 10, 10);
    brush.globalAlpha = 1;
  }
}
