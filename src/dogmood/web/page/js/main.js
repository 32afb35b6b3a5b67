// The page: what comes in (drop, paste, choose, webcam), and what is shown of it.

import * as api from "./api.js";
import { Camera } from "./camera.js";
import { $, make, say } from "./dom.js";
import { History } from "./history.js";
import { Live } from "./live.js";
import { csvText, jsonText, saveBlob, saveText } from "./save.js";
import { Stage } from "./stage.js";
import { Strip } from "./strip.js";
import { Visit } from "./visit.js";
import { capital, count, spoken } from "./words.js";

const visit = new Visit();
const camera = new Camera($("video"));
let server = null; // what /v1/model says
let strip = null;
let stage = null;
let live = null;
let past = null; // where the server keeps a history
let current = null; // the photo on the stage
const batch = new Set(); // what is read since all was read last
let reread = false; // whether any of it was read before

function trouble(sentence) {
  $("trouble").textContent = sentence ?? "";
  $("trouble").hidden = !sentence;
}

// --- what comes in -----------------------------------------------------------

function take(files) {
  if (files.length === 0 || server === null) return;
  trouble(null);
  const added = visit.add(files);
  for (const photo of added) batch.add(photo);
  document.body.classList.add("working");
  $("results").hidden = false;
  show(added[0]);
  say(added.length === 1 ? `Reading ${added[0].name}.` : `Reading ${added.length} photos.`);
}

$("files").addEventListener("change", (event) => {
  take([...event.target.files]);
  event.target.value = ""; // so that the same photo can be chosen again
});

document.addEventListener("paste", (event) => {
  const files = [...(event.clipboardData?.files ?? [])];
  if (files.length > 0) {
    event.preventDefault();
    take(files);
  }
});

const carriesFiles = (event) => [...(event.dataTransfer?.types ?? [])].includes("Files");

document.addEventListener("dragover", (event) => {
  if (!carriesFiles(event)) return;
  event.preventDefault();
  $("drop-cover").hidden = false;
});
document.addEventListener("dragleave", (event) => {
  if (event.relatedTarget === null) $("drop-cover").hidden = true;
});
document.addEventListener("drop", (event) => {
  $("drop-cover").hidden = true;
  if (!carriesFiles(event)) return;
  event.preventDefault();
  take([...event.dataTransfer.files]);
});

// --- what is shown -----------------------------------------------------------

function show(photo) {
  current = photo;
  stage.show(photo);
  strip.mark(photo);
  $("save-picture").disabled = !photo.reading?.width;
}

visit.addEventListener("change", ({ detail: photo }) => {
  strip.update(photo);
  if (photo === current) show(photo);
  const all = visit.photos.length;
  $("progress").textContent = visit.done < all ? `${visit.done} of ${all} read` : count(all, "photo");
  for (const id of ["save-csv", "save-json"]) $(id).disabled = visit.readings().length === 0;
});

visit.addEventListener("idle", () => {
  const done = [...batch].filter((photo) => visit.photos.includes(photo));
  if (done.length === 1) say(told(done[0]));
  // What changed is the verdict that is in view.
  else if (done.length > 1) say(reread ? `${together(done)} ${told(current)}` : together(done));
  batch.clear();
  reread = false;
  past?.refresh();
});

function told(photo) {
  return photo.reading ? spoken(photo.reading) : photo.reason;
}

function together(photos) {
  const having = (status) => photos.filter((photo) => (photo.reading?.status ?? "unreadable") === status).length;
  const parts = [`${having("read")} with a dog`, `${having("no_dog")} without`];
  if (having("unreadable") > 0) parts.push(`${having("unreadable")} that cannot be read`);
  return `${count(photos.length, "photo")} read: ${parts.join(", ")}.`;
}

// --- saving ------------------------------------------------------------------

$("save-json").addEventListener("click", () => saveText(jsonText(visit.readings()), "dogmood.json", "application/json"));
$("save-csv").addEventListener("click", () => saveText(csvText(visit.readings(), server.columns), "dogmood.csv", "text/csv"));
$("save-picture").addEventListener("click", async () => {
  const { file, name } = current;
  try {
    saveBlob(await api.picture(file, visit.options), `${name}.png`);
  } catch (error) {
    trouble(error.message);
  }
});
$("clear").addEventListener("click", () => {
  visit.forget();
  strip.clear();
  batch.clear();
  reread = false;
  current = null;
  stage.clear();
  $("results").hidden = true;
  if (!live.running) document.body.classList.remove("working");
  say("All photos of this visit are forgotten.");
  $("files").focus();
});

// --- the webcam --------------------------------------------------------------

