// The page: shows the state that the server tells, and turns keys and buttons into acts.

import { Editor } from "./editor.js";
import { Link } from "./link.js";
import { bringIntoView, make, showReport, showStreamed } from "./rows.js";
import { Views } from "./views.js";

const $ = (id) => document.getElementById(id);
let link = null;
let state = null;
let shownChosen = null;

const editor = new Editor(() => (state && state.report ? state.report.id : ""));
const views = new Views(() => link);
const send = (message) => {
  const sent = link.send(message);
  if (!sent) $("message").textContent = "Not done: the server does not answer.";
  return sent;
};

// The choice is shown at once; the server's state follows with the place. One that was on its way is older.
let wanted = { id: null, until: 0 };
function choose(id) {
  if (editor.open) editor.end(true);
  if (state && state.report && send({ do: "choose", id })) {
    state.report.chosen = id;
    wanted = { id, until: performance.now() + 3000 };
    showList();
    allow();
  }
}
function step(by) {
  if (!state || !state.report) return;
  const ids = state.report.regions.flatMap((region) => region.sentences.map((one) => one.id));
  const here = ids.indexOf(state.report.chosen);
  const next = here < 0 ? (by > 0 ? 0 : ids.length - 1) : here + by;
  if (next >= 0 && next < ids.length) choose(ids[next]);
}

function sentence() {
  if (!state || !state.report) return null;
  for (const region of state.report.regions) for (const one of region.sentences) if (one.id === state.report.chosen) return one;
  return null;
}
const editable = () => state && state.report && !state.report.signed;

// State ---------------------------------------------------------------------------------------------------------

function show(told) {
  const opened = told.report && (!state || !state.report || state.report.id !== told.report.id);
  state = told;
  const report = told.report;
  if (report && wanted.id !== null) {
    if (report.chosen === wanted.id || performance.now() > wanted.until || opened) wanted.id = null;
    else report.chosen = wanted.id;
  }
  $("name").textContent = told.name || "RegionReport";
  document.title = told.name ? `${told.name} · RegionReport` : "RegionReport";
  $("message").textContent = told.message;
  $("state").textContent = report ? report.state : "";
  document.body.classList.toggle("signed", Boolean(report && report.signed));
  $("notes").replaceChildren(...(report ? report.notes : []).map((note) => make("li", {}, note)));
  showBusy(told.busy);
  const list = $("list");
  if (report) {
    showList();
    $("filter").value = report.filter;
    $("standing").textContent = report.signed ? "" : report.standing;
  } else if (told.busy) {
    showStreamed(list, told.busy.regions);
  } else {
    list.replaceChildren(make("p", { class: "none" }, "No report yet. Press Open… and choose a draft or send a chest CT; everything stays on this server."));
    $("standing").textContent = "";
  }
  allow();
  if (opened) takeUpWords();
}

function showList() {
  const chosen = showReport($("list"), state.report, { choose, send, ask: askReason });
  if (state.report.chosen !== shownChosen) bringIntoView($("list"), chosen);
  shownChosen = state.report.chosen;
}

function showBusy(busy) {
  $("busy").hidden = !busy;
  if (!busy) return;
  $("bar").value = busy.fraction;
  const left = busy.left_s === null ? "" : ` · ${busy.left_s < 90 ? `${Math.max(1, Math.round(busy.left_s))} s` : `${Math.round(busy.left_s / 60)} min`} left`;
  const stalled = busy.stalled_s === null ? "" : ` · no progress for ${Math.round(busy.stalled_s)} s; wait or cancel`;
  $("stage").textContent = `${busy.stage} · ${Math.round(100 * busy.fraction)} %${left}${stalled}`;
}

function allow() {
  const can = Boolean(editable());
  for (const button of document.querySelectorAll("[data-do]")) {
    const needs = !["start-add", "undo", "redo"].includes(button.dataset.do);
    button.disabled = !can || (needs && !sentence());
  }
  for (const id of ["copy", "export", "trail", "filter"]) $(id).disabled = !(state && state.report);
  $("sign").disabled = !can;
  $("standing").disabled = !can;
}

