// The page: which level is shown, what is chosen in it, and what keys and clicks do.

import { Address } from "./address.js";
import { showDetails } from "./details.js";
import { Minimap } from "./minimap.js";
import { ALL, Model, element, isOutside, make } from "./model.js";
import { offerOverlays, overlays } from "./overlay.js";
import { Picks } from "./picks.js";
import { Picture, unpack } from "./picture.js";
import { ancestors, descendants } from "./plan.js";
import { select } from "./query.js";
import { SearchBox } from "./search_box.js";
import { Viewport } from "./viewport.js";

class Page {
  /** @param {Model} model */
  constructor(model) {
    this.model = model;
    this.level = -1;
    this.chosen = -1;
    this.pointed = -1;
    /** @type {Picture | null} */
    this.picture = null;
    /** @type {Map<number, Picture>} those that were shown, by level */
    this.pictures = new Map();
    this.view = new Viewport(() => this.map?.draw());
    this.map = new Minimap(this.view);
    this.picks = new Picks(model, () => this.choose(this.chosen), (tensor) => this.go(tensor));
    this.search = new SearchBox(model, (tensor) => this.go(tensor), (found) => {
      this.found = found;
      this.picture?.mark("found", (box) => this.#stands(box, (call) => found.has(call)));
    });
    /** @type {Set<number>} */
    this.found = new Set();
    const offered = overlays(model);
    [this.overlay] = offered;
    offerOverlays(offered, (overlay) => {
      this.overlay = overlay;
      this.picture?.fill(overlay.colour);
    });
    this.address = new Address(() => this.#follow());
    this.#head();
    this.#listen();
  }

  #head() {
    const { name, totals, notice } = this.model.data;
    element("name").textContent = name;
    element("totals").textContent = totals;
    element("notice").textContent = notice;
    element("notice").hidden = !notice;
    element("all").hidden = !this.model.levelAt.has(ALL);
  }

  #listen() {
    const { canvas } = this.view;
    canvas.addEventListener("click", (event) => this.#click(/** @type {Element} */ (event.target)));
    const boxAt = (/** @type {Event} */ event) => this.picture?.boxAt(/** @type {Element} */ (event.target)) ?? -1;
    canvas.addEventListener("dblclick", (event) => {
      const box = boxAt(event);
      if (box >= 0) this.#open(box);
    });
    canvas.addEventListener("pointerover", (event) => this.#point(boxAt(event)));
    canvas.addEventListener("focusin", (event) => {
      const box = boxAt(event);
      if (box >= 0 && box !== this.chosen && /** @type {Element} */ (event.target).matches(":focus-visible")) this.choose(box, true);
    });
    element("in").addEventListener("click", () => this.view.zoom(1.25));
    element("out").addEventListener("click", () => this.view.zoom(0.8));
    element("fit").addEventListener("click", () => this.view.fit());
    element("back").addEventListener("click", () => this.address.goBack());
    element("all").addEventListener("click", () => this.open(this.model.levels[this.level].key === ALL ? "" : ALL));
    document.addEventListener("keydown", (event) => this.#key(event));
    addEventListener("resize", () => this.map.draw());
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.map.show(this.picture?.rectangles ?? []));
  }

  /** @param {Element} target */
  #click(target) {
    if (this.view.moved > 4 || target.closest("button, #map")) return;
    const box = this.picture?.boxAt(target) ?? -1;
    if (box >= 0 && target.closest(".opener")) this.#open(box);
    else this.choose(box);
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    const target = /** @type {HTMLElement} */ (event.target);
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
    if (target.closest("input, select, textarea, aside, header, nav") && event.key !== "Escape" && event.key !== "/") return;
    if (event.key === "/" && !target.closest("input")) this.search.box.focus();
    else if (event.key === "Escape") this.#leave();
    else if (event.key === "Tab") {
      if (!this.#tab(event.shiftKey)) return;
    } else if (this.chosen >= 0 && event.key === "Enter") this.#open(this.chosen);
    else if (this.chosen >= 0 && event.key === " ") this.#pick(this.chosen);
    else if (this.chosen >= 0 && !event.shiftKey && this.#walk(event.key)) return event.preventDefault();
    else if (!this.view.key(event)) return;
    event.preventDefault();
  }

  /** Escape: first what is chosen is left, then the level. */
  #leave() {
    const { parent } = this.model.levels[this.level];
    if (this.chosen >= 0) this.choose(-1);
    else if (parent !== null) this.open(parent);
    this.view.canvas.focus();
  }

  /** Walk to the next box by Tab, or out of the picture behind the last. @param {boolean} isBack */
  #tab(isBack) {
    if (!this.picture || !this.view.canvas.contains(document.activeElement)) return false;
    const next = this.chosen + (isBack ? -1 : 1);
    if (next < 0 || next >= this.picture.boxes.length) return false;
    this.#focus(next);
    return true;
  }

  /** Along the arrows: up and down, or across to the next that is fed by the same. @param {string} key */
  #walk(key) {
    if (!this.picture) return false;
    const sideways = { ArrowLeft: -1, ArrowRight: 1 }[key];
    let next;
    if (key === "ArrowDown" || key === "ArrowUp") [next] = this.picture.neighbours(this.chosen, key === "ArrowDown");
    else if (sideways) {
      const [above] = this.picture.neighbours(this.chosen, false);
      const row = above === undefined ? [] : this.picture.neighbours(above, true);
      next = row[row.indexOf(this.chosen) + sideways];
    } else return false;
    if (next !== undefined) this.#focus(next);
    return true;
  }

