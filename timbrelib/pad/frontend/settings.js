// The controls of the pad.  They show the kernel's settings and menus, and ask it for changes.

import { addElement, addInput, addMenu, setOptions } from "./plot.js";
import { termFor, wordFor } from "./notes.js";

const EXCITATION_WORDS = { mixed: "tone and noise (mixed)", locked: "tone only (locked)", noise: "noise only (noise)" };

// The text of an option: a musician's word with the field's term, where there are two.
function optionText(name, value) {
  if (name === "excitation") return EXCITATION_WORDS[value] ?? value;
  if (name === "model") return value.split(/[\\/]/).at(-1);  // of a folder, its name
  return termFor(value) ? `${wordFor(value)} (${value})` : value;
}

// `change(name, value)` asks for a change; `show(settings, menus)` shows what the kernel has.
export class Controls {
  constructor(change) {
    this.change = change;
    this.menus = {};
    this.inputs = {};
  }

  addMenu(parent, name, label) {
    this.menus[name] = addMenu(parent, label, {}, (value) => this.change(name, value));
  }

  addNumber(parent, name, label) {
    const input = addInput(parent, label, "input", { type: "number" });
    let shown;
    this.inputs[name] = { input, show: (value) => {
      if (value !== shown || document.activeElement !== input) input.value = value;  // it may be half typed
      shown = value;
    } };
    const send = () => Number(input.value) !== shown && this.change(name, Number(input.value));
    input.addEventListener("change", send);
    input.addEventListener("keydown", (event) => event.key === "Enter" && send());
  }

  addSlider(parent, name, label) {
    const input = addInput(parent, label, "input", { type: "range" }), output = addElement(input.parentElement, "span", { class: "value" });
    const showText = (value) => { output.textContent = value.toFixed(2); };
    // a value between two steps moves the slider to the nearer one
    this.inputs[name] = { input, show: (value) => { input.value = value; showText(value); } };
    input.addEventListener("input", () => showText(Number(input.value)));
    input.addEventListener("change", () => this.change(name, Number(input.value)));
  }

  addCheckbox(parent, name, label, title) {
    const input = addInput(parent, label, "input", { type: "checkbox", title });
    input.parentElement.prepend(input);
    this.inputs[name] = { input, show: (value) => { input.checked = value; } };
    input.addEventListener("change", () => this.change(name, input.checked));
  }

  show(settings, { options, ranges, disabled }) {
    for (const [name, menu] of Object.entries(this.menus)) {
      setOptions(menu, options[name].map((value) => [value, optionText(name, value)]));
      menu.value = settings[name];
    }
    for (const [name, { input, show }] of Object.entries(this.inputs)) {
      const [min, max, step] = ranges[name] ?? [];
      // any number of seconds is a length, but the arrows of its field go in steps
      for (const [key, value] of Object.entries({ min, max, step })) if (value !== undefined) input.setAttribute(key, value);
      show(settings[name]);
      input.disabled = disabled.includes(name);
    }
  }
}
