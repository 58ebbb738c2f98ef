// What tensors depend on, what depends on them, and what a submodel of them amounts to.

import { Model } from "./model.js";

/** The calls on which tensors depend, those that make them too. @param {Model} model @param {Iterable<string>} tensors */
export function ancestors(model, tensors) {
  /** @type {Set<number>} */
  const found = new Set();
  const seen = new Set();
  const waiting = [...tensors];
  while (waiting.length) {
    const tensor = /** @type {string} */ (waiting.pop());
    const maker = model.makerOf(tensor);
    if (seen.has(tensor) || maker === undefined) continue;
    seen.add(tensor);
    found.add(maker);
    const call = model.calls[maker];
    const end = call.ends[model.outputOf(tensor)];
    if (end) waiting.push(end);
    if (!call.ends.length) waiting.push(...Object.values(call.reads));
  }
  return found;
}

/** The calls that a submodel of tensors keeps: as `ancestors`, but a nested model is only cut where something inside
 * it is wanted, and stays whole elsewhere. @param {Model} model @param {Iterable<string>} tensors */
export function plan(model, tensors) {
  const wanted = [...tensors];
  const cut = new Set(wanted.flatMap((tensor) => around(model.layerOf(model.makerOf(tensor) ?? 0).path)));
  /** @type {Set<number>} */
  const found = new Set();
  const seen = new Set();
  while (wanted.length) {
    const tensor = /** @type {string} */ (wanted.pop());
    const maker = model.makerOf(tensor);
    if (seen.has(tensor) || maker === undefined) continue;
    seen.add(tensor);
    found.add(maker);
    const { path } = model.layerOf(maker);
    const { ends, reads } = model.calls[maker];
    const end = ends[model.outputOf(tensor)];
    if (end && cut.has(path)) wanted.push(end);
    else wanted.push(...Object.values(reads));
    if (ends.length && !cut.has(path)) model.calls.forEach((_, i) => model.layerOf(i).path.startsWith(`${path}/`) && found.add(i));
  }
  return found;
}

/** The paths of the models that a layer lies in. @param {string} path @returns {string[]} */
function around(path) {
  const steps = [...path.matchAll(/\//g)];
  return steps.map(({ index }) => path.slice(0, index));
}

/** The calls that depend on some, and those themselves. @param {Model} model @param {Iterable<number>} calls */
export function descendants(model, calls) {
  const found = new Set(calls);
  const waiting = [...found];
  while (waiting.length) {
    for (const reader of model.readers[/** @type {number} */ (waiting.pop())]) {
      if (!found.has(reader)) {
        found.add(reader);
        waiting.push(reader);
      }
    }
  }
  return found;
}

/** The layers of some calls, and the models around them; parameters and bytes, each variable once.
 * @param {Model} model @param {Iterable<number>} calls */
export function figures(model, calls) {
  /** @type {Set<number>} */
  const layers = new Set();
  for (const call of calls) {
    let path = model.layerOf(call).path;
    for (let at = path.length; at > 0; at = path.lastIndexOf("/", at - 1)) {
      const layer = model.layerAt.get(path.slice(0, at));
      if (layer !== undefined) layers.add(layer);
    }
  }
  /** @type {Map<string, [number, number]>} */
  const variables = new Map();
  let isKnown = true;
  for (const i of layers) {
    const layer = model.layers[i];
    if (layer.weights === null) isKnown = false;
    for (const [name, , , size, weight, same] of layer.weights ?? []) {
      variables.set(same ?? `${layer.same_as ?? layer.path}/${name}`, [size, weight]);
    }
  }
  const sum = (/** @type {0 | 1} */ what) => [...variables.values()].reduce((all, one) => all + one[what], 0);
  const own = [...layers].filter((i) => !model.layers[i].nested && !model.layers[i].operation);
  return { layers: own.length, parameters: isKnown ? sum(0) : null, bytes: isKnown ? sum(1) : null };
}
