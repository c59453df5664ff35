// A slider with a label, for those of ipywidgets have no name that a screen reader could say.

function knob(model, el) {
  const label = node(el, "label", { class: "timbre-pad knob" }, model.get("label"));
  const [min, max, step] = model.get("scale");
  const input = node(label, "input", { type: "range", min, max, step });
  const output = node(label, "output");
  const show = () => { output.textContent = Number(input.value).toFixed(2); };
  const take = () => {
    input.value = model.get("value");
    input.disabled = model.get("disabled");
    show();
  };
  const send = () => {
    model.set("value", Number(input.value));
    model.save_changes();
  };
  input.addEventListener("input", show);
  input.addEventListener("change", send);
  for (const name of ["value", "disabled"]) model.on(`change:${name}`, take);
  const free = ownKeys(label);
  take();
  return () => {
    free();
    for (const name of ["value", "disabled"]) model.off(`change:${name}`, take);
  };
}

export default { render: ({ model, el }) => knob(model, el) };