function takeUpWords() {
  const kept = editor.remembered();
  if (!kept || editor.open || !editable()) return;
  if (kept.act === "add") startAdd(kept.text);
  else if (state.report.regions.some((region) => region.sentences.some((one) => one.id === kept.id))) {
    startWords(kept.act, kept.id, kept.text);
    if (state.report.chosen !== kept.id) link.send({ do: "choose", id: kept.id });
  }
}

// Acts ----------------------------------------------------------------------------------------------------------

function startWords(act, id, text, at = null) {
  const title = act === "split" ? "Put the cursor where the sentence is to be divided" : "Change the words; the tie to the place stays";
  const keep = (typed, place) => send(act === "split" ? { do: "split", id, text: typed, at: place } : { do: "edit", id, text: typed });
  editor.start({ act, id, text, title, at, keep });
}
function startAdd(text = "") {
  editor.start({ act: "add", id: null, text, title: "A new sentence behind the chosen one", keep: (typed) => send({ do: "add", text: typed }) });
}

const acts = {
  "start-edit": () => { const one = sentence(); if (one && editable()) startWords("edit", one.id, one.text); },
  "start-split": () => { const one = sentence(); if (one && editable()) startWords("split", one.id, one.text, Math.floor(one.text.length / 2)); },
  "start-add": () => { if (editable()) startAdd(); },
  "start-retie": () => { if (sentence() && editable()) askPlace(); },
};
function act(name) {
  if (editor.open) editor.end(true);
  if (acts[name]) acts[name](); else send({ do: name });
}

const keys = {
  a: "accept", x: "reject", r: "start-retie", n: "start-add", s: "start-split", m: "merge", o: "next_open", f: "next_found", Enter: "start-edit",
};
document.addEventListener("keydown", (event) => {
  const typing = event.target.closest("textarea, input, select, dialog, #editor");
  if (typing || editor.open || document.querySelector("dialog[open]")) return;
  if (event.ctrlKey || event.metaKey) {
    const name = { z: event.shiftKey ? "redo" : "undo", y: "redo" }[event.key.toLowerCase()];
    if (name) { event.preventDefault(); act(name); }
    return;
  }
  if (event.altKey) return;
  if (event.key === "ArrowDown" || event.key === "ArrowUp") {
    event.preventDefault();
    step(event.key === "ArrowDown" ? 1 : -1);
    return;
  }
  if (event.key === "Enter" && event.target.closest("button")) return;
  const name = keys[event.key.length === 1 ? event.key.toLowerCase() : event.key];
  if (name) { event.preventDefault(); act(name); }
});
for (const button of document.querySelectorAll("[data-do]")) button.addEventListener("click", () => act(button.dataset.do));

// Dialogs -------------------------------------------------------------------------------------------------------

function ask(id, done) {
  const dialog = $(id);
  dialog.returnValue = "";
  dialog.onclose = () => { done(dialog.returnValue); $("list").focus({ preventScroll: true }); };
  for (const button of dialog.querySelectorAll("[data-value]")) button.onclick = () => dialog.close(button.dataset.value);
  for (const input of dialog.querySelectorAll("input:not([type=file])")) {
    input.onkeydown = (event) => { if (event.key === "Enter") { event.preventDefault(); dialog.close("yes"); } };
  }
  dialog.showModal();
  return dialog;
}

function askPlace() {
  const pick = (value) => () => $("places").close(value);
  $("places").querySelector(".body").replaceChildren(...state.report.places.map((region) => make("section", { colour: region.colour },
    make("h3", {}, region.name), ...region.places.map((place) => make("button", { class: "pick", click: pick(String(place.n)) }, place.name)))));
  ask("places", (value) => {
    if (value === "placeless") send({ do: "placeless" });
    else if (value !== "") send({ do: "retie", place: Number(value) });
  });
}

