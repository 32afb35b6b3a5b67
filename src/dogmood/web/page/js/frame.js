// A picture with its boxes and its map: an <img> or a <video>, and what lies over it.

import { make } from "./dom.js";
import { paint } from "./maps.js";
import { lookedAt, percent } from "./words.js";

const NARROW = 400; // pixels; on a picture of that width labels say only what matters most
const RIM = 3; // pixels between a label and the picture's rim, or another label

export class Frame {
  // `element` holds the picture already; `colours` is a colour for each emotion.
  constructor(element, colours) {
    this.element = element;
    this.colours = colours;
    this.map = make("canvas", { className: "map", "aria-hidden": "true" });
    this.boxes = make("div", { className: "boxes", "aria-hidden": "true" });
    this.caption = make("p", { className: "looked", "aria-hidden": "true" });
    element.append(this.map, this.boxes, this.caption);
    this.shown = null;
    new ResizeObserver(() => this.#placeLabels()).observe(element);
  }

  setSize(width, height) {
    this.width = width;
    this.height = height;
    this.element.style.setProperty("--ratio", width / height);
  }

  drawBoxes(dogs) {
    this.boxes.replaceChildren(
      ...dogs.map((dog) => {
        const [x0, y0, x1, y1] = dog.box;
        const across = (value) => `${(100 * value) / this.width}%`;
        const along = (value) => `${(100 * value) / this.height}%`;
        return make(
          "div",
          {
            className: "box",
            "data-dog": dog.dog,
            style: {
              "--colour": this.colours[dog.emotion],
              left: across(x0),
              top: along(y0),
              width: across(x1 - x0),
              height: along(y1 - y0),
            },
          },
          this.#label(dog),
        );
      }),
    );
    this.#placeLabels();
  }

  // What is said on the picture; how sure that is stays in it, however short it is.
  #label(dog) {
    const [x0, y0, x1] = dog.box;
    const right = (x0 + x1) / 2 > this.width / 2;
    return make(
      "span",
      { className: `tag${y0 / this.height > 0.08 ? " above" : ""}${right ? " right" : ""}` },
      make("span", { className: "long" }, `${dog.dog} ${dog.emotion} ${percent(dog.probability)}${dog.sure ? "" : " (not sure)"}`),
      make("span", { className: "short" }, `${dog.dog} ${dog.emotion}${dog.sure ? "" : " ?"}`),
    );
  }

  // Keep the labels in the picture and off one another; where that is hard, make them short.
  #placeLabels() {
    const { width } = this.element.getBoundingClientRect();
    if (width === 0) return; // nobody sees them
    this.boxes.classList.toggle("terse", width < NARROW);
    if (this.#spread() || width < NARROW) return;
    this.boxes.classList.add("terse");
    this.#spread();
  }

  // Return whether each label found place where it belongs.
  #spread() {
    const room = this.element.getBoundingClientRect();
    const placed = [];
    let easy = true;
    for (const tag of this.boxes.querySelectorAll(".tag")) {
      tag.style.translate = "none";
      const { left, top, width, height } = tag.getBoundingClientRect();
      const x = within(left, room.left + RIM, room.right - RIM - width);
      let y = within(top, room.top + RIM, room.bottom - RIM - height);
      const beside = placed.filter((other) => x < other.right && other.left < x + width).sort((a, b) => a.top - b.top);
      for (const other of beside) {
        if (y < other.bottom && other.top < y + height) y = other.bottom + RIM;
      }
      // Down there is no more room: better over another label than out of the picture.
      if (y + height > room.bottom) y = room.bottom - RIM - height;
      easy &&= width + 2 * RIM <= room.width && Math.abs(y - top) < height;
      placed.push({ left: x, right: x + width, top: y, bottom: y + height });
      tag.style.translate = `${x - left}px ${y - top}px`;
    }
    return easy;
  }

  // Fade in the map of an emotion of a dog; null fades out what is there.
  async show(dog, emotion) {
    const url = dog?.saliency?.[emotion] ?? null;
    this.shown = url;
    for (const box of this.boxes.children) box.classList.toggle("other", url !== null && box.dataset.dog !== String(dog.dog));
    if (url === null) {
      this.element.classList.remove("explained");
      return;
    }
    const fresh = this.map.cloneNode();
    await paint(fresh, url);
    // Meanwhile another may have been asked for.
    if (this.shown !== url) return;
    this.map.width = fresh.width;
    this.map.height = fresh.height;
    this.map.getContext("2d").drawImage(fresh, 0, 0);
    this.caption.textContent = lookedAt(dog, emotion);
    this.element.classList.add("explained");
  }
}

function within(value, least, most) {
  return Math.max(least, Math.min(value, most));
}
