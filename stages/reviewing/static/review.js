// The review page: scrub the annotated video, choose people in it, and send what is wrong to the server.
// A choice is a track in a frame; the server finds the box that it names.

const $ = (id) => document.getElementById(id);
const video = $("video"), overlay = $("overlay");
const NUM_CHOSEN = { same: 2, different: 2, cut: 1, delete: 1, rename: 1 };
const KEYS = { s: "same", d: "different", c: "cut", x: "delete" };
let scene = null; // what the server knows of the sequence
let byFrame = []; // frame -> [{person, k}]
let chosen = []; // up to two {person, k}
let frame = 0;
let polling = false;

const label = (person) => person.name || String(person.number);
const shown = (choice) => `${label(choice.person)}@${choice.person.frames[choice.k]}`;

function say(text, bad = false) {
  $("message").textContent = text;
  $("message").classList.toggle("bad", bad);
}

async function ask(path, body) {
  const options = body === undefined ? {} : {
    method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body),
  };
  const answer = await fetch(path, options);
  const type = answer.headers.get("content-type") || "";
  const value = type.startsWith("application/json") ? await answer.json() : { detail: await answer.text() };
  if (!answer.ok) throw new Error(typeof value.detail === "string" ? value.detail : JSON.stringify(value.detail));
  return value;
}

// Runs what may fail, and says so where it does.
async function trying(work) {
  try {
    return await work();
  } catch (error) {
    say(error.message, true);
    return undefined;
  }
}

const addressOf = (name, tail = "") => `/api/sequences/${encodeURIComponent(name)}${tail}`;
const address = (tail) => addressOf(scene.sequence, tail);

async function open(name, at = 0) {
  try {
    scene = await ask(addressOf(name));
  } catch (error) { // a run that stopped in between leaves nothing to see: the row that stopped it can be undone
    const { file, rows } = await ask(addressOf(name, "/corrections"));
    showRows(name, file, rows);
    throw error;
  }
  byFrame = Array.from({ length: scene.num_frames }, () => []);
  for (const person of scene.people) person.frames.forEach((f, k) => byFrame[f].push({ person, k }));
  chosen = [];
  $("scrub").max = $("frame").max = Math.max(0, scene.num_frames - 1);
  overlay.width = scene.width_px;
  overlay.height = scene.height_px;
  video.src = `${address("/video")}?opened=${Date.now()}`; // browsers show a video again for minutes without asking
  video.load();
  location.hash = encodeURIComponent(name);
  showPeople();
  goTo(Math.min(at, scene.num_frames - 1)); // before the next wait, in which somebody may go elsewhere
  await showCorrections();
}

function goTo(wanted) {
  if (!scene) return;
  frame = Math.max(0, Math.min(scene.num_frames - 1, Math.round(wanted) || 0));
  video.pause();
  video.currentTime = (frame + 0.5) / scene.fps; // the middle, so that rounding lands in no other frame
  show();
}

function show() {
  if (!scene) return;
  $("scrub").value = frame;
  if (document.activeElement !== $("frame")) $("frame").value = frame;
  $("time").textContent = `${(frame / scene.fps).toFixed(2)} s of ${(scene.num_frames / scene.fps).toFixed(2)} s`;
  draw();
  showPresent();
  showChosen();
}

function isChosen({ person, k }) {
  return chosen.some((choice) => choice.person === person && choice.k === k);
}

function draw() {
  const pen = overlay.getContext("2d");
  pen.clearRect(0, 0, overlay.width, overlay.height);
  const unit = Math.max(1, overlay.height / 360);
  for (const there of byFrame[frame] || []) {
    const of = chosen.findIndex((choice) => choice.person === there.person);
    if (of < 0) continue;
    const [x1, y1, x2, y2] = there.person.boxes[there.k];
    pen.lineWidth = (isChosen(there) ? 3.5 : 2) * unit;
    pen.setLineDash(there.person.tracked[there.k] ? [] : [6 * unit, 4 * unit]);
    for (const [color, wider] of [["#000", 2 * unit], [of ? "#ffb000" : "#00e5ff", 0]]) {
      pen.strokeStyle = color;
      pen.lineWidth += wider;
      pen.strokeRect(x1, y1, x2 - x1, y2 - y1);
      pen.lineWidth -= wider;
    }
  }
}

