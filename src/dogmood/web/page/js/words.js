// Readings in words.

export function percent(share) {
  return `${(share * 100).toFixed(1)} %`;
}

export function capital(word) {
  return word.charAt(0).toUpperCase() + word.slice(1);
}

export function sorted(dog) {
  return Object.entries(dog.probabilities).sort((a, b) => b[1] - a[1]);
}

// The conformal set: the emotions that cannot be ruled out at 90 %.
export function possible(dog) {
  if (dog.set.length === 1) return `At 90 %, everything but ${dog.set[0]} is ruled out.`;
  if (dog.set.length === Object.keys(dog.probabilities).length) return "At 90 %, nothing can be ruled out.";
  return `At 90 %, still possible: ${either(dog.set)}.`;
}

export function either(words) {
  return words.length < 2 ? words.join("") : `${words.slice(0, -1).join(", ")} or ${words.at(-1)}`;
}

export function doubt(dog) {
  return dog.sure ? "sure" : "not sure";
}

export function count(number, one, many = `${one}s`) {
  return `${number} ${number === 1 ? one : many}`;
}

// Where the network looked for an emotion: in words too, where the reading has them.
export function lookedAt(dog, emotion) {
  const shares = Object.entries(dog.looked_at?.[emotion] ?? {}).sort((a, b) => b[1] - a[1]);
  const most = shares.slice(0, 2).map(([part, share]) => `${Math.round(share * 100)} % ${part.replaceAll("_", " ")}`);
  return [`where it looked for ${emotion}`, ...(most.length > 0 ? [most.join(", ")] : [])].join(": ");
}

// One line about a whole photo, for lists and for screen readers.
export function summary(reading) {
  if (reading.status === "unreadable") return "cannot be read";
  if (reading.status === "no_dog") return "no dog";
  return reading.dogs.map((dog) => `${dog.emotion}, ${doubt(dog)}`).join("; ");
}

export function spoken(reading) {
  if (reading.status === "unreadable") return reading.reason;
  if (reading.status === "no_dog") return `${reading.source}: no dog found.`;
  const dogs = reading.dogs.map(
    (dog) => `Dog ${dog.dog}: ${dog.emotion}, ${percent(dog.probability)}, ${doubt(dog)}. ${possible(dog)}`,
  );
  return `${reading.source}: ${count(reading.dogs.length, "dog")}. ${dogs.join(" ")}`;
}
