// What is known of the box that is chosen.

import { Model, bytes, count, element, make } from "./model.js";

/**
 * @typedef {{go: (address: string) => void, open: (key: string) => void, isPicked: (tensor: string) => boolean,
 *   pick: (tensor: string) => void}} Actions
 */

/** @param {Model} model @param {import("./model.js").Box | null} box @param {string} title @param {Actions} actions */
export function showDetails(model, box, title, actions) {
  const place = element("details");
  if (!box) {
    place.replaceChildren(
      make("p", { class: "hint" }, "Choose a box to see what it is, reads and makes."),
      make("p", { class: "hint" }, model.data.pickable ? "Tick tensors to get the line that extracts them." : "Green was added, red removed, yellow changed."),
      make("p", { class: "hint keys" }, ...keys()),
    );
    return;
  }
  const parts = box.opens !== null && box.calls.length !== 1 && !layersOf(model, box).nested ? block(model, box, title, actions) : layer(model, box, title, actions);
  place.replaceChildren(...parts);
}

/** @returns {Node[]} */
function keys() {
  const all = [["/", "search"], ["Tab", "boxes"], ["↑ ↓", "along arrows"], ["Enter", "open"], ["Space", "pick"], ["Esc", "back"], ["+ − 0", "zoom"]];
  return all.map(([key, what]) => make("span", {}, make("kbd", {}, key), ` ${what} `));
}

/** The layers that a box stands for, and whether it is one nested model. @param {Model} model @param {import("./model.js").Box} box */
function layersOf(model, box) {
  const layers = [...new Set(box.calls.map((call) => model.calls[call].layer))];
  return { layers, nested: layers.length === 1 && model.layers[layers[0]].nested };
}

/** @param {Model} model @param {import("./model.js").Box} box @param {string} title @param {Actions} actions @returns {Node[]} */
function block(model, box, title, actions) {
  const { layers } = layersOf(model, box);
  const own = layers.map((i) => model.layers[i]);
  const sum = (/** @type {Array<number | null>} */ amounts) =>
    amounts.some((amount) => amount === null) ? null : amounts.reduce((all, one) => Number(all) + Number(one), 0);
  return [
    make("h2", {}, title),
    make("p", { class: "class" }, `a block of ${count(own.length)} layers`),
    opener(box, actions),
    facts([
      ["parameters", count(sum(own.map((one) => one.parameters)))],
      ["MACs", count(sum(box.calls.map((call) => model.calls[call].macs)))],
    ]),
  ];
}

/** @param {import("./model.js").Box} box @param {Actions} actions */
function opener(box, actions) {
  const button = make("button", { type: "button", class: "open" }, "Open");
  button.addEventListener("click", () => actions.open(/** @type {string} */ (box.opens)));
  return button;
}

/** @param {Model} model @param {import("./model.js").Box} box @param {string} title @param {Actions} actions @returns {Node[]} */
function layer(model, box, title, actions) {
  if (!box.calls.length) return [make("h2", {}, title), make("p", { class: "class" }, title.startsWith("output[") ? "an output of the model" : "what each call of this model is given")];
  const own = model.layers[model.calls[box.calls[0]].layer];
  const parts = [make("h2", {}, own.path), make("p", { class: "class" }, `${own.class}  ${own.settings}`.trim())];
  if (box.opens !== null) parts.push(opener(box, actions));
  const notes = box.calls.flatMap((call) => model.calls[call].notes);
  if (notes.length) parts.push(make("ul", { class: "notes" }, ...notes.map((note) => make("li", {}, note))));
  parts.push(
    facts([
      ["module", own.module],
      ["parameters", own.parameters === null ? "?" : own.parameters ? count(own.parameters) : null],
      ["training", own.trainable || null],
    ]),
  );
  if (own.same_as) parts.push(make("p", {}, "same object as ", link(own.same_as, () => actions.go(`${own.same_as}#0`))));
  for (const call of box.calls) parts.push(callSection(model, call, box.calls.length > 1, actions));
  const others = (model.callsOf.get(model.calls[box.calls[0]].layer) ?? []).filter((call) => !box.calls.includes(call));
  if (others.length) {
    const links = others.map((call) => make("li", {}, link(model.calls[call].address, () => actions.go(model.calls[call].address))));
    parts.push(make("h3", {}, "Other calls of this layer"), make("ul", {}, ...links));
  }
  if (own.weights?.length) {
    const rows = own.weights.map(([name, shape, dtype, , , same]) =>
      make("tr", {}, make("td", {}, name), make("td", {}, shape.join(" × ") || "scalar"), make("td", {}, same ? `${dtype}, is ${same}` : dtype)),
    );
    parts.push(make("h3", {}, "Weights"), make("table", {}, make("tbody", {}, ...rows)));
  }
  if (Object.keys(own.config).length) {
    const text = JSON.stringify(own.config, null, 1);
    parts.push(make("details", {}, make("summary", {}, "Config"), make("pre", {}, text)));
  }
  return parts;
}

/** @param {Model} model @param {number} call @param {boolean} isOneOfMany @param {Actions} actions */
function callSection(model, call, isOneOfMany, actions) {
  const { address, makes, reads, read_by: readBy, arguments: given, returned_as: returned, macs, memory } = model.calls[call];
  const section = make("section", { class: "call" });
  if (isOneOfMany) section.append(make("h3", {}, address));
  const tensors = makes.map(([tensor, shape, dtype]) => {
    const what = [`${model.queryOf(tensor)} `, make("span", { class: "quiet" }, `${shape} ${dtype ?? ""}`)];
    if (!model.data.pickable) return make("li", {}, ...what);
    const box = /** @type {HTMLInputElement} */ (make("input", { type: "checkbox" }));
    box.checked = actions.isPicked(tensor);
    box.addEventListener("change", () => actions.pick(tensor));
    return make("li", {}, make("label", {}, box, " ", ...what));
  });
  section.append(make("h3", {}, "Makes"), make("ul", { class: "ticks" }, ...tensors));
  const inputs = Object.entries(reads).map(([slot, tensor]) => {
    const made = model.calls[model.makerOf(tensor) ?? -1]?.makes.find(([own]) => own === tensor);
    const what = `${slot === "0" ? "" : `${slot}: `}`;
    return make("li", {}, what, link(model.queryOf(tensor), () => actions.go(tensor)), make("span", { class: "quiet" }, made ? ` ${made[1]}` : ""));
  });
  if (inputs.length) section.append(make("h3", {}, "Reads"), make("ul", {}, ...inputs));
  if (Object.keys(given).length) section.append(make("h3", {}, "Arguments"), make("pre", {}, JSON.stringify(given, null, 1)));
  if (readBy.length) {
    section.append(make("h3", {}, "Read by"), make("ul", {}, ...readBy.map((reader) => make("li", {}, link(model.queryOf(reader), () => actions.go(reader))))));
  }
  section.append(
    facts([
      ["output", returned.length ? returned.map((slot) => slot || "the only one").join(", ") : null],
      ["MACs", macs === 0 ? null : count(macs)],
      ["memory made", memory === 0 ? null : bytes(memory)],
    ]),
  );
  return section;
}

/** @param {string} text @param {() => void} act */
function link(text, act) {
  const made = make("button", { type: "button", class: "link" }, text);
  made.addEventListener("click", act);
  return made;
}

/** @param {Array<[string, string | null]>} pairs those without a value are left out */
function facts(pairs) {
  const known = pairs.filter(([, value]) => value !== null);
  return make("dl", {}, ...known.flatMap(([name, value]) => [make("dt", {}, name), make("dd", {}, String(value))]));
}
