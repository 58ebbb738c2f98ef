// What fills the boxes: the family of a layer, or a state or figure that is asked for.

import { Model, bytes, count, element, make } from "./model.js";

const SCALE = ["--f6f8fa", "--e5eefb", "--d2e5fb", "--bfdbfb", "--aad1fc"];
const SHARED = ["--d9f6e3", "--e4c7b8", "--d3cfe9", "--c9ddf5", "--f2e3ca"];

/** @typedef {{name: string, legend: string, colour: ((calls: number[]) => string | null) | null}} Overlay */

/** Fills by a figure, from the least to the most that a call has, on a scale by orders.
 * @param {Model} model @param {string} name @param {(call: number) => number | null} figure
 * @param {(amount: number | null) => string} text @returns {Overlay} */
function byFigure(model, name, figure, text) {
  const amounts = model.calls.map((_, i) => figure(i) ?? 0).filter((amount) => amount > 0);
  const most = Math.max(1, ...amounts);
  const colour = (/** @type {number[]} */ calls) => {
    const amount = Math.max(0, ...calls.map((call) => figure(call) ?? 0));
    if (!amount) return null;
    const step = SCALE.length - 1 - Math.floor(Math.log(most / amount) / Math.log(4));
    return `var(${SCALE[Math.max(0, step)]})`;
  };
  return { name, legend: `The stronger, the more ${name}; at most ${text(most)} in one call.`, colour };
}

/** @param {Model} model @returns {Overlay[]} */
export function overlays(model) {
  const shared = [...model.callsOf].filter(([layer, calls]) => calls.length > 1 || model.layers[layer].same_as);
  const inks = new Map(shared.map(([layer], i) => [layer, SHARED[i % SHARED.length]]));
  const state = (/** @type {number[]} */ calls) => {
    const states = new Set(calls.map((call) => model.layerOf(call).trainable).filter(Boolean));
    const [only] = states;
    if (!states.size) return null;
    return states.size > 1 ? "var(--e0daea)" : only === "trainable" ? "var(--f2e3ca)" : only === "frozen" ? "var(--c9ddf5)" : "var(--e0daea)";
  };
  const first = (/** @type {number} */ call) => model.callsOf.get(model.calls[call].layer)?.[0] === call;
  return [
    { name: "families", legend: "", colour: null },
    {
      name: "shared",
      legend: shared.length ? `${count(shared.length)} layers have several calls, or are another one's object.` : "No layer is shared.",
      colour: (calls) => {
        const found = calls.map((call) => inks.get(model.calls[call].layer)).find(Boolean);
        return found ? `var(${found})` : null;
      },
    },
    { name: "trainable", legend: "Yellow trains, blue is frozen.", colour: state },
    byFigure(model, "parameters", (call) => (first(call) && !model.layerOf(call).nested ? model.layerOf(call).parameters : null), count),
    byFigure(model, "MACs", (call) => (model.layerOf(call).nested ? null : model.calls[call].macs), count),
    byFigure(model, "memory", (call) => (model.layerOf(call).nested ? null : model.calls[call].memory), bytes),
  ];
}

/** @param {Overlay[]} all @param {(chosen: Overlay) => void} choose */
export function offerOverlays(all, choose) {
  const box = /** @type {HTMLSelectElement} */ (element("overlay"));
  box.append(...all.map(({ name }) => make("option", {}, name)));
  box.addEventListener("change", () => {
    const chosen = all[box.selectedIndex];
    element("legend").textContent = chosen.legend;
    choose(chosen);
  });
}
