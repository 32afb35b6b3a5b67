// The photos of this visit. They live in this page alone and are gone with it.

import { Refused, patiently, read } from "./api.js";

const AT_ONCE = 2; // photos under way; the rest wait here, not in the server

// A file that this browser cannot open itself fails as if the server were silent.
async function unopened({ file, name }) {
  try {
    await file.slice(0, 1).arrayBuffer();
    return null;
  } catch {
    return `${name} cannot be opened. If it is a folder, choose the photos in it.`;
  }
}

// Events: "change" (detail: the photo), "idle" when all that was added is read.
export class Visit extends EventTarget {
  photos = [];
  options = { emotions: null, model: null };
  limits = { bytes: Infinity };
  #running = 0;
  #round = new AbortController(); // what is under way belongs to it

  add(files) {
    const added = [...files].map((file) => ({
      file,
      name: file.name || "pasted picture",
      state: "waiting",
      reading: null,
      reason: null,
      locked: false, // not read for want of a token
      url: URL.createObjectURL(file),
    }));
    this.photos.push(...added);
    // Sent first: drawing can wait.
    this.#pump();
    added.forEach((photo) => this.#tell(photo));
    return added;
  }

  // Read everything again, or one photo, with the options as they are now.
  again(photos = this.photos) {
    if (photos === this.photos) this.#endRound();
    for (const photo of photos) {
      Object.assign(photo, { state: "waiting", reading: null, reason: null, locked: false });
      this.#tell(photo);
    }
    this.#pump();
  }

  forget() {
    this.#endRound();
    for (const photo of this.photos) URL.revokeObjectURL(photo.url);
    this.photos = [];
  }

  get done() {
    return this.photos.filter((photo) => photo.state === "done" || photo.state === "failed").length;
  }

  // Readings of all photos that have one, unreadable ones too, as the command line writes them.
  readings() {
    return this.photos.filter((photo) => photo.reading !== null).map((photo) => photo.reading);
  }

  // Nothing of it is sent any more, not even what the server wanted later.
  #endRound() {
    this.#round.abort();
    this.#round = new AbortController();
  }

  #pump() {
    while (this.#running < AT_ONCE) {
      const next = this.photos.find((photo) => photo.state === "waiting");
      if (next === undefined) break;
      this.#running += 1;
      next.state = "reading";
      const reading = this.#read(next, this.#round.signal);
      this.#tell(next);
      reading.finally(() => {
        this.#running -= 1;
        this.#pump();
        if (this.#running === 0) this.dispatchEvent(new Event("idle"));
      });
    }
  }

  async #read(photo, signal) {
    const result = await this.#ask(photo, signal);
    // Options may have changed meanwhile, or the photo may be forgotten.
    if (signal.aborted) return;
    Object.assign(photo, result);
    this.#tell(photo);
  }

  async #ask(photo, signal) {
    if (photo.file.size > this.limits.bytes) {
      const reason = `${photo.name} is larger than ${this.limits.bytes / 1e6} MB; make it smaller first.`;
      return { state: "failed", reason, reading: null };
    }
    try {
      const reading = await patiently(() => read(photo.file, this.options, signal), signal);
      return { state: "done", reading, reason: null };
    } catch (error) {
      if (signal.aborted) return null;
      if (!(error instanceof Refused)) throw error;
      const reason = (await unopened(photo)) ?? error.message;
      return { state: "failed", reason, reading: null, locked: error.status === 401 };
    }
  }

  #tell(photo) {
    this.dispatchEvent(new CustomEvent("change", { detail: photo }));
  }
}
