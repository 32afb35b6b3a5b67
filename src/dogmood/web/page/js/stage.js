// One photo, large, with everything read from it.

import { patiently, picture } from "./api.js";
import { Pin, dogPanel } from "./bars.js";
import { make, say } from "./dom.js";
import { Frame } from "./frame.js";
import { count, lookedAt } from "./words.js";

export class Stage {
  #photo = null;
  #pin = new Pin();
  #shown = new AbortController(); // aborted when all photos are forgotten

  // `again(photo)` reads a photo once more.
  constructor(element, colours, options, again) {
    this.element = element;
    this.colours = colours;
    this.options = options;
    this.again = again;
  }

  // Show a photo, or what is newly known of the one that is shown.
  show(photo) {
    const held = this.element.contains(document.activeElement);
    if (photo !== this.#photo) this.#set(photo);
    const { reading } = photo;
    if (reading?.width) {
      this.frame.setSize(reading.width, reading.height);
      this.frame.drawBoxes(reading.dogs);
    } else {
      this.frame.drawBoxes([]);
    }
    this.frame.show(null, null);
    this.image.alt = reading?.status === "read" ? `${photo.name}, ${count(reading.dogs.length, "dog")}` : photo.name;
    this.caption.textContent = captionOf(photo);
    this.dogs.replaceChildren(...this.#told(photo));
    // Whoever was on a button that is gone now, stays near it.
    if (held) this.dogs.focus({ preventScroll: true });
    if (this.broken) this.#replace();
  }

  clear() {
    this.#photo = null;
    this.#shown.abort();
    this.#shown = new AbortController();
    this.element.replaceChildren();
  }

  #set(photo) {
    this.#photo = photo;
    this.broken = false;
    this.image = make("img", { decoding: "async" });
    const holder = make("div", { className: "frame" }, this.image);
    this.frame = new Frame(holder, this.colours);
    this.caption = make("figcaption", { className: "soft" });
    this.figure = make("figure", { className: "photo" }, holder, this.caption);
    this.dogs = make("div", { className: "dogs", role: "group", "aria-label": "What was read", tabIndex: -1 });
    const { image, frame } = this;
    image.addEventListener("load", () => {
      if (!photo.reading?.width) frame.setSize(image.naturalWidth, image.naturalHeight);
    });
    image.addEventListener("error", () => {
      if (photo !== this.#photo) return;
      this.broken = true;
      this.#replace();
    }, { once: true });
    image.src = photo.url;
    this.element.replaceChildren(this.figure, this.dogs);
  }

  // Some pictures this browser cannot draw (HEIC, TIFF): the server can. What is no
  // picture at all, it has said by then.
  async #replace() {
    const photo = this.#photo;
    this.figure.classList.add("blank");
    if (!photo.reading?.width) return;
    try {
      await (photo.drawing ??= this.#draw(photo, this.#shown.signal));
    } catch {
      return; // The boxes and bars are there; the place of the photo stays empty.
    }
    // Another may be shown by now, or this one anew.
    if (photo !== this.#photo || !this.broken) return;
    this.broken = false;
    this.image.src = photo.url;
    this.figure.classList.remove("blank");
  }

  async #draw(photo, signal) {
    try {
      const drawn = await patiently(() => picture(photo.file, this.options, true, signal), signal);
      URL.revokeObjectURL(photo.url);
      photo.url = URL.createObjectURL(drawn);
    } catch (error) {
      photo.drawing = null; // so that the next look at it tries again
      throw error;
    }
  }

  #told(photo) {
    if (photo.state === "failed") {
      const button = make("button", { type: "button", className: "button" }, "Try again");
      button.addEventListener("click", () => this.again(photo));
      return [card("This photo was not read", photo.reason, button)];
    }
    if (photo.reading === null) return [make("section", { className: "card calm busy" }, make("p", {}, "Reading …"))];
    if (photo.reading.status === "unreadable") return [card("This file cannot be read", photo.reading.reason)];
    if (photo.reading.status === "no_dog") {
      return [card("No dog here", "dogmood found no dog in this photo. Cats, toys and people are not read.")];
    }
    return photo.reading.dogs.map((dog) => dogPanel(dog, this.colours, (emotion) => this.#look(dog, emotion), this.#pin));
  }

  #look(dog, emotion) {
    this.frame.show(dog, emotion);
    // For whom the colours say nothing.
    if (dog.looked_at?.[emotion]) say(`${lookedAt(dog, emotion)}.`);
  }
}

function captionOf({ name, reading }) {
  if (!reading?.width) return name;
  return `${name} · ${reading.width} × ${reading.height} · model ${reading.model.name} ${reading.model.version}`;
}

function card(title, words, ...more) {
  return make("section", { className: "card calm" }, make("h3", {}, title), make("p", {}, words), ...more);
}
