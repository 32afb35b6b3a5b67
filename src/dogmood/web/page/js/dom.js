// Making elements. Text is always text: nothing a photo is called becomes markup.

export const $ = (id) => document.getElementById(id);

export function make(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name === "style") {
      for (const [key, one] of Object.entries(value)) element.style.setProperty(key, one);
    } else if (name.startsWith("aria-") || name.startsWith("data-") || name === "role" || name === "for") {
      element.setAttribute(name, value);
    } else {
      element[name] = value;
    }
  }
  element.append(...children.filter((child) => child !== null));
  return element;
}

let nextId = 0;

export function freshId(what) {
  nextId += 1;
  return `${what}-${nextId}`;
}

// Twice the same sentence should be heard twice: it is taken away first.
export function say(sentence) {
  const said = $("said");
  said.textContent = "";
  requestAnimationFrame(() => {
    said.textContent = sentence;
  });
}
