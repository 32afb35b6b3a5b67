// A picture with its boxes and its map: an <img> or a <video>, and what lies over it.

import { make } from "./dom.js";
import { paint } from "./maps.js";
import { lookedAt, percent } from "./words.js";

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
        const label = `${dog.dog} ${dog.emotion} ${percent(dog.probability)}${dog.sure ? "" : " (not sure)"}`;
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
          make("span", { className: y0 / this.height > 0.08 ? "tag above" : "tag" }, label),
        );
      }),
    );
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
