// A small map of a large picture, with a frame round what is in view.

import { element } from "./model.js";
import { Viewport } from "./viewport.js";

const MAP_SIZE = 170; // pixels, at most, either way

export class Minimap {
  /** @param {Viewport} view */
  constructor(view) {
    this.view = view;
    this.canvas = /** @type {HTMLCanvasElement} */ (element("map"));
    /** @type {DOMRect[]} */
    this.boxes = [];
    this.scale = 1;
    const go = (/** @type {PointerEvent} */ event) => {
      if (!event.buttons) return;
      const { left, top } = this.canvas.getBoundingClientRect();
      const [x, y] = [(event.clientX - left) / this.scale, (event.clientY - top) / this.scale];
      const { clientWidth, clientHeight } = view.canvas;
      view.move(clientWidth / 2 - x * view.scale - view.x, clientHeight / 2 - y * view.scale - view.y);
    };
    this.canvas.addEventListener("pointerdown", go);
    this.canvas.addEventListener("pointermove", go);
  }

  /** @param {DOMRect[]} boxes */
  show(boxes) {
    this.boxes = boxes;
    this.scale = MAP_SIZE / Math.max(this.view.wide, this.view.high);
    this.canvas.width = Math.max(12, this.view.wide * this.scale) * devicePixelRatio;
    this.canvas.height = Math.max(12, this.view.high * this.scale) * devicePixelRatio;
    this.canvas.style.width = `${this.canvas.width / devicePixelRatio}px`;
    this.canvas.style.height = `${this.canvas.height / devicePixelRatio}px`;
    const draft = document.createElement("canvas");
    [draft.width, draft.height] = [this.canvas.width, this.canvas.height];
    const pen = draft.getContext("2d");
    if (!pen) return;
    pen.fillStyle = getComputedStyle(this.canvas).color;
    const by = this.scale * devicePixelRatio;
    for (const { x, y, width, height } of boxes) {
      pen.fillRect(x * by, y * by, Math.max(1, width * by), Math.max(1, height * by));
    }
    this.draft = draft;
    this.draw();
  }

  draw() {
    const { view, canvas } = this;
    const isMuch = view.wide * view.scale > view.canvas.clientWidth * 1.2 || view.high * view.scale > view.canvas.clientHeight * 1.2;
    canvas.hidden = !isMuch || !this.draft;
    const pen = canvas.getContext("2d");
    if (canvas.hidden || !pen || !this.draft) return;
    const by = this.scale * devicePixelRatio;
    pen.clearRect(0, 0, canvas.width, canvas.height);
    pen.drawImage(this.draft, 0, 0);
    pen.strokeStyle = getComputedStyle(canvas).outlineColor;
    pen.lineWidth = 2 * devicePixelRatio;
    const within = (/** @type {number} */ at, /** @type {number} */ size) => Math.min(Math.max((at / view.scale) * by, 1), size - 1);
    const [left, top] = [within(-view.x, canvas.width), within(-view.y, canvas.height)];
    const right = within(view.canvas.clientWidth - view.x, canvas.width);
    const bottom = within(view.canvas.clientHeight - view.y, canvas.height);
    pen.strokeRect(left, top, right - left, bottom - top);
  }
}
