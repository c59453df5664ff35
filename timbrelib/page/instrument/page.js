// What runs on the page.
import { startInstrument } from "./main.js";
import { startShowcase } from "./showcase.js";

const openTarget = () => {
  const target = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
  const folded = target && (target.querySelector(":scope > details") ?? target.closest("details"));
  if (!folded) return;
  folded.open = true;
  target.scrollIntoView();
};
startInstrument(document.querySelector("#instrument"));
for (const figure of JSON.parse(document.querySelector("#showcase-figures").textContent)) {
  startShowcase(document.getElementById(`show-${figure.name}`), figure);
}
window.addEventListener("hashchange", openTarget);
openTarget();
