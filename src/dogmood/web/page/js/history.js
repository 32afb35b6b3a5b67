// Past readings that the server keeps: a plain list, filtered there, a page at a time.

import { history } from "./api.js";
import { $, make } from "./dom.js";
import { capital, count, doubt, percent } from "./words.js";

const WHEN = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });

const LAST = Date.UTC(9999, 11, 31); // no later moment has a date of the usual form

// The start of a day as this browser's clock has it, some days on.
function midnight(date, daysOn = 0) {
  const [year, month, day] = date.split("-").map(Number);
  const moment = new Date(2000, month - 1, day + daysOn);
  moment.setFullYear(year + moment.getFullYear() - 2000);
  return new Date(Math.min(moment, LAST)).toISOString();
}

export class History {
  #colours;
  #next = null;
  #asked = {};
  #round = 0;

  constructor(colours) {
    this.#colours = colours;
    $("history-emotion").append(...Object.keys(colours).map((name) => make("option", { value: name }, capital(name))));
    $("history").addEventListener("toggle", () => this.refresh());
    $("history-form").addEventListener("submit", (event) => {
      event.preventDefault();
      this.refresh();
    });
    // The fields are empty only after this event.
    $("history-form").addEventListener("reset", () => setTimeout(() => this.refresh()));
    $("history-older").addEventListener("click", () => this.#older());
    $("history").hidden = false;
  }

  // Show the newest that fit; nothing is asked for while nobody looks.
  async refresh() {
    if (!$("history").open) return;
    this.#asked = this.#wanted();
    const answer = await this.#ask({});
    if (answer === null) return;
    $("history-list").replaceChildren(...answer.readings.map((entry) => this.#item(entry)));
    this.#say();
  }

  async #older() {
    const answer = await this.#ask({ before: this.#next });
    if (answer === null) return;
    const added = answer.readings.map((entry) => this.#item(entry));
    $("history-list").append(...added);
    this.#say();
    // The button may be gone, and with it the place of whoever uses the keyboard.
    if (this.#next === null) added[0]?.focus();
  }

  #wanted() {
    const wanted = {};
    if ($("history-since").value) wanted.since = midnight($("history-since").value);
    if ($("history-until").value) wanted.until = midnight($("history-until").value, 1);
    if ($("history-emotion").value) wanted.emotion = $("history-emotion").value;
    if ($("history-source").value.trim()) wanted.source = $("history-source").value.trim();
    return wanted;
  }

  // Return an answer, or null where a later question has been asked or there is none.
  async #ask(more) {
    this.#round += 1;
    const round = this.#round;
    try {
      const answer = await history({ ...this.#asked, ...more });
      if (round !== this.#round) return null;
      this.#next = answer.next;
      return answer;
    } catch (error) {
      if (round === this.#round) $("history-said").textContent = error.message;
      return null;
    }
  }

  #say() {
    const shown = $("history-list").children.length;
    $("history-older").hidden = this.#next === null;
    if (shown > 0) {
      const older = this.#next === null ? "" : "; there are older ones";
      $("history-said").textContent = `${count(shown, "reading")}, newest first${older}.`;
    } else {
      const filtered = Object.keys(this.#asked).length > 0;
      $("history-said").textContent = filtered ? "No reading fits." : "Nothing has been read yet.";
    }
  }

  #item({ stored, reading }) {
    const time = make("time", { className: "soft" }, WHEN.format(new Date(stored)));
    time.dateTime = stored;
    const at = reading.time === undefined ? "" : ` at ${reading.time.toFixed(1)} s`;
    return make(
      "li",
      { className: "entry", tabIndex: -1 },
      time,
      make("span", { className: "source" }, `${reading.source}${at}`),
      make("span", { className: "found" }, ...this.#found(reading)),
      make("span", { className: "soft model" }, `${reading.model.name} ${reading.model.version}`),
    );
  }

  #found(reading) {
    if (reading.status === "unreadable") return [make("span", { className: "soft" }, reading.reason)];
    if (reading.status === "no_dog") return [make("span", { className: "soft" }, "no dog")];
    return reading.dogs.map((dog) =>
      make(
        "span",
        { className: "past-dog" },
        make("span", { className: "dot", style: { "--colour": this.#colours[dog.emotion] ?? "transparent" }, "aria-hidden": "true" }),
        `${capital(dog.emotion)} ${percent(dog.probability)} `,
        make("span", { className: dog.sure ? "badge sure" : "badge" }, doubt(dog)),
      ),
    );
  }
}
