// The tensors that are picked, and the lines that extract them.

import { Model, bytes, count, element, make } from "./model.js";
import { figures, plan } from "./plan.js";

export class Picks {
  /** @param {Model} model @param {() => void} onChange @param {(tensor: string) => void} go */
  constructor(model, onChange, go) {
    this.model = model;
    this.onChange = onChange;
    this.go = go;
    /** @type {Set<string>} */
    this.tensors = new Set();
    this.isPython = false;
    this.draw();
  }

  /** @param {string} tensor */
  toggle(tensor) {
    if (!this.model.data.pickable) return;
    if (!this.tensors.delete(tensor)) this.tensors.add(tensor);
    this.draw();
    this.onChange();
    // Whoever holds this page in a frame, as a notebook does, hears of it.
    if (parent !== window) parent.postMessage({ kgraph: "selection", selection: this.queries() }, "*");
  }

  /** @returns {string[]} what a person types for the tensors that are picked, in graph order */
  queries() {
    const order = (/** @type {string} */ tensor) => this.model.makerOf(tensor) ?? 0;
    return [...this.tensors].sort((a, b) => order(a) - order(b)).map((tensor) => this.model.queryOf(tensor));
  }

  /** The calls that a submodel of the picked tensors would keep; null: nothing is picked. */
  plan() {
    return this.tensors.size ? plan(this.model, this.tensors) : null;
  }

  /** The line that builds the submodel. */
  line() {
    const { source } = this.model.data;
    const queries = this.queries();
    if (this.isPython || source === null) {
      const texts = queries.map((query) => JSON.stringify(query));
      const what = source === null ? "model" : JSON.stringify(source);
      return `kgraph.extract(${what}, [${texts.join(", ")}])`;
    }
    const suffix = /\.(h5|hdf5)$/i.exec(source)?.[0] ?? ".keras";
    return `kgraph extract ${quote(source)} ${queries.map((query) => `--layers ${quote(query)}`).join(" ")} -o features${suffix}`;
  }

  draw() {
    const place = element("picks");
    const kept = this.plan();
    place.hidden = kept === null;
    if (kept === null) return;
    const { layers, parameters, bytes: size } = figures(this.model, kept);
    const chips = [...this.tensors].map((tensor) => {
      const go = make("button", { type: "button", class: "link" }, this.model.queryOf(tensor));
      go.addEventListener("click", () => this.go(tensor));
      const drop = make("button", { type: "button", class: "drop", "aria-label": `Drop ${tensor}` }, "×");
      drop.addEventListener("click", () => this.toggle(tensor));
      return make("li", {}, go, drop);
    });
    const ways = this.model.data.source === null ? ["Python"] : ["Command", "Python"];
    const tabs = ways.map((way) => {
      const isOn = ways.length === 1 || (way === "Python") === this.isPython;
      const tab = make("button", { type: "button", role: "tab", "aria-selected": String(isOn) }, way);
      tab.addEventListener("click", () => {
        this.isPython = way === "Python";
        this.draw();
      });
      return tab;
    });
    const code = make("code", { id: "line" }, this.line());
    const copy = make("button", { type: "button", id: "copy" }, "Copy");
    copy.addEventListener("click", () => copyText(code, copy));
    place.replaceChildren(
      make("h2", {}, `${count(this.tensors.size)} picked`),
      make("ul", { class: "chips" }, ...chips),
      make("p", { id: "plan" }, `The submodel keeps ${count(layers)} layers, ${count(parameters)} parameters (${bytes(size)}).`),
      make("div", { role: "tablist", "aria-label": "How to extract" }, ...tabs),
      make("pre", { class: "line" }, code),
      copy,
    );
  }
}

/** @param {HTMLElement} code @param {HTMLElement} button */
async function copyText(code, button) {
  try {
    await navigator.clipboard.writeText(code.textContent ?? "");
  } catch {
    // In a sandboxed frame there is no clipboard but that of the selection.
    getSelection()?.selectAllChildren(code);
    document.execCommand("copy");
  }
  button.textContent = "Copied";
  setTimeout(() => (button.textContent = "Copy"), 1500);
}

/** A text as a shell must be given it to mean just that. @param {string} text */
export function quote(text) {
  if (/^[\w@%+=:,./-]+$/.test(text)) return text;
  if (!/[\p{C}\u2028\u2029]/u.test(text)) return `'${text.replaceAll("'", `'"'"'`)}'`;
  const inner = text.replaceAll("\\", "\\\\").replaceAll("'", "\\'");
  return `$'${inner.replace(/[\p{C}\u2028\u2029]/gu, (letter) => {
    const code = letter.codePointAt(0) ?? 0;
    const digits = (/** @type {number} */ wide) => code.toString(16).padStart(wide, "0");
    return code < 0x80 ? `\\x${digits(2)}` : code < 0x10000 ? `\\u${digits(4)}` : `\\U${digits(8)}`;
  })}'`;
}