$("use-camera").addEventListener("click", async () => {
  trouble(null);
  $("use-camera").disabled = true;
  try {
    await camera.start();
    $("live").hidden = false;
    document.body.classList.add("working");
    $("stop-camera").focus();
    await live.run();
    leaveCamera();
  } catch (error) {
    trouble(error.message);
    // The webcam's buttons go, and with them the place of whoever was on one.
    const lost = [$("stop-camera"), $("take"), document.body].includes(document.activeElement);
    leaveCamera();
    if (lost) $("use-camera").focus();
  }
});

$("stop-camera").addEventListener("click", () => {
  live.stop();
  leaveCamera();
  $("use-camera").focus();
});

$("take").addEventListener("click", async () => {
  const now = new Date().toISOString().slice(0, 19).replaceAll(":", "-");
  try {
    take([new File([await camera.frame()], `webcam-${now}.jpg`, { type: "image/jpeg" })]);
  } catch (error) {
    trouble(error.message);
  }
});

function leaveCamera() {
  live.stop();
  camera.stop();
  $("live").hidden = true;
  $("use-camera").disabled = false;
  if (visit.photos.length === 0) document.body.classList.remove("working");
}

// --- options -----------------------------------------------------------------

function offerOptions() {
  for (const emotion of Object.keys(server.emotions)) {
    const box = make("input", { type: "checkbox", value: emotion, checked: true, id: `choose-${emotion}` });
    const swatch = make("span", { className: "dot", style: { "--colour": server.emotions[emotion] }, "aria-hidden": "true" });
    $("emotion-choice").append(make("label", { for: box.id }, box, swatch, capital(emotion)));
  }
  $("model-choice").replaceChildren(...server.models.map((name) => make("option", { value: name }, name)));
  $("model-line").hidden = server.models.length < 2;
  $("options").addEventListener("change", changeOptions);
}

function changeOptions(event) {
  const boxes = [...$("emotion-choice").querySelectorAll("input")];
  const emotions = boxes.filter((box) => box.checked).map((box) => box.value);
  if (emotions.length < 2) {
    event.target.checked = true;
    say("At least two emotions are needed.");
    return;
  }
  visit.options.emotions = emotions.length === boxes.length ? null : emotions;
  visit.options.model = $("model-choice").selectedIndex > 0 ? $("model-choice").value : null;
  readAgain(visit.photos);
}

function readAgain(photos) {
  for (const photo of photos) batch.add(photo);
  reread ||= photos.length > 0;
  visit.again(photos);
}

// --- the start ---------------------------------------------------------------

// A finger drops and pastes nothing.
if (matchMedia("(hover: none)").matches) {
  $("intake-title").textContent = "Photos of dogs, please";
  $("intake-words").textContent = "Each dog gets its own reading.";
}

// The first time, and whenever a person has entered a token.
async function begin(entered = false) {
  try {
    server = await api.model();
  } catch (error) {
    // What is asked for first needs no reproach.
    if (error.status !== 401) trouble(error.message);
    else if (entered) trouble("That is not the token; try again.");
    return;
  }
  $("ask-token").hidden = true;
  $("intake").hidden = false;
  trouble(null);
  if (entered) $("files").focus();
  if (stage === null) await setUp();
  else goOn();
}

async function setUp() {
  visit.limits = server.limits;
  strip = new Strip($("strip"), server.emotions, show);
  stage = new Stage($("stage"), server.emotions, visit.options, (photo) => readAgain([photo]));
  live = new Live(camera, server.emotions, visit.options);
  offerOptions();
  if (server.history) past = new History(server.emotions);
  $("privacy").textContent = privacy();
  document.body.classList.add("ready");
  $("version").textContent = `· dogmood ${await api.version()}`;
}

function privacy() {
  const here = ["localhost", "127.0.0.1", "[::1]"].includes(location.hostname);
  const where = here ? "Photos never leave this machine" : "Photos go to the machine that serves this page and no further";
  const readings = server.history ? ", and readings in a database" : "";
  if (server.keeps) return `${where}; it keeps them in the folder it was started with${readings}.`;
  return server.history ? `${where}; readings are stored, photos are not.` : `${where}, and nothing is stored.`;
}

// After a token that was asked for amid the visit: whatever was refused, once more.
function goOn() {
  readAgain(visit.photos.filter((photo) => photo.locked));
  if (current !== null) show(current); // its picture may be what was refused
  past?.refresh();
}

api.access.addEventListener("locked", () => {
  $("intake").hidden = true;
  $("ask-token").hidden = false;
  $("token").focus();
});

$("ask-token").addEventListener("submit", (event) => {
  event.preventDefault();
  api.setToken($("token").value.trim());
  begin(true);
});

api.takeTokenFromAddress();
begin();
