// One photo, large, with everything read from it.

import { picture } from "./api.js";
import { dogPanel } from "./bars.js";
import { make } from "./dom.js";
import { Frame } from "./frame.js";
import { count } from "./words.js";

// Return what the stage shows of a photo. `again` reads it once more.
export function staged(photo, colours, options, again) {
  const { reading } = photo;
  const image = make("img", { src: photo.url, alt: alternative(photo), decoding: "async" });
  const holder = make("div", { className: "frame" }, image);
  const frame = new Frame(holder, colours);
  image.addEventListener("load", () => {
    if (reading === null || reading.status === "unreadable") frame.setSize(image.naturalWidth, image.naturalHeight);
  });
  image.addEventListener("error", () => inPlaceOf(image, photo, options), { once: true });
  if (reading !== null && reading.width) {
    frame.setSize(reading.width, reading.height);
    frame.drawBoxes(reading.dogs);
  }
  const caption = [photo.name];
  if (reading?.width) caption.push(`${reading.width} × ${reading.height}`, `model ${reading.model.name} ${reading.model.version}`);
  return [
    make("figure", { className: "photo" }, holder, make("figcaption", { className: "soft" }, caption.join(" · "))),
    make("div", { className: "dogs" }, ...told(photo, colours, frame, again)),
  ];
}

function told(photo, colours, frame, again) {
  if (photo.state === "failed") {
    const button = make("button", { type: "button", className: "button" }, "Try again");
    button.addEventListener("click", again);
    return [card("This photo was not read", photo.reason, button)];
  }
  if (photo.reading === null) return [make("section", { className: "card calm busy" }, make("p", {}, "Reading …"))];
  if (photo.reading.status === "unreadable") return [card("This file cannot be read", photo.reading.reason)];
  if (photo.reading.status === "no_dog") {
    return [card("No dog here", "dogmood found no dog in this photo. Cats, toys and people are not read.")];
  }
  return photo.reading.dogs.map((dog) => dogPanel(dog, colours, (emotion) => frame.show(dog, emotion)));
}

function card(title, words, ...more) {
  return make("section", { className: "card calm" }, make("h3", {}, title), make("p", {}, words), ...more);
}

function alternative(photo) {
  if (photo.reading === null) return photo.name;
  return photo.reading.status === "read" ? `${photo.name}, ${count(photo.reading.dogs.length, "dog")}` : photo.name;
}

// Some pictures this browser cannot draw (HEIC, TIFF): the server can.
async function inPlaceOf(image, photo, options) {
  if (photo.reading?.status === "unreadable" || photo.state === "failed") {
    image.closest(".photo").classList.add("blank");
    return;
  }
  try {
    const url = URL.createObjectURL(await picture(photo.file, options, true));
    image.addEventListener("error", () => image.closest(".photo")?.classList.add("blank"), { once: true });
    image.src = url;
    URL.revokeObjectURL(photo.url);
    photo.url = url;
  } catch {
    image.closest(".photo")?.classList.add("blank");
  }
}
