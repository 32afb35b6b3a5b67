// Readings and pictures to files, in the forms that the command line writes.

// The added maps stay out: a file of readings holds what `dogmood read --out` writes.
function plain(reading) {
  return { ...reading, dogs: reading.dogs.map(({ saliency, ...dog }) => dog) };
}

export function jsonText(readings) {
  if (readings.length === 0) return "[]\n";
  return `[\n${readings.map((reading) => JSON.stringify(plain(reading))).join(",\n")}\n]\n`;
}

// `columns` names each column and its type, in order, as reading.COLUMNS does.
export function csvText(readings, columns) {
  const names = Object.keys(columns);
  const lines = [names.join(",")];
  for (const reading of readings) {
    for (const dog of reading.dogs.length > 0 ? reading.dogs : [null]) {
      lines.push(names.map((name) => cell(valueOf(name, reading, dog), columns[name])).join(","));
    }
  }
  return lines.map((line) => `${line}\r\n`).join("");
}

const EDGES = ["x0", "y0", "x1", "y1"];

// What a column holds of a reading and one of its dogs, null where it has none.  Most
// are keys of the dog or of the reading; the others are named here.
function valueOf(name, reading, dog) {
  if (name === "model") return reading.model.name;
  if (name === "model_version") return reading.model.version;
  if (name === "dogs") return reading.dogs.length;
  if (dog === null) return reading[name];
  if (name === "set") return dog.set.join(" ");
  if (name in dog.probabilities) return dog.probabilities[name];
  const [, part, edge] = /^(box|head)_(..)$/.exec(name) ?? [];
  if (part) return dog[part]?.[EDGES.indexOf(edge)];
  if (name.startsWith("looked_at_")) return dog.looked_at?.[dog.emotion]?.[name.slice("looked_at_".length)];
  return dog[name] ?? reading[name];
}

function cell(value, kind) {
  if (value === undefined || value === null) return "";
  if (kind === "bool") return value ? "True" : "False";
  if (kind === "float") return Number.isInteger(value) ? value.toFixed(1) : String(value);
  const text = String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

export function saveText(text, name, type) {
  saveBlob(new Blob([text], { type }), name);
}

export function saveBlob(blob, name) {
  const url = URL.createObjectURL(blob);
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  // The browser takes the file up by itself; a minute is plenty.
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}