  /** @param {number} box */
  #focus(box) {
    this.choose(box, true);
    this.picture?.boxes[box]?.focus({ preventScroll: true });
  }

  /** @param {number} box @param {(call: number) => boolean} isMeant */
  #stands(box, isMeant) {
    const level = this.model.levels[this.level];
    return !isOutside(level, box) && level.boxes[box].calls.some(isMeant);
  }

  /** Choose a box: its details, and what leads to it and from it. @param {number} box @param {boolean} [isShown] */
  choose(box, isShown = false) {
    const { model, picture } = this;
    if (!picture) return;
    this.chosen = box;
    const own = box < 0 ? null : picture.level.boxes[box];
    const title = own ? picture.boxes[box]?.querySelector("title")?.textContent ?? "" : "";
    showDetails(model, own, title.replace(/#0$/, ""), {
      go: (address) => this.go(address),
      open: (key) => this.open(key),
      isPicked: (tensor) => this.picks.tensors.has(tensor),
      pick: (tensor) => this.picks.toggle(tensor),
    });
    picture.mark("chosen", (i) => i === box);
    const picked = new Set([...this.picks.tensors].map((tensor) => model.makerOf(tensor)));
    picture.mark("picked", (i) => this.#stands(i, (call) => picked.has(call)));
    if (own?.calls.length) {
      const makes = own.calls.flatMap((call) => model.calls[call].makes.map(([tensor]) => tensor));
      picture.light(ancestors(model, makes), descendants(model, own.calls));
    } else picture.light(this.picks.plan(), null);
    if (box >= 0 && isShown && picture.rectangles) this.view.reveal(picture.rectangles[box], true);
    const call = own?.calls.length === 1 ? own.calls[0] : null;
    const { key } = picture.level;
    if (call !== null) this.address.change(model.queryOf(model.calls[call].address));
    else this.address.change(`${key}/`);
  }

  /** Show the arrows at a box that is pointed at. @param {number} box */
  #point(box) {
    if (!this.picture || box === this.pointed) return;
    this.pointed = box;
    const near = box < 0 ? new Set() : new Set([...this.picture.leaving[box], ...this.picture.coming[box]]);
    this.picture.arrows.forEach((arrow, i) => arrow?.classList.toggle("near", near.has(i)));
  }

  /** @param {number} box */
  #pick(box) {
    const { opens, calls } = this.model.levels[this.level].boxes[box];
    const [call] = calls;
    if (call !== undefined && (opens === null || this.model.layerOf(call).nested)) this.picks.toggle(this.model.calls[call].makes[0][0]);
  }

  /** @param {number} box */
  #open(box) {
    const { opens } = this.model.levels[this.level].boxes[box];
    if (opens !== null) this.open(opens);
  }

  /** Open a level, as a new step of the history. @param {string} key */
  open(key) {
    this.address.go(`${key}/`);
  }

  /** Go to the box of a call or a tensor, in the level that is open if it has one. @param {string} tensor */
  go(tensor) {
    const call = this.model.makerOf(tensor);
    if (call === undefined) return;
    const here = this.picture ? this.picture.boxOf(call) : -1;
    const level = this.model.levels[this.level];
    const isHere = here >= 0 && !isOutside(level, here) && level.boxes[here].calls.length === 1;
    if (isHere) this.choose(here, true);
    else this.address.go(this.model.queryOf(this.model.calls[call].address));
  }

  /** Show what the address of the page says: a level, or a layer in its level. */
  async #follow() {
    const text = this.address.text;
    const level = text.endsWith("/") ? this.model.levelAt.get(text.slice(0, -1)) : undefined;
    if (level !== undefined) return this.show(level, -1);
    const [tensor] = text ? select(this.model, text) : [];
    const call = tensor === undefined ? undefined : this.model.makerOf(tensor);
    if (call === undefined) return this.show(0, -1);
    const [home, box] = this.model.homeOf(call);
    return this.show(home, box);
  }

  /** @param {number} level @param {number} box that is chosen; -1: none */
  async show(level, box) {
    const { model, view } = this;
    if (level !== this.level) {
      this.picture = this.pictures.get(level) ?? new Picture(model, model.levels[level], await unpack(level));
      view.show(this.picture.svg);
      if (!this.pictures.has(level)) this.picture.addOpeners();
      this.pictures.set(level, this.picture);
      element("back").toggleAttribute("disabled", this.level < 0);
      this.level = level;
      this.#crumbs();
      const start = this.picture.rectangles?.[0] ?? new DOMRect();
      view.open(start.x + start.width / 2, start.y);
      this.map.show(this.picture.rectangles ?? []);
      this.picture.fill(this.overlay.colour);
      this.picture.mark("found", (i) => this.#stands(i, (call) => this.found.has(call)));
    }
    this.choose(box, true);
    document.body.dataset.level = model.levels[level].key;
  }

  #crumbs() {
    const { levels, levelAt } = this.model;
    const way = [];
    for (let level = levels[this.level]; ; level = levels[levelAt.get(/** @type {string} */ (level.parent)) ?? 0]) {
      way.unshift(level);
      if (level.parent === null) break;
    }
    const items = way.map((level, i) => {
      const isLast = i === way.length - 1;
      const crumb = make("button", { type: "button" }, level.title);
      crumb.addEventListener("click", () => this.open(level.key));
      if (isLast) crumb.setAttribute("aria-current", "page");
      return make("li", {}, crumb);
    });
    element("crumbs").replaceChildren(...items);
    element("all").setAttribute("aria-pressed", String(levels[this.level].key === ALL));
  }

  start() {
    return this.#follow();
  }
}

const model = new Model(JSON.parse(element("data").textContent ?? ""));
const page = new Page(model);
// For whoever holds this page in a program of theirs.
const api = {
  select: (/** @type {string} */ text) => select(model, text),
  pick: (/** @type {string} */ text) => select(model, text).forEach((tensor) => page.picks.toggle(tensor)),
  selection: () => page.picks.queries(),
};
Object.assign(globalThis, { kgraph: api });
await page.start();
document.body.dataset.ready = "";
