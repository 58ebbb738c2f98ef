// Where the picture stands: moved and zoomed by one transform, sharp again when it rests.

import { element } from "./model.js";

const LEAST_SCALE = 0.02;
const MOST_SCALE = 6;
const STEP = 60; // pixels that an arrow key moves
const REST = 160; // milliseconds after which a picture is at rest

export class Viewport {
  /** @param {() => void} onMove */
  constructor(onMove) {
    this.canvas = element("canvas");
    this.picture = element("picture");
    this.onMove = onMove;
    this.x = 0;
    this.y = 0;
    this.scale = 1;
    this.wide = 1;
    this.high = 1;
    this.resting = 0;
    /** @type {Map<number, PointerEvent>} */
    this.pointers = new Map();
    this.moved = 0;
    this.#listen();
  }

  #listen() {
    const { canvas } = this;
    canvas.addEventListener(
      "wheel",
      (event) => {
        event.preventDefault();
        const unit = event.deltaMode === 1 ? 16 : 1;
        if (event.ctrlKey || event.metaKey) this.zoom(Math.exp(-event.deltaY * unit * 0.01), ...this.#place(event));
        else this.move(-event.deltaX * unit, -event.deltaY * unit);
      },
      { passive: false },
    );
    canvas.addEventListener("pointerdown", (event) => {
      if (event.button || /** @type {Element} */ (event.target).closest("button, #map")) return;
      this.pointers.set(event.pointerId, event);
      this.moved = 0;
    });
    canvas.addEventListener("pointermove", (event) => {
      const last = this.pointers.get(event.pointerId);
      if (!last) return;
      const others = [...this.pointers.values()].filter((one) => one.pointerId !== event.pointerId);
      this.moved += Math.abs(event.clientX - last.clientX) + Math.abs(event.clientY - last.clientY);
      if (this.moved > 4 && !canvas.hasPointerCapture(event.pointerId)) canvas.setPointerCapture(event.pointerId);
      if (others.length) {
        const far = (/** @type {PointerEvent} */ one) =>
          Math.hypot(one.clientX - others[0].clientX, one.clientY - others[0].clientY) || 1;
        this.zoom(far(event) / far(last), ...this.#place(event));
      } else if (this.moved > 4) this.move(event.clientX - last.clientX, event.clientY - last.clientY);
      this.pointers.set(event.pointerId, event);
    });
    for (const name of ["pointerup", "pointercancel"]) {
      canvas.addEventListener(name, (event) => this.pointers.delete(/** @type {PointerEvent} */ (event).pointerId));
    }
    // A focused box is brought into view by its level; the browser must not scroll the canvas for it.
    canvas.addEventListener("scroll", () => canvas.scrollTo(0, 0));
  }

  /** @param {MouseEvent} event @returns {[number, number]} */
  #place(event) {
    const box = this.canvas.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  }

  /** Show a picture of that size from its top, as large as it can be read well. @param {SVGSVGElement} svg */
  show(svg) {
    const { width, height } = svg.viewBox.baseVal;
    [this.wide, this.high] = [width, height];
    svg.setAttribute("width", String(width));
    svg.setAttribute("height", String(height));
    this.picture.replaceChildren(svg);
  }

  /** Stand with a place of the picture in the middle of the top. @param {number} x @param {number} y */
  open(x, y) {
    const { clientWidth: wide, clientHeight: high } = this.canvas;
    const fit = Math.min((wide - 32) / this.wide, (high - 32) / this.high);
    this.scale = Math.min(Math.max(fit, 0.9), 1.35);
    const isWhole = fit >= this.scale;
    this.x = isWhole ? (wide - this.wide * this.scale) / 2 : wide / 2 - x * this.scale;
    if (!isWhole && this.wide * this.scale < wide) this.x = (wide - this.wide * this.scale) / 2;
    this.y = isWhole ? (high - this.high * this.scale) / 2 : 12 - (y - 14) * this.scale;
    this.#apply();
  }

  fit() {
    const { clientWidth: wide, clientHeight: high } = this.canvas;
    this.scale = Math.max(LEAST_SCALE, Math.min(1.35, (wide - 24) / this.wide, (high - 24) / this.high));
    this.x = (wide - this.wide * this.scale) / 2;
    this.y = (high - this.high * this.scale) / 2;
    this.#apply();
  }

  /** @param {number} x @param {number} y pixels */
  move(x, y) {
    this.x += x;
    this.y += y;
    this.#apply();
  }

  /** @param {number} by @param {number} [x] @param {number} [y] the place that stays, else the middle */
  zoom(by, x = this.canvas.clientWidth / 2, y = this.canvas.clientHeight / 2) {
    const scale = Math.min(Math.max(this.scale * by, LEAST_SCALE), MOST_SCALE);
    this.x = x - ((x - this.x) * scale) / this.scale;
    this.y = y - ((y - this.y) * scale) / this.scale;
    this.scale = scale;
    this.#apply();
  }

  /** Bring a part of the picture into view, legible. @param {DOMRect} box @param {boolean} toMiddle */
  reveal(box, toMiddle) {
    const { clientWidth: wide, clientHeight: high } = this.canvas;
    if (toMiddle && this.scale < 0.6) this.scale = 1;
    const [left, top] = [this.x + box.x * this.scale, this.y + box.y * this.scale];
    const [right, bottom] = [left + box.width * this.scale, top + box.height * this.scale];
    const isSeen = left > 20 && top > 20 && right < wide - 20 && bottom < high - 20;
    if (!isSeen) {
      this.x += wide / 2 - (left + right) / 2;
      this.y += high / 2 - (top + bottom) / 2;
    }
    this.#apply();
  }

  /** Whether a key moved or zoomed. @param {KeyboardEvent} event */
  key(event) {
    const ways = /** @type {Object<string, [number, number]>} */ ({
      ArrowLeft: [STEP, 0], ArrowRight: [-STEP, 0], ArrowUp: [0, STEP], ArrowDown: [0, -STEP],
      PageUp: [0, this.canvas.clientHeight * 0.9], PageDown: [0, -this.canvas.clientHeight * 0.9],
    });
    if (event.key in ways) this.move(...ways[event.key]);
    else if (event.key === "+" || event.key === "=") this.zoom(1.25);
    else if (event.key === "-") this.zoom(0.8);
    else if (event.key === "0") this.fit();
    else return false;
    return true;
  }

  #apply() {
    const { picture } = this;
    picture.classList.add("moving");
    picture.style.transform = `translate(${this.x}px, ${this.y}px) scale(${this.scale})`;
    clearTimeout(this.resting);
    this.resting = setTimeout(() => picture.classList.remove("moving"), REST);
    this.onMove();
  }
}
