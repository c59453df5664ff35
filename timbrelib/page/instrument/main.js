// The instrument at the top of the page.
import { Instrument } from "../../pad/engine/instrument.js";
import { DrawPanel } from "./draw_panel.js";
import { loadTable } from "./models.js";
import { PlayPanel } from "./play_panel.js";
import { Player } from "./player.js";

export function startInstrument(root) {
  const part = (name) => root.querySelector(`[data-part=${name}]`), status = part("status");
  const showStatus = (text, isProblem = false) => {
    status.textContent = text;
    status.classList.toggle("problem", isProblem);
  };
  const instrument = new Instrument(WORKLET_SOURCE), player = new Player(instrument, (text) => showStatus(text, true));
  root.instrument = instrument;  // for the console, and for tests
  const play = new PlayPanel(root, player, showStatus), draw = new DrawPanel(root, player, showStatus);
  const menu = root.querySelector("[name=model]"), title = () => menu.selectedOptions[0].text;
  let wanted;

  async function choose(name) {
    wanted = name;
    root.setAttribute("aria-busy", "true");
    showStatus(`loading ${title()}…`);
    try {
      const table = await loadTable(name);
      if (wanted !== name) return;  // another was chosen meanwhile
      player.releaseAll();
      instrument.setTable(table);
      play.show(table);
      draw.show(table);
      part("credits").textContent = `${title()}: ${table.licence}. Learned from ${table.credits.join("; ")}.`;
      showStatus("");
    } catch (error) {
      showStatus(error.message, true);
    }
    root.setAttribute("aria-busy", "false");
  }

  menu.addEventListener("change", () => choose(menu.value));
  let isByPointer = false;
  root.addEventListener("pointerdown", () => { isByPointer = true; });
  root.addEventListener("keydown", () => { isByPointer = false; });
  root.addEventListener("change", (event) => {
    if (isByPointer && event.target.matches("select")) event.target.blur();  // so that the next key plays a note
  });
  for (const choice of root.querySelectorAll("[name=mode][type=radio]")) {
    choice.addEventListener("change", () => {
      for (const panel of root.querySelectorAll("[data-panel]")) panel.hidden = panel.dataset.panel !== choice.value;
      player.releaseAll();
      if (choice.value === "play" && instrument.isPlaying) instrument.stopScore();
      part("readout").textContent = "";
    });
  }
  choose(menu.value);
}
