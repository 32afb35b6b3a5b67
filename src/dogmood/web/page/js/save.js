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
  for (const row of readings.flatMap(rows)) {
    lines.push(names.map((name) => cell(row[name], columns[name])).join(","));
  }
  return lines.map((line) => `${line}\r\n`).join("");
}

function rows(reading) {
  const common = {
    source: reading.source,
    status: reading.status,
    reason: reading.reason,
    width: reading.width,
    height: reading.height,
    model: reading.model.name,
    model_version: reading.model.version,
  };
  if (reading.dogs.length === 0) return [common];
  return reading.dogs.map(({ dog, emotion, probability, probabilities, sure, presence, set, box, head }) => ({
    ...common,
    ...{ dog, emotion, probability, ...probabilities, sure, presence, set: set.join(" ") },
    ...edges("box", box),
    ...edges("head", head ?? []),
  }));
}

function edges(name, box) {
  return Object.fromEntries(["x0", "y0", "x1", "y1"].map((edge, i) => [`${name}_${edge}`, box[i]]));
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
