// A slider with a label: those of ipywidgets have no name that a screen reader could announce.

function renderKnob(model, el) {
  const label = addElement(el, "label", { class: "timbre-pad knob" }, model.get("label"));
  const [min, max, step] = model.get("scale");
  const input = addElement(label, "input", { type: "range", min, max, step });
  const output = addElement(label, "output");
  const showValue = (value) => { output.textContent = value.toFixed(2); };
  const update = () => {
    input.value = model.get("value");
    input.disabled = model.get("disabled");
    showValue(model.get("value"));  // a value between two steps moves the slider to the nearer one
  };
  const send = () => {
    model.set("value", Number(input.value));
    model.save_changes();
  };
  input.addEventListener("input", () => showValue(Number(input.value)));
  input.addEventListener("change", send);
  for (const name of ["value", "disabled"]) model.on(`change:${name}`, update);
  const releaseKeys = captureKeys(label);
  update();
  return () => {
    releaseKeys();
    for (const name of ["value", "disabled"]) model.off(`change:${name}`, update);
  };
}

export default { render: ({ model, el }) => renderKnob(model, el) };
