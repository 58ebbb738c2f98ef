// Queries: names with `*` and `**`, `@Class`, `#call`, `:output`, `[index]`, as kgraph.select has them.

import { Model } from "./model.js";

/** A pattern as a regular expression: `*` within one step of a path, `**` across steps. @param {string} pattern */
function regexOf(pattern) {
  return pattern
    .replace(/[.*+?^${}()|[\]\\/-]/g, "\\$&")
    .replaceAll("\\*\\*", "[^]*")
    .replaceAll("\\*", "[^/]*");
}

/** @param {Model} model @param {string} name @returns {number[]} the calls of layers by name, pattern or class */
function callsNamed(model, name) {
  const exact = model.layerAt.get(name);
  if (exact !== undefined && model.callsOf.has(exact)) return model.callsOf.get(exact) ?? [];
  const at = name.lastIndexOf("@");
  /** @type {(call: number) => boolean} */
  let fits;
  if (at === 0 || (at > 0 && name[at - 1] === "/")) {
    const classes = new RegExp(`^${regexOf(name.slice(at + 1))}$`, "u");
    const below = at ? new RegExp(`^${regexOf(name.slice(0, at))}[^]+$`, "u") : /^/;
    fits = (call) => classes.test(model.layerOf(call).class) && below.test(model.layerOf(call).path);
  } else {
    const pattern = new RegExp(`^${regexOf(name)}$`, "u");
    fits = (call) => pattern.test(model.layerOf(call).path);
  }
  return model.calls.map((_, i) => i).filter(fits);
}

/** The items of a list that an index or a slice of Python names. @template T
 * @param {T[]} items @param {string} part @returns {T[]} */
function slice(items, part) {
  if (/^-?\d+$/.test(part)) {
    const i = Number(part);
    const item = items.at(i);
    return i < items.length && item !== undefined ? [item] : [];
  }
  const [start, stop, step] = part.split(":").map((text) => (text ? Number(text) : undefined));
  const by = step ?? 1;
  if (by === 0) return [];
  const clamp = (/** @type {number | undefined} */ at, /** @type {number} */ otherwise) => {
    if (at === undefined) return otherwise;
    const low = by > 0 ? 0 : -1;
    const high = by > 0 ? items.length : items.length - 1;
    return Math.min(Math.max(at < 0 ? at + items.length : at, low), high);
  };
  const first = clamp(start, by > 0 ? 0 : items.length - 1);
  const last = clamp(stop, by > 0 ? items.length : -1);
  const found = [];
  for (let i = first; by > 0 ? i < last : i > last; i += by) found.push(items[i]);
  return found;
}

/** The tensors that a query names, in graph order; none where it names nothing.
 * @param {Model} model @param {string} text @returns {string[]} */
export function select(model, text) {
  const isExact = (/** @type {string} */ rest) => {
    const layer = model.layerAt.get(rest);
    return layer !== undefined && model.callsOf.has(layer);
  };
  const isNamed = (/** @type {string} */ rest) => isExact(rest) || isExact(rest.replace(/(#\d+)?(:(\d+|\*))?$/, ""));
  const label = isNamed(text) ? null : /^[^=~{(]*=/.exec(text);
  if (label) text = text.slice(label[0].length);
  if ((label && label[0] === "=") || (!isNamed(text) && /^~/.test(text))) return [];
  let rest = text;
  let part = null;
  const indexed = /\[(-?\d+|(?:-?\d+)?(?::(?:-?\d+)?){1,2})\]$/.exec(text);
  if (indexed && !isNamed(text)) {
    part = indexed[1];
    rest = text.slice(0, indexed.index);
  }
  let name = rest;
  let call = null;
  let output = "0";
  if (!isExact(rest)) {
    const found = /^([^]*?)(?:#(\d{1,18}))?(?::(\d{1,18}|\*))?$/.exec(rest);
    if (!found) return [];
    [name, call, output] = [found[1], found[2] ?? null, found[3] ?? "0"];
  }
  const tensors = callsNamed(model, name)
    .filter((i) => call === null || model.calls[i].address.endsWith(`#${Number(call)}`))
    .flatMap((i) => model.calls[i].makes.map(([tensor]) => tensor))
    .filter((tensor) => output === "*" || model.outputOf(tensor) === Number(output));
  return part === null ? tensors : slice(tensors, part);
}

/** Whether a text is more than part of a name. @param {string} text */
export function isQuery(text) {
  return /[*@#]|:\d|:\*|\[.*\]$/.test(text);
}

/** What a search finds: what a query names, or all whose name has the text in it.
 * @param {Model} model @param {string} text @returns {string[]} tensors */
export function search(model, text) {
  if (isQuery(text)) return select(model, text);
  const part = text.toLowerCase();
  const first = (/** @type {number} */ i) => model.calls[i].makes[0][0];
  const found = model.calls.map((_, i) => i).filter((i) => model.layerOf(i).path.toLowerCase().includes(part));
  const exact = found.filter((i) => model.layerOf(i).path === text);
  return [...exact, ...found.filter((i) => model.layerOf(i).path !== text)].map(first);
}

/** The classes of the model's layers, those of most calls first. @param {Model} model @returns {Array<[string, number]>} */
export function classes(model) {
  /** @type {Map<string, number>} */
  const counts = new Map();
  model.calls.forEach((_, i) => {
    const name = model.layerOf(i).class;
    counts.set(name, (counts.get(name) ?? 0) + 1);
  });
  return [...counts].sort((a, b) => b[1] - a[1]);
}
