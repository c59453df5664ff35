// Tables of models.  Each comes as a script, because a page that is opened from disk may load scripts but not data.
import { readTable } from "../../pad/engine/table.js";

const tables = new Map();  // promises by the name of the model
const arrivals = new Map();

// Called by models/NAME.js.
window.timbreTable = (name, base64) => arrivals.get(name)?.(base64);

export function loadTable(name) {
  if (!tables.has(name)) {
    const table = requestScript(name).then((base64) => readTable(Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0)).buffer));
    table.catch(() => tables.delete(name));  // so that it can be tried again
    tables.set(name, table);
  }
  return tables.get(name);
}

function requestScript(name) {
  return new Promise((resolve, reject) => {
    const script = document.createElement("script"), path = `models/${encodeURIComponent(name)}.js`;
    arrivals.set(name, resolve);
    script.onload = () => reject(new Error(`${path} holds no model: build the page again`));  // has no effect after resolve
    script.onerror = () => reject(new Error(`${path} cannot be loaded: keep the folder models beside the page`));
    script.src = path;
    document.head.append(script);
  }).finally(() => arrivals.delete(name));
}
