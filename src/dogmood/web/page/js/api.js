// Talking to the server that this page came from, and to nobody else.

const KEY = "dogmood-token";

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
  return (await ask("/v1/model")).json();
}

export async function version() {
  return (await (await ask("/v1/health")).json()).version;
}

// Past readings. Wanted: since, until (ISO 8601), emotion, source, before (all optional).
export async function history(wanted) {
  return (await ask(`/v1/history?${new URLSearchParams(wanted)}`)).json();
}

// Options: explain, keep (booleans), emotions (a list, or null for all), model (a name or null).
export async function read(photo, options, signal) {
  const query = chosen(photo, options);
  query.set("explain", options.explain ?? true);
  query.set("keep", options.keep ?? true);
  query.set("lenient", true); // a broken file is a reading too: "unreadable", and why
  return (await ask(`/v1/read?${query}`, { method: "POST", body: photo, signal })).json();
}

// The annotated picture, drawn by the code that `dogmood read --explain` draws with.
export async function picture(photo, options, plain = false) {
  const query = chosen(photo, options);
  query.set("plain", plain);
  return (await ask(`/v1/picture?${query}`, { method: "POST", body: photo })).blob();
}

function chosen(photo, { emotions = null, model: wanted = null }) {
  const query = new URLSearchParams();
  // Not in a form: there, browsers rewrite the quotes in a file's name.
  if (photo.name) query.set("name", photo.name);
  if (emotions !== null) query.set("emotions", emotions.join(","));
  if (wanted !== null) query.set("model", wanted);
  return query;
}

async function ask(path, request = {}) {
  const token = sessionStorage.getItem(KEY);
  const headers = token === null ? {} : { Authorization: `Bearer ${token}` };
  // What a file is, its bytes say; what the system takes it for may be anything.
  if (request.body) headers["Content-Type"] = "application/octet-stream";
  let answer;
  try {
    answer = await fetch(path, { ...request, headers });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Refused("The server does not answer. Is dogmood still running? Then try again.");
  }
  if (answer.ok) return answer;
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
