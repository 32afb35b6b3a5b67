// Talking to the server that this page came from, and to nobody else.

const KEY = "dogmood-token";
const SENDABLE = /^[\x20-\x7e]*$/; // what a header can carry
const MOST_TRIES = 30;

// Event: "locked" where the server asks for a token, or for another one.
export const access = new EventTarget();

// A sentence for a person: the server's own, or what we make of silence.
export class Refused extends Error {
  constructor(sentence, status = 0, more = {}) {
    super(sentence);
    this.status = status;
    this.retryAfter = more.retryAfter ?? null;
  }
}

// The address that the server prints holds the token behind "#": it goes no further
// than this tab, and leaves the address bar at once.
export function takeTokenFromAddress() {
  const given = new URLSearchParams(location.hash.slice(1)).get("token");
  if (given !== null) {
    sessionStorage.setItem(KEY, given);
    window.history.replaceState(null, "", location.pathname + location.search);
  }
}

export function setToken(token) {
  sessionStorage.setItem(KEY, token);
}

export async function model() {
  return ask("/v1/model");
}

export async function version() {
  return (await ask("/v1/health")).version;
}

// Past readings. Wanted: since, until (ISO 8601), emotion, source, before (all optional).
export async function history(wanted) {
  return ask(`/v1/history?${new URLSearchParams(wanted)}`);
}

// Options: explain, keep (booleans), emotions (a list, or null for all), model (a name or null).
export async function read(photo, options, signal) {
  const query = chosen(photo, options);
  query.set("explain", options.explain ?? true);
  query.set("keep", options.keep ?? true);
  query.set("lenient", true); // a broken file is a reading too: "unreadable", and why
  return ask(`/v1/read?${query}`, { method: "POST", body: photo, signal });
}

// The annotated picture, drawn by the code that `dogmood read --explain` draws with.
export async function picture(photo, options, plain = false, signal = null) {
  const query = chosen(photo, options);
  query.set("plain", plain);
  return ask(`/v1/picture?${query}`, { method: "POST", body: photo, signal }, "blob");
}

// Ask until the server has a place free, as often as is sensible.
export async function patiently(asking, signal) {
  for (let tries = 1; ; tries += 1) {
    signal.throwIfAborted();
    try {
      return await asking();
    } catch (error) {
      if (error.status !== 429 || tries === MOST_TRIES) throw error;
      await pause(error.retryAfter, signal);
    }
  }
}

// Wait as long as the server said, but no longer than somebody wants to know.
export function pause(seconds, signal) {
  return new Promise((resolve) => {
    setTimeout(resolve, 1000 * (seconds ?? 1));
    signal.addEventListener("abort", resolve, { once: true });
  });
}

function chosen(photo, { emotions = null, model: wanted = null }) {
  const query = new URLSearchParams();
  // Not in a form: there, browsers rewrite the quotes in a file's name.
  if (photo.name) query.set("name", photo.name);
  if (emotions !== null) query.set("emotions", emotions.join(","));
  if (wanted !== null) query.set("model", wanted);
  return query;
}

// Return the body of an answer: "json" or "blob".
async function ask(path, request = {}, form = "json") {
  const token = sessionStorage.getItem(KEY);
  if (token !== null && !SENDABLE.test(token)) {
    sessionStorage.removeItem(KEY);
    throw locked();
  }
  const headers = token === null ? {} : { Authorization: `Bearer ${token}` };
  // What a file is, its bytes say; what the system takes it for may be anything.
  if (request.body) headers["Content-Type"] = "application/octet-stream";
  let answer;
  try {
    answer = await fetch(path, { ...request, headers });
    // Within the try: an answer can still break off after its header.
    if (answer.ok) return await answer[form]();
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Refused("The server does not answer. Is dogmood still running? Then try again.");
  }
  if (answer.status === 401) {
    // Meanwhile a person may have entered the right one.
    if (token !== sessionStorage.getItem(KEY)) return ask(path, request, form);
    throw locked();
  }
  let told = {};
  try {
    told = await answer.json();
  } catch {
    // An answer without JSON: the status must do.
  }
  throw new Refused(told.detail ?? `The server answered with ${answer.status}.`, answer.status, {
    retryAfter: Number(answer.headers.get("Retry-After")) || null,
  });
}

function locked() {
  access.dispatchEvent(new Event("locked"));
  return new Refused("This server asks for a token: enter it above.", 401);
}
