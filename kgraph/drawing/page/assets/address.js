// Where in the model the page is: in its own address, or, in a frame that has none, in a list of its own.

export class Address {
  /** @param {() => void} onGo */
  constructor(onGo) {
    this.onGo = onGo;
    /** @type {string[] | null} the places gone through; null where the browser keeps them */
    this.trail = location.protocol === "about:" ? [""] : null;
    addEventListener("hashchange", onGo);
  }

  /** The place: `encoder/` for a level, `encoder/conv` for a layer. */
  get text() {
    if (this.trail) return this.trail[this.trail.length - 1];
    try {
      return decodeURIComponent(location.hash.slice(1));
    } catch {
      return "";
    }
  }

  /** Go to a place, from which one can go back. @param {string} place */
  go(place) {
    if (!this.trail) location.hash = encode(place);
    else if (place !== this.text) {
      this.trail.push(place);
      this.onGo();
    }
  }

  /** Say that the page is at another place now, without a step. @param {string} place */
  change(place) {
    if (this.trail) this.trail[this.trail.length - 1] = place;
    else history.replaceState(null, "", `#${encode(place)}`);
  }

  goBack() {
    if (!this.trail) history.back();
    else if (this.trail.length > 1) {
      this.trail.pop();
      this.onGo();
    }
  }
}

/** @param {string} place */
function encode(place) {
  return encodeURIComponent(place).replaceAll("%2F", "/").replaceAll("%40", "@");
}
