// What is said of one dog: the verdict, five bars, the set in words.

import { freshId, make } from "./dom.js";
import { capital, doubt, percent, possible, sorted } from "./words.js";

const HINT = "Slide over an emotion, or tap it, to see where the network looked for it.";

// The bar that is pressed, if any. All dogs of a picture share one, since the picture
// shows one map at a time.
export class Pin {
  #button = null;
  #look = null;

  // Press a bar, or let it go where it is pressed already.
  press(button, look) {
    const again = button === this.#button;
    this.release();
    if (again) return;
    button.setAttribute("aria-pressed", "true");
    [this.#button, this.#look] = [button, look];
  }

  release() {
    this.#button?.setAttribute("aria-pressed", "false");
    this.#button = null;
  }

  // Show what is pressed, whichever dog's it is. Its panel may have gone since.
  rest(look) {
    if (this.#button?.isConnected) this.#look(this.#button.dataset.emotion);
    else look(null);
  }
}

// Return the panel of a dog. `look(emotion)` is called with the emotion that a person
// points at, reaches with the keyboard or has pressed, and with null when none is.
// The likeliest comes first unless another order is given.
export function dogPanel(dog, colours, look, pin, order = sorted(dog).map(([emotion]) => emotion)) {
  const title = freshId("dog");
  const bars = make("ul", { className: "bars", "aria-label": `Probabilities of dog ${dog.dog}` });
  for (const emotion of order) {
    bars.append(make("li", {}, bar(emotion, dog.probabilities[emotion], colours[emotion])));
  }
  explainOn(bars, look, pin);
  return make(
    "section",
    { className: "dog card", "aria-labelledby": title },
    make("h3", { id: title }, `Dog ${dog.dog}`),
    verdict(dog, colours),
    bars,
    make("p", { className: "set" }, possible(dog)),
    // Said once is enough.
    dog.dog === 1 ? make("p", { className: "soft hint" }, HINT) : null,
  );
}

// Let a panel say what is now known of its dog.
export function updatePanel(panel, dog, colours) {
  panel.querySelector(".verdict").replaceWith(verdict(dog, colours));
  panel.querySelector(".set").textContent = possible(dog);
  for (const button of panel.querySelectorAll(".bar")) setShare(button, dog.probabilities[button.dataset.emotion]);
}

function verdict(dog, colours) {
  const words = dog.sure ? capital(dog.emotion) : `Perhaps ${dog.emotion}`;
  return make(
    "p",
    { className: "verdict" },
    make("span", { className: "dot", style: { "--colour": colours[dog.emotion] }, "aria-hidden": "true" }),
    make("strong", {}, words),
    " ",
    make("span", { className: "soft" }, percent(dog.probability)),
    " ",
    make("span", { className: dog.sure ? "badge sure" : "badge" }, doubt(dog)),
  );
}

function bar(emotion, probability, colour) {
  const button = make(
    "button",
    { type: "button", className: "bar", "aria-pressed": "false", "data-emotion": emotion, style: { "--colour": colour } },
    make("span", { className: "name" }, emotion),
    make("span", { className: "track", "aria-hidden": "true" }, make("span", { className: "fill" })),
    make("span", { className: "percent" }, percent(probability)),
  );
  setShare(button, probability);
  return button;
}

function setShare(button, probability) {
  button.style.setProperty("--share", probability);
  button.querySelector(".percent").textContent = percent(probability);
}

function explainOn(bars, look, pin) {
  const barAt = (target) => target.closest?.(".bar") ?? null;
  bars.addEventListener("pointerover", (event) => {
    // A finger arrives here too, just before its tap: the tap decides.
    if (event.pointerType === "touch") return;
    const bar = barAt(event.target);
    if (bar === null) pin.rest(look);
    else look(bar.dataset.emotion);
  });
  bars.addEventListener("pointerleave", () => pin.rest(look));
  bars.addEventListener("focusin", (event) => {
    if (event.target.matches(":focus-visible")) look(barAt(event.target).dataset.emotion);
  });
  bars.addEventListener("focusout", () => pin.rest(look));
  bars.addEventListener("click", (event) => {
    const bar = barAt(event.target);
    if (bar === null) return;
    pin.press(bar, look);
    pin.rest(look);
  });
  bars.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    pin.release();
    look(null);
  });
}
