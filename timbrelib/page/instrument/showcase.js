// A sound of this library and one of the paper's method for the same target, over their measured curves.
import { Chart } from "./chart.js";

export function startShowcase(root, figure) {
  const audio = Object.fromEntries([...root.querySelectorAll("audio")].map((element) => [element.dataset.method, element]));
  const button = root.querySelector("button"), choices = [...root.querySelectorAll("input")];
  const chart = new Chart(root.querySelector("[data-part=chart]"), figure, (time) => {
    current().currentTime = time;
    current().play().catch(() => {});
  });
  const current = () => audio[choices.find((choice) => choice.checked).value];

  function follow() {
    const isPlaying = !current().paused;
    button.textContent = isPlaying ? "Pause" : "Play";
    button.setAttribute("aria-label", `${button.textContent}: ${figure.title}`);
    chart.moveCursor(current().currentTime > 0 ? current().currentTime : null);
    if (isPlaying) requestAnimationFrame(follow);
  }

  button.addEventListener("click", () => {
    if (current().paused) current().play().catch(() => {});
    else current().pause();
  });
  for (const choice of choices) {
    choice.addEventListener("change", () => {
      const [other] = Object.values(audio).filter((element) => element !== current());
      const isPlaying = !other.paused;
      other.pause();
      current().currentTime = other.currentTime;  // goes on at the same place
      if (isPlaying) current().play().catch(() => {});
      chart.show(choice.value);
      follow();
    });
  }
  for (const element of Object.values(audio)) {
    for (const name of ["play", "pause", "ended", "seeked"]) element.addEventListener(name, follow);
  }
  follow();
}
