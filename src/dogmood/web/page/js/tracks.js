// Dogs from frame to frame: who is who, and probabilities that do not flicker.

const SAME = 0.3; // least overlap (IoU) with where a dog was
const FORGET = 1.5; // seconds after which an unseen dog is gone
const CALM = 0.7; // time constant of probabilities, in seconds
const QUICK = 0.15; // of boxes

export class Tracks {
  #tracks = [];
  #next = 1;

  // Take the dogs of a frame read at `now` (seconds); return the dogs as they stand.
  update(dogs, now) {
    const free = new Set(dogs);
    for (const [track, dog] of pairs(this.#tracks, dogs)) {
      free.delete(dog);
      follow(track, dog, now);
    }
    for (const dog of free) {
      this.#tracks.push(begin(this.#next, dog, now));
      this.#next += 1;
    }
    this.#tracks = this.#tracks.filter((track) => now - track.seen <= FORGET);
    return this.#tracks.map(standing);
  }
}

// The best overlaps first, each track and each dog once.
function pairs(tracks, dogs) {
  const all = tracks.flatMap((track) => dogs.map((dog) => ({ track, dog, overlap: iou(track.box, dog.box) })));
  const taken = new Set();
  return all
    .filter(({ overlap }) => overlap >= SAME)
    .sort((a, b) => b.overlap - a.overlap)
    .filter(({ track, dog }) => !taken.has(track) && !taken.has(dog) && taken.add(track).add(dog))
    .map(({ track, dog }) => [track, dog]);
}

function begin(number, dog, now) {
  const emotions = Object.keys(dog.probabilities);
  return {
    number,
    seen: now,
    box: dog.box,
    last: dog,
    probabilities: { ...dog.probabilities },
    // How often, lately: each emotion was the sure one; it was in the set.
    sure: Object.fromEntries(emotions.map((emotion) => [emotion, Number(dog.sure && dog.emotion === emotion)])),
    set: Object.fromEntries(emotions.map((emotion) => [emotion, Number(dog.set.includes(emotion))])),
  };
}

function follow(track, dog, now) {
  const passed = Math.max(now - track.seen, 0);
  const share = 1 - Math.exp(-passed / CALM);
  const fresh = begin(track.number, dog, now);
  for (const key of ["probabilities", "sure", "set"]) {
    for (const [emotion, value] of Object.entries(fresh[key])) {
      const before = track[key][emotion] ?? value;
      fresh[key][emotion] = before + share * (value - before);
    }
  }
  const jump = 1 - Math.exp(-passed / QUICK);
  fresh.box = track.box.map((edge, i) => edge + jump * (dog.box[i] - edge));
  Object.assign(track, fresh);
}

function standing(track) {
  const ranked = Object.entries(track.probabilities).sort((a, b) => b[1] - a[1]);
  const [emotion, probability] = ranked[0];
  const set = ranked.map(([name]) => name).filter((name) => name === emotion || track.set[name] > 0.5);
  return {
    ...track.last,
    dog: track.number,
    box: track.box,
    emotion,
    probability,
    probabilities: track.probabilities,
    sure: track.sure[emotion] > 0.5,
    set,
  };
}

export function iou(a, b) {
  const wide = Math.min(a[2], b[2]) - Math.max(a[0], b[0]);
  const high = Math.min(a[3], b[3]) - Math.max(a[1], b[1]);
  const common = Math.max(wide, 0) * Math.max(high, 0);
  const area = (box) => (box[2] - box[0]) * (box[3] - box[1]);
  const union = area(a) + area(b) - common;
  return union > 0 ? common / union : 0;
}
