// One level's picture: its boxes and arrows, found by number; what is lit, marked and filled in it.

import { Model, isOutside } from "./model.js";

const SVG = "http://www.w3.org/2000/svg";

/** The SVG that is packed in the page for a level. @param {number} level @returns {Promise<SVGSVGElement>} */
export async function unpack(level) {
  const text = document.getElementById(`level-${level}`)?.textContent ?? "";
  const packed = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
  const svg = await new Response(stream).text();
  const root = new DOMParser().parseFromString(svg, "image/svg+xml").documentElement;
  return /** @type {SVGSVGElement} */ (/** @type {unknown} */ (document.importNode(root, true)));
}

export class Picture {
  /** @param {Model} model @param {import("./model.js").Level} level @param {SVGSVGElement} svg */
  constructor(model, level, svg) {
    this.model = model;
    this.level = level;
    this.svg = svg;
    const find = (/** @type {string} */ id) => /** @type {SVGGElement | null} */ (svg.querySelector(`#${id}`));
    this.boxes = level.boxes.map((_, i) => find(`b${i}`));
    this.arrows = level.arrows.map((_, i) => find(`a${i}`));
    /** @type {number[][]} */
    this.leaving = level.boxes.map(() => []);
    /** @type {number[][]} */
    this.coming = level.boxes.map(() => []);
    level.arrows.forEach(([, from, to], i) => {
      this.leaving[from].push(i);
      this.coming[to].push(i);
    });
    this.#name();
  }

  /** Give each part its name, for those who point at it and those who hear it. */
  #name() {
    const { model, level } = this;
    this.boxes.forEach((box, i) => {
      if (!box) return;
      const { calls, opens } = level.boxes[i];
      const title = box.querySelector("title")?.textContent ?? "";
      const call = calls.length ? model.layerOf(calls[calls.length - 1]) : null;
      const what = opens !== null ? ", opens" : call ? `, ${call.class} ${call.settings}` : "";
      box.setAttribute("role", "button");
      box.setAttribute("tabindex", "-1");
      box.setAttribute("aria-label", `${title}${what}`);
    });
    this.arrows.forEach((arrow, i) => {
      const title = arrow?.querySelector("title");
      if (!arrow || !title) return;
      const [tensor] = level.arrows[i];
      const made = model.calls[model.makerOf(tensor) ?? -1]?.makes.find(([own]) => own === tensor);
      title.textContent = made ? `${tensor}  ${made[1]} ${made[2] ?? ""}` : tensor;
      arrow.setAttribute("aria-hidden", "true");
    });
  }

  /** Signs on closed boxes that open them. To be called once the picture stands in the page. */
  addOpeners() {
    this.rectangles = this.boxes.map((box) => (box ? this.#rectangle(box) : new DOMRect()));
    this.boxes.forEach((box, i) => {
      if (!box || this.level.boxes[i].opens === null) return;
      const { x, y, width, height } = /** @type {SVGGElement} */ (box).getBBox();
      const opener = document.createElementNS(SVG, "g");
      opener.setAttribute("class", "opener");
      opener.setAttribute("transform", `translate(${x + width} ${y + height / 2})`);
      const disc = document.createElementNS(SVG, "circle");
      disc.setAttribute("r", "7");
      const cross = document.createElementNS(SVG, "path");
      cross.setAttribute("d", "M-3.5 0H3.5M0 -3.5V3.5");
      const title = document.createElementNS(SVG, "title");
      title.textContent = "open";
      opener.append(disc, cross, title);
      box.append(opener);
    });
  }

  /** Where a box stands, in pixels of the picture at its own size. @param {SVGGElement} box */
  #rectangle(box) {
    const { x, y, width, height } = box.getBBox();
    const graph = this.svg.querySelector("g.graph");
    const moved = /translate\(([-\d.]+)[ ,]([-\d.]+)\)/.exec(graph?.getAttribute("transform") ?? "");
    const [left, top] = moved ? [Number(moved[1]), Number(moved[2])] : [0, 0];
    const { x: viewX, y: viewY } = this.svg.viewBox.baseVal;
    return new DOMRect(x + left - viewX, y + top - viewY, width, height);
  }

  /** @param {Element} target @returns {number} the box that an element is part of; -1: none */
  boxAt(target) {
    const id = target.closest("g.node")?.id ?? "";
    return /^b\d+$/.test(id) ? Number(id.slice(1)) : -1;
  }

  /** The box that stands for a call, the smallest there is; -1: none. @param {number} call */
  boxOf(call) {
    let found = -1;
    this.level.boxes.forEach(({ calls }, i) => {
      const isLess = found < 0 || calls.length < this.level.boxes[found].calls.length || isOutside(this.level, found);
      if (calls.includes(call) && isLess && !(found >= 0 && isOutside(this.level, i))) found = i;
    });
    return found;
  }

  /** The boxes that arrows lead to, or come from. @param {number} box @param {boolean} isDown */
  neighbours(box, isDown) {
    const { arrows } = this.level;
    return isDown ? this.leaving[box].map((i) => arrows[i][2]) : this.coming[box].map((i) => arrows[i][1]);
  }

  /** Light up two sets of calls and the arrows within each; null: nothing is lit.
   * @param {Set<number> | null} before @param {Set<number> | null} after */
  light(before, after) {
    this.svg.classList.toggle("dim", before !== null || after !== null);
    const lit = [before, after].map((calls) => {
      const own = new Set();
      if (calls) this.level.boxes.forEach((box, i) => box.calls.some((call) => calls.has(call)) && own.add(i));
      return own;
    });
    // What has no calls of its own, an output or the input of a nested model, goes with what it stands beside.
    this.level.boxes.forEach(({ calls }, i) => {
      if (calls.length) return;
      if (this.neighbours(i, false).some((box) => lit[1].has(box))) lit[1].add(i);
      if (this.neighbours(i, true).some((box) => lit[0].has(box))) lit[0].add(i);
    });
    this.boxes.forEach((box, i) => box?.classList.toggle("lit", lit.some((own) => own.has(i))));
    this.arrows.forEach((arrow, i) => {
      const [, from, to] = this.level.arrows[i];
      arrow?.classList.toggle("lit", lit.some((own) => own.has(from) && own.has(to)));
    });
  }

  /** Mark boxes. @param {string} mark a class @param {(box: number) => boolean} isMarked */
  mark(mark, isMarked) {
    this.boxes.forEach((box, i) => box?.classList.toggle(mark, isMarked(i)));
  }

  /** Fill boxes by a figure or a state. @param {((calls: number[]) => string | null) | null} colour null: their own */
  fill(colour) {
    this.boxes.forEach((box, i) => {
      const { calls } = this.level.boxes[i];
      const own = colour && calls.length ? colour(calls) : null;
      for (const shape of box?.querySelectorAll(":scope > path, :scope > polygon") ?? []) {
        const isOutline = shape.getAttribute("fill") === "none";
        if (!isOutline) /** @type {SVGElement} */ (shape).style.fill = own ?? (colour ? "var(--ffffff)" : "");
      }
    });
  }
}
