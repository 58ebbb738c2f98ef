// The data of the page: layers, calls and levels, and what is looked up in them.

/**
 * @typedef {{path: string, class: string, module: string | null, family: string, settings: string,
 *   trainable: string, same_as: string | null, nested: boolean, operation: boolean, parameters: number | null,
 *   weights: Array<[string, Array<number>, string, number, number, string | null]> | null,
 *   config: Object<string, unknown>}} Layer
 * @typedef {{address: string, layer: number, reads: Object<string, string>, arguments: Object<string, unknown>,
 *   makes: Array<[string, string, string | null]>, ends: Array<string | null>, read_by: string[],
 *   returned_as: string[], macs: number | null, memory: number | null, notes: string[]}} Call
 * @typedef {{calls: number[], opens: string | null}} Box
 * @typedef {{key: string, title: string, parent: string | null, boxes: Box[], classes: string[],
 *   arrows: Array<[string, number, number]>}} Level
 * @typedef {{version: number, name: string, source: string | null, layers: Layer[], calls: Call[],
 *   levels: Level[], totals: string, notice: string, pickable: boolean}} Data
 */

export class Model {
  /** @param {Data} data */
  constructor(data) {
    this.data = data;
    this.layers = data.layers;
    this.calls = data.calls;
    this.levels = data.levels;
    /** @type {Map<string, number>} */
    this.layerAt = new Map(this.layers.map((layer, i) => [layer.path, i]));
    /** @type {Map<string, number>} */
    this.callAt = new Map(this.calls.map((call, i) => [call.address, i]));
    /** @type {Map<number, number[]>} */
    this.callsOf = new Map();
    this.calls.forEach((call, i) => {
      const own = this.callsOf.get(call.layer);
      if (own) own.push(i);
      else this.callsOf.set(call.layer, [i]);
    });
    /** @type {number[][]} which calls read what each call makes */
    this.readers = this.calls.map(() => []);
    this.calls.forEach((call, i) => {
      for (const tensor of [...Object.values(call.reads), ...call.ends]) {
        const maker = tensor === null ? undefined : this.makerOf(tensor);
        if (maker !== undefined) this.readers[maker].push(i);
      }
    });
    /** @type {Map<string, number>} */
    this.levelAt = new Map(this.levels.map((level, i) => [level.key, i]));
  }

  /** @param {number} call @returns {Layer} */
  layerOf(call) {
    return this.layers[this.calls[call].layer];
  }

  /** The call that makes a tensor. @param {string} tensor @returns {number | undefined} */
  makerOf(tensor) {
    return this.callAt.get(tensor.replace(/(#\d+):\d+$/, "$1"));
  }

  /** The place of a tensor among those that its call makes. @param {string} tensor */
  outputOf(tensor) {
    const found = /#\d+:(\d+)$/.exec(tensor);
    return found ? Number(found[1]) : 0;
  }

  /** What a person types for a tensor: without `#0` where its layer has one call. @param {string} tensor */
  queryOf(tensor) {
    const maker = this.makerOf(tensor);
    if (maker === undefined || (this.callsOf.get(this.calls[maker].layer) ?? []).length > 1) return tensor;
    return tensor.replace(/#\d+(:\d+)?$/, "$1");
  }

  /** The level in which a call has a box of its own, as deep as can be; not the one in which all is open.
   * @param {number} call @returns {[number, number]} the level, and the box in it */
  homeOf(call) {
    let home = /** @type {[number, number]} */ ([0, -1]);
    this.levels.forEach((level, i) => {
      if (level.key === ALL) return;
      const own = level.boxes.findIndex((box, b) => box.calls.includes(call) && !isOutside(level, b));
      const size = (/** @type {number} */ b) => level.boxes[b].calls.length;
      if (own >= 0 && (home[1] < 0 || size(own) <= this.levels[home[0]].boxes[home[1]].calls.length)) home = [i, own];
    });
    return home;
  }
}

export const ALL = "**";

/** Whether a box stands for something outside of its level. @param {Level} level @param {number} box */
export function isOutside(level, box) {
  return level.classes[box] === "outside";
}

/** @param {string} id @returns {HTMLElement} */
export function element(id) {
  const found = document.getElementById(id);
  if (!found) throw new Error(`no ${id}`);
  return found;
}

/** A new element; what comes from the file only ever becomes its text.
 * @param {string} tag @param {Object<string, string>} attributes @param {...(Node | string)} children */
export function make(tag, attributes, ...children) {
  const made = document.createElement(tag);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

/** @param {number | null} number @returns {string} */
export function count(number) {
  return number === null ? "?" : number.toLocaleString("en-US");
}

/** @param {number | null} number @returns {string} */
export function bytes(number) {
  if (number === null) return "?";
  const units = ["bytes", "kB", "MB", "GB", "TB"];
  let i = 0;
  while (number >= 1000 && i < units.length - 1) {
    number /= 1000;
    i += 1;
  }
  return `${i ? number.toFixed(1) : number} ${units[i]}`;
}