function choose(choice) {
  const at = chosen.findIndex((other) => other.person === choice.person && other.k === choice.k);
  if (at >= 0) chosen.splice(at, 1);
  else chosen = [...chosen.slice(-1), choice];
  show();
}

function button(text, press, pressed) {
  const made = document.createElement("button");
  made.type = "button";
  made.textContent = text;
  made.addEventListener("click", press);
  if (pressed !== undefined) made.setAttribute("aria-pressed", pressed);
  return made;
}

function showPresent() {
  const focused = [...$("present").children].indexOf(document.activeElement);
  const there = [...(byFrame[frame] || [])].sort((a, b) => a.person.number - b.person.number);
  $("present").replaceChildren(...there.map((choice) => {
    const filled = choice.person.tracked[choice.k] ? "" : " (filled in)";
    return button(label(choice.person) + filled, () => choose(choice), isChosen(choice));
  }));
  if (!there.length) $("present").textContent = "Nobody.";
  if (focused >= 0) $("present").children[Math.min(focused, there.length - 1)]?.focus();
}

function showChosen() {
  $("chosen").textContent = chosen.length
    ? chosen.map(shown).join(" and ")
    : "Choose a person in the picture or below it, then another in any frame.";
  for (const element of document.querySelectorAll("[data-action]")) {
    element.disabled = chosen.length !== NUM_CHOSEN[element.dataset.action];
  }
  $("rename").querySelector("[type=submit]").disabled = chosen.length !== 1;
}

function showPeople() {
  $("people").replaceChildren(...scene.people.map((person) => {
    const row = document.createElement("tr");
    const name = document.createElement("th");
    name.scope = "row";
    name.append(button(label(person), () => { goTo(person.frames[0]); choose({ person, k: 0 }); }));
    const frames = document.createElement("td");
    frames.textContent = `${person.frames[0]} to ${person.frames[person.frames.length - 1]}`;
    const seen = document.createElement("td");
    seen.textContent = person.frames.length;
    row.append(name, frames, seen);
    return row;
  }));
}

function showRows(name, file, rows) {
  $("file").textContent = file;
  $("rows").replaceChildren(...rows.map((cells) => {
    const [action, at, , , , , other, , , , , called] = cells;
    const item = document.createElement("li");
    const text = `${action}${called ? ` to ${called}` : ""}: frame ${at}${other ? ` and ${other}` : ""} `;
    item.append(button(text.trim(), () => goTo(Number(other || at))), " ", button("Undo", () => trying(async () => {
      const answer = await ask(addressOf(name, "/corrections/undo"), { cells });
      showRows(name, file, answer.rows);
      say(`Undone: ${text.trim()}.`);
    })));
    return item;
  }));
}

async function showCorrections() {
  const { file, rows, version } = await ask(address("/corrections"));
  showRows(scene.sequence, file, rows);
  if (version !== scene.version) await open(scene.sequence, frame); // tracked anew meanwhile
}

async function correct(action, name = null) {
  if (!scene || chosen.length !== NUM_CHOSEN[action]) return;
  await trying(async () => {
    const people = chosen.map(({ person, k }) => ({ track: person.track, frame: person.frames[k] }));
    const answer = await ask(address("/corrections"), { version: scene.version, action, people, name });
    say(`Added: ${answer.cells.join(",")}. It counts after ${answer.command}.`);
    chosen = [];
    $("name").value = "";
    showRows(scene.sequence, $("file").textContent, answer.rows);
    show();
  });
}

async function watchRun() {
  if (polling) return;
  polling = true;
  let state = await trying(() => ask("/api/rerun"));
  while (state && state.running) {
    showRun(state);
    await new Promise((resolve) => setTimeout(resolve, 1000));
    state = await trying(() => ask("/api/rerun"));
  }
  polling = false;
  if (!state || state.status === null) return;
  showRun(state);
  say(state.status === 0 ? "The pipeline has run: this is its result." : "The pipeline stopped with an error, see its output.",
    state.status !== 0);
  if (state.status === 0) await trying(() => open($("sequence").value, frame));
}