function askReason(flag, id) {
  if (!editable()) return;
  $("reason").querySelector(".about").textContent = flag.message;
  $("why").value = "";
  ask("reason", (value) => { if (value && $("why").value.trim()) send({ do: "answer", id, n: flag.n, text: $("why").value }); });
}

$("sign").addEventListener("click", () => {
  const { reasons } = state.report;
  const dialog = $("signing");
  dialog.querySelector(".about").textContent = reasons.length ? "This still forbids it:" : "The report is locked then; a change is an addendum.";
  dialog.querySelector(".reasons").replaceChildren(...reasons.map((reason) => make("li", {}, reason)));
  dialog.querySelector("[data-value=yes]").disabled = reasons.length > 0;
  $("who").value = state.actor;
  ask("signing", (value) => { if (value && !reasons.length) send({ do: "sign", name: $("who").value }); });
});

function showTrail(entries) {
  const rows = entries.map((entry) => {
    const changes = entry.words.map((one) => make("div", {}, `${one.id}: ${one.before ?? "–"} → ${one.after ?? "–"}`));
    return make("tr", {}, make("td", {}, String(entry.seq)), make("td", {}, entry.at.replace("T", " ").slice(0, 19)), make("td", {}, entry.actor), make("td", {}, entry.kind, ...changes));
  });
  $("history").querySelector(".body").replaceChildren(make("table", {}, make("tbody", {}, ...rows)));
  if (!$("history").open) ask("history", () => {});
}
$("trail").addEventListener("click", () => send({ do: "trail" }));

function showDrafts(names) {
  const open = (name) => () => { $("opening").close(""); send({ do: "open", name }); };
  const body = names.length ? names.map((name) => make("button", { class: "pick", click: open(name) }, name)) : [make("p", { class: "none" }, "There is no draft on this server yet.")];
  $("opening").querySelector(".body").replaceChildren(...body);
  ask("opening", (value) => { if (value === "paste" && $("paste").value.trim()) post("draft", $("paste").value); });
}
$("open").addEventListener("click", () => send({ do: "drafts" }));
$("file").addEventListener("change", () => {
  const [file] = $("file").files;
  if (!file) return;
  $("opening").close("");
  $("message").textContent = `Sending ${file.name}…`;
  post(`scan?name=${encodeURIComponent(file.name)}`, file);
  $("file").value = "";
});

async function post(address, body) {
  try {
    const answer = await fetch(address, { method: "POST", body });
    if (answer.ok) return;
    const told = await answer.json().catch(() => ({}));
    $("message").textContent = told.problem || `Not done: the server answered ${answer.status}.`;
  } catch {
    $("message").textContent = "Not done: the server does not answer.";
  }
}

// Everything else -------------------------------------------------------------------------------------------------

$("cancel").addEventListener("click", () => send({ do: "cancel" }));
$("standing").addEventListener("click", () => act("next_open"));
$("filter").addEventListener("change", () => { send({ do: "filter", name: $("filter").value }); $("list").focus({ preventScroll: true }); });
$("export").addEventListener("change", () => {
  const name = $("export").value;
  $("export").value = "";
  if (name) make("a", { href: `export/${name}`, download: name }).click();
});
$("copy").addEventListener("click", async () => {
  const text = await (await fetch("export/report.txt")).text();
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    // Without https the browser gives the clipboard to a selection only.
    const field = make("textarea", {}, text);
    document.body.append(field);
    field.select();
    document.execCommand("copy");
    field.remove();
  }
  $("message").textContent = "The report is in the clipboard as text.";
});

link = new Link({
  told(message) {
    if (message.kind === "state") show(message);
    else if (message.kind === "trail") showTrail(message.entries);
    else if (message.kind === "drafts") showDrafts(message.names);
  },
  pictured: (view, blob) => views.show(view, blob),
  up() { $("lost").hidden = true; views.tellSizes(); },
  down() { $("lost").hidden = false; },
});
$("list").focus({ preventScroll: true });
