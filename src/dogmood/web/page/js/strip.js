// The row of small photos: which ones there are, which one is shown.

import { make } from "./dom.js";
import { summary } from "./words.js";

const SIDE = 144; // pixels of a thumbnail: twice its size on the page

export class Strip {
  #items = new Map();

  // `choose(photo)` is called with the photo that a person picks.
  constructor(list, colours, choose) {
    this.list = list;
    this.colours = colours;
    this.choose = choose;
    list.addEventListener("keydown", (event) => this.#keys(event));
  }

  update(photo) {
    if (!this.#items.has(photo)) this.#add(photo);
    const item = this.#items.get(photo);
    const { button, label } = item;
    const words = photo.state === "failed" ? "not read" : photo.reading === null ? "reading …" : summary(photo.reading);
    label.textContent = words;
    button.setAttribute("aria-label", `${photo.name}: ${words}`);
    button.classList.toggle("busy", photo.state === "waiting" || photo.state === "reading");
    // Not before it is read: on a small machine the reading needs the processor more.
    if (!item.drawn && photo.state !== "waiting" && photo.state !== "reading") {
      item.drawn = true;
      draw(item.canvas, photo.file);
    }
    const emotion = photo.reading?.dogs[0]?.emotion;
    button.style.setProperty("--colour", emotion ? this.colours[emotion] : "transparent");
  }

  mark(current) {
    for (const [photo, { button }] of this.#items) {
      if (photo === current) button.setAttribute("aria-current", "true");
      else button.removeAttribute("aria-current");
    }
  }

  clear() {
    this.#items.clear();
    this.list.replaceChildren();
  }

  #add(photo) {
    const canvas = make("canvas", { width: SIDE, height: SIDE, "aria-hidden": "true" });
    const label = make("span", { className: "label", "aria-hidden": "true" });
    const button = make("button", { type: "button", className: "thumb", title: photo.name }, canvas, label);
    button.addEventListener("click", () => this.choose(photo));
    this.#items.set(photo, { button, label, canvas, drawn: false });
    this.list.append(make("li", {}, button));
  }

  #keys(event) {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    const buttons = [...this.list.querySelectorAll("button")];
    const next = buttons[buttons.indexOf(document.activeElement) + (step ?? NaN)];
    if (next === undefined) return;
    event.preventDefault();
    next.focus();
    next.click();
  }
}

async function draw(canvas, file) {
  let bitmap;
  try {
    bitmap = await createImageBitmap(file, { resizeWidth: 2 * SIDE, resizeQuality: "medium" });
  } catch {
    canvas.classList.add("blank"); // not a picture, or none this browser knows
    return;
  }
  const side = Math.min(bitmap.width, bitmap.height);
  const [x, y] = [(bitmap.width - side) / 2, (bitmap.height - side) / 2];
  canvas.getContext("2d").drawImage(bitmap, x, y, side, side, 0, 0, SIDE, SIDE);
  bitmap.close();
}