function showRun({ running, lines }) {
  const output = $("output");
  output.hidden = false;
  output.textContent = lines.join("\n");
  output.scrollTop = output.scrollHeight;
  $("run").disabled = running;
}

function follow(_now, picture) {
  if (scene && !video.paused) {
    frame = Math.min(scene.num_frames - 1, Math.floor(picture.mediaTime * scene.fps + 0.01));
    show();
  }
  video.requestVideoFrameCallback(follow);
}

if (video.requestVideoFrameCallback) video.requestVideoFrameCallback(follow);
else video.addEventListener("timeupdate", () => follow(0, { mediaTime: video.currentTime }));
video.addEventListener("play", () => { $("play").textContent = "Pause"; });
video.addEventListener("pause", () => { $("play").textContent = "Play"; });
video.addEventListener("error", () => say("The annotated video cannot be played: dvc repro makes it.", true));
const playOrPause = () => (video.paused ? trying(() => video.play()) : video.pause());
$("play").addEventListener("click", playOrPause);
$("scrub").addEventListener("input", () => goTo(Number($("scrub").value)));
$("frame").addEventListener("change", () => goTo(Number($("frame").value)));
$("sequence").addEventListener("change", () => trying(() => open($("sequence").value)));
$("clear").addEventListener("click", () => { chosen = []; show(); });
$("rename").addEventListener("submit", (event) => { event.preventDefault(); correct("rename", $("name").value.trim()); });
$("run").addEventListener("click", () => trying(async () => { showRun(await ask("/api/rerun", {})); await watchRun(); }));
for (const element of document.querySelectorAll("[data-step]")) {
  element.addEventListener("click", () => goTo(frame + Number(element.dataset.step)));
}
for (const element of document.querySelectorAll("[data-action]")) {
  element.addEventListener("click", () => correct(element.dataset.action));
}

overlay.addEventListener("click", (event) => {
  const area = overlay.getBoundingClientRect();
  const x = ((event.clientX - area.left) / area.width) * overlay.width;
  const y = ((event.clientY - area.top) / area.height) * overlay.height;
  const size = ([x1, y1, x2, y2]) => (x2 - x1) * (y2 - y1);
  const hit = (byFrame[frame] || [])
    .map((choice) => ({ ...choice, box: choice.person.boxes[choice.k] }))
    .filter(({ box: [x1, y1, x2, y2] }) => x1 <= x && x <= x2 && y1 <= y && y <= y2)
    .sort((a, b) => size(a.box) - size(b.box))[0];
  if (hit) choose({ person: hit.person, k: hit.k });
});

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input:not([type=range]), select")) return;
  if (event.key === " " && !event.target.closest("button")) playOrPause();
  else if (event.key === "ArrowLeft") goTo(frame - (event.shiftKey ? 10 : 1));
  else if (event.key === "ArrowRight") goTo(frame + (event.shiftKey ? 10 : 1));
  else if (event.key === "Escape") { chosen = []; show(); }
  else if (KEYS[event.key]) correct(KEYS[event.key]);
  else return;
  event.preventDefault();
});

// Others may add rows meanwhile: look when this page is looked at again.
document.addEventListener("visibilitychange", () => { if (!document.hidden && scene) trying(showCorrections); });
window.addEventListener("hashchange", () => {
  const wanted = decodeURIComponent(location.hash.slice(1));
  if (scene && wanted && wanted !== scene.sequence) { $("sequence").value = wanted; trying(() => open(wanted)); }
});

await trying(async () => {
  const { sequences, report, command } = await ask("/api/sequences");
  $("report").hidden = !report;
  $("command").textContent = command;
  $("sequence").replaceChildren(...sequences.map((name) => new Option(name, name)));
  if (!sequences.length) { say(`Nothing is tracked yet: ${command} first.`, true); return; }
  const wanted = decodeURIComponent(location.hash.slice(1));
  const first = sequences.includes(wanted) ? wanted : sequences[0];
  $("sequence").value = first;
  await open(first, Number(new URLSearchParams(location.search).get("frame")) || 0);
  if ((await ask("/api/rerun")).running) await watchRun(); // the server also remembers a run that ended before
});
