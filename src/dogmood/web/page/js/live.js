// Reading what the webcam sees: always the newest frame, one at a time. While one is
// being read the others pass by unread, so nothing ever piles up.

import { Refused, pause, read } from "./api.js";
import { Pin, dogPanel, updatePanel } from "./bars.js";
import { $, make, say } from "./dom.js";
import { Frame } from "./frame.js";
import { Tracks } from "./tracks.js";
import { doubt, percent } from "./words.js";

const SIDE = 640; // pixels of a frame's long side, as sent
const QUIET = 5; // least seconds between two things said to a screen reader

export class Live {
  #running = null; // the AbortController of the loop under way
  #panels = new Map();
  #pin = new Pin();
  #looking = { dog: null, emotion: null };
  #said = { words: "", at: -Infinity };

  constructor(camera, colours, options) {
    this.camera = camera;
    this.colours = colours;
    this.options = options;
    this.frame = new Frame($("live-frame"), colours);
  }

  get running() {
    return this.#running !== null;
  }

  // Read until `stop`; throws an Error with a sentence where that cannot go on.
  async run() {
    const stopped = new AbortController();
    this.#running = stopped;
    const tracks = new Tracks();
    this.#clear();
    let before = null;
    try {
      while (!stopped.signal.aborted) {
        await visible();
        const image = await this.camera.frame(SIDE);
        const now = performance.now() / 1000;
        const reading = await this.#read(image, stopped.signal);
        if (stopped.signal.aborted) break;
        if (reading === null) continue;
        this.#draw(reading, tracks.update(reading.dogs, now));
        if (before !== null) this.#tellRate(now - before);
        before = now;
      }
    } catch (error) {
      if (!stopped.signal.aborted) throw error;
    } finally {
      this.#clear();
    }
  }

  stop() {
    this.#running?.abort();
    this.#running = null;
  }

  async #read(image, signal) {
    const explain = this.#looking.emotion !== null;
    try {
      return await read(image, { ...this.options, explain, keep: false }, signal);
    } catch (error) {
      if (!(error instanceof Refused) || error.status !== 429) throw error;
      await pause(error.retryAfter, signal);
      return null; // that frame is dropped
    }
  }

  #draw(reading, dogs) {
    this.frame.setSize(reading.width, reading.height);
    this.frame.drawBoxes(dogs);
    const { dog, emotion } = this.#looking;
    this.frame.show(dogs.find((one) => one.dog === dog) ?? null, emotion);
    const here = new Set(dogs.map((one) => one.dog));
    for (const [number, panel] of this.#panels) {
      if (here.has(number)) continue;
      panel.remove();
      this.#panels.delete(number);
      if (dog === number) this.#looking = { dog: null, emotion: null };
    }
    for (const one of dogs) this.#panel(one);
    $("live-none").hidden = dogs.length > 0;
    this.#speak(dogs);
  }

  #panel(dog) {
    const { dog: number } = dog;
    const known = this.#panels.get(number);
    // Other emotions may have been chosen meanwhile.
    const names = Object.keys(dog.probabilities).join();
    if (known && known.dataset.emotions !== names) {
      known.remove();
      this.#panels.delete(number);
      if (this.#looking.dog === number) this.#looking = { dog: null, emotion: null };
    }
    if (!this.#panels.has(number)) {
      const look = (emotion) => {
        this.#looking = { dog: number, emotion };
        if (emotion === null) this.frame.show(null, null);
      };
      // In the order of the emotions, since bars that change places cannot be followed.
      const panel = dogPanel(dog, this.colours, look, this.#pin, Object.keys(dog.probabilities));
      panel.dataset.emotions = names;
      this.#panels.set(number, panel);
      $("live-dogs").append(panel);
    }
    updatePanel(this.#panels.get(number), dog, this.colours);
  }

  #tellRate(seconds) {
    this.pace = this.pace === undefined ? seconds : 0.8 * this.pace + 0.2 * seconds;
    $("rate").textContent =
      this.pace < 1 ? `${(1 / this.pace).toFixed(1)} readings a second` : `one reading every ${this.pace.toFixed(1)} s`;
  }

  #speak(dogs) {
    const words = dogs.map((dog) => `Dog ${dog.dog}: ${dog.emotion}, ${doubt(dog)}`).join(". ") || "No dog in view";
    const now = performance.now() / 1000;
    if (words === this.#said.words || now - this.#said.at < QUIET) return;
    this.#said = { words, at: now };
    say(`${words}${dogs.length === 1 ? `, ${percent(dogs[0].probability)}` : ""}.`);
  }

  #clear() {
    this.#panels.clear();
    this.#looking = { dog: null, emotion: null };
    this.frame.drawBoxes([]);
    this.frame.show(null, null);
    $("rate").textContent = "";
    $("live-dogs").replaceChildren(
      make("section", { className: "card calm", id: "live-none" }, make("h3", {}, "No dog in view"), make("p", {}, "Point the webcam at a dog.")),
    );
  }
}

// A page that nobody looks at reads nothing.
function visible() {
  if (!document.hidden) return Promise.resolve();
  return new Promise((resolve) => {
    document.addEventListener("visibilitychange", () => resolve(), { once: true });
  });
}
