// The search box: what is found is listed, Enter steps through it, `@` offers the classes.

import { Model, count, element, make } from "./model.js";
import { classes, search } from "./query.js";

const MOST_ROWS = 200; // rows that are listed

export class SearchBox {
  /** @param {Model} model @param {(tensor: string) => void} go @param {(found: Set<number>) => void} onFind */
  constructor(model, go, onFind) {
    this.model = model;
    this.go = go;
    this.onFind = onFind;
    this.box = /** @type {HTMLInputElement} */ (element("search"));
    this.list = element("found");
    /** @type {string[]} */
    this.found = [];
    this.at = -1;
    this.box.addEventListener("input", () => this.find());
    this.box.addEventListener("keydown", (event) => this.#key(event));
    this.box.addEventListener("focus", () => this.box.value && this.#show(true));
    document.addEventListener("pointerdown", (event) => {
      if (!(/** @type {Element} */ (event.target).closest(".search"))) this.#show(false);
    });
  }

  find() {
    const text = this.box.value.trim();
    this.at = -1;
    if (/^@\w*$/.test(text) && !search(this.model, text).length) {
      this.#offerClasses(text.slice(1).toLowerCase());
      return;
    }
    this.found = text ? search(this.model, text) : [];
    this.onFind(new Set(this.found.map((tensor) => this.model.makerOf(tensor) ?? -1)));
    const rows = this.found.slice(0, MOST_ROWS).map((tensor, i) => {
      const layer = this.model.layerOf(this.model.makerOf(tensor) ?? 0);
      const row = make("li", { role: "option", id: `found-${i}` }, make("b", {}, this.model.queryOf(tensor)), make("span", { class: "quiet" }, ` ${layer.class} ${layer.settings}`));
      row.addEventListener("click", () => this.step(i - this.at));
      return row;
    });
    this.list.replaceChildren(...rows);
    if (this.found.length > MOST_ROWS) this.list.append(make("li", { class: "quiet" }, `and ${count(this.found.length - MOST_ROWS)} more`));
    element("count").textContent = text ? `${count(this.found.length)} found` : "";
    this.#show(rows.length > 0);
  }

  /** @param {string} start what the name of a class begins with */
  #offerClasses(start) {
    this.found = [];
    this.onFind(new Set());
    const offered = classes(this.model).filter(([name]) => name.toLowerCase().startsWith(start));
    const rows = offered.map(([name, calls]) => {
      const row = make("li", { role: "option" }, make("b", {}, `@${name}`), make("span", { class: "quiet" }, ` ${count(calls)} calls`));
      row.addEventListener("click", () => {
        this.box.value = `@${name}`;
        this.find();
        this.box.focus();
      });
      return row;
    });
    this.list.replaceChildren(...rows);
    element("count").textContent = `${count(offered.length)} classes`;
    this.#show(rows.length > 0);
  }

  /** Go to another of what was found. @param {number} by */
  step(by) {
    if (!this.found.length) return;
    this.at = (this.at + by + this.found.length) % this.found.length;
    element("count").textContent = `${count(this.at + 1)} of ${count(this.found.length)}`;
    [...this.list.children].forEach((row, i) => row.setAttribute("aria-selected", String(i === this.at)));
    this.list.children[this.at]?.scrollIntoView({ block: "nearest" });
    this.box.setAttribute("aria-activedescendant", `found-${this.at}`);
    this.go(this.found[this.at]);
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    if (event.key === "Enter") {
      if (!this.found.length) /** @type {HTMLElement | null} */ (this.list.querySelector("[role=option]"))?.click();
      this.step(event.shiftKey ? -1 : 1);
    } else if (event.key === "ArrowDown") this.step(1);
    else if (event.key === "ArrowUp") this.step(-1);
    else if (event.key === "Escape") {
      this.box.value = "";
      this.find();
      element("canvas").focus();
    } else return;
    event.preventDefault();
    event.stopPropagation();
  }

  /** @param {boolean} isShown */
  #show(isShown) {
    this.list.hidden = !isShown;
    this.box.setAttribute("aria-expanded", String(isShown));
  }
}
