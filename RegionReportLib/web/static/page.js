// The page: shows the state that the server tells, and turns keys and buttons into acts.

import { Boxing } from "./boxing.js";
import { askAddendum, askPlace, askReason, askSeries, askSign, showOffers, showTrail } from "./dialogs.js";
import { Editor } from "./editor.js";
import { Link } from "./link.js";
import { Opening } from "./opening.js";
import { Redrafting } from "./redrafting.js";
import { bringIntoView, make, showReport, showStreamed } from "./rows.js";
import { Settings } from "./settings.js";
import { Views } from "./views.js";

const $ = (id) => document.getElementById(id);
let link = null;
let state = null;
let shownChosen = null;

const say = (text) => { $("message").textContent = text; };
const send = (message) => {
  const sent = link.send(message);
  if (!sent) say("Not done: the server does not answer.");
  return sent;
};
// For those who listen instead of looking: the same words are said once.
let spoken = "";
const speak = (text) => { if (text !== spoken) { spoken = text; $("spoken").textContent = text; } };
const editable = () => Boolean(state && state.report && state.report.editable);
// What the parts of the page share.
const desk = { get state() { return state; }, send, say, editable };

const editor = new Editor(() => (state && state.report ? state.report.id : ""));
const boxing = new Boxing(desk);
const opening = new Opening(desk);
const redrafting = new Redrafting(desk);
const settings = new Settings(desk);
const views = new Views(() => link, boxing);

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
const regionOfChosen = () => {
  const found = sentence() && state.report.regions.find((region) => region.sentences.some((one) => one.id === state.report.chosen));
  return found ? found.id : null;
};
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
  $("reading").hidden = !told.reading;
  $("reading").firstElementChild.textContent = `For reading only: ${told.reading}.`;
  $("notes").replaceChildren(...(report ? report.notes : []).map((note) => make("li", {}, note)));
  showBusy(told.busy);
  boxing.show(told.box);
  if (told.series.length) askSeries(desk, told.series); else if ($("series").open) $("series").close("");
  const list = $("list");
  if (report) {
    showList();
    $("filter").value = report.filter;
    $("standing").textContent = report.signed ? "" : `${report.standing}${report.may_sign ? " · ready to sign" : ""}`;
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
  const chosen = showReport($("list"), state.report, { choose, send, editable: editable(), redraft: (region) => redrafting.start(region), find: (id) => send({ do: "find_place", id }), ask: (flag, id) => askReason(desk, flag, id) });
  if (state.report.chosen !== shownChosen) bringIntoView($("list"), chosen);
  shownChosen = state.report.chosen;
  const one = sentence();
  if (one) speak([one.text, one.place, ...one.flags.filter((flag) => flag.answer === null).map((flag) => `Flag: ${flag.message}`)].join(". "));
}

function showBusy(busy) {
  $("busy").hidden = !busy;
  $("busy").classList.toggle("over", Boolean(state.report));  // over the list, so that nothing moves under the hand
  $("busy").style.top = state.report ? `${document.querySelector("header").offsetHeight}px` : "";
  if (!busy) return;
  $("bar").value = busy.fraction;
  const left = busy.left_s === null ? "" : ` · ${busy.left_s < 90 ? `${Math.max(1, Math.round(busy.left_s))} s` : `${Math.round(busy.left_s / 60)} min`} left`;
  const stalled = busy.stalled_s === null ? "" : ` · no progress for ${Math.round(busy.stalled_s)} s; wait or cancel`;
  speak(busy.stage);
  $("stage").textContent = `${busy.stage} · ${Math.round(100 * busy.fraction)} %${left}${stalled}`;
}

function allow() {
  const can = Boolean(editable());
  for (const button of document.querySelectorAll("[data-do]")) {
    const needs = !["start-add", "undo", "redo"].includes(button.dataset.do);
    button.disabled = button.dataset.do !== "again" && (!can || (needs && !sentence()));
  }
  for (const id of ["copy", "export", "trail", "filter", "settings"]) $(id).disabled = !(state && state.report);
  const signed = Boolean(state && state.report && state.report.signed);
  $("sign").hidden = signed;
  $("addend").hidden = !signed;
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
  "find-place": () => { const one = sentence(); if (one && editable()) send({ do: "find_place", id: one.id }); },
  "start-redraft": () => redrafting.start(regionOfChosen()),
  "start-add": () => { if (editable()) startAdd(); },
  "next-filter": () => {
    const names = [...$("filter").options].map((option) => option.value);
    if (state && state.report) send({ do: "filter", name: names[(names.indexOf(state.report.filter) + 1) % names.length] });
  },
  "start-retie": () => { if (boxing.active) boxing.take(); else if (sentence() && editable()) askPlace(desk); },
};
function act(name) {
  if (editor.open) editor.end(true);
  if (acts[name]) acts[name](); else send({ do: name });
}

const keys = {
  a: "accept", x: "reject", r: "start-retie", p: "find-place", n: "start-add", s: "start-split", m: "merge", d: "start-redraft", o: "next_open", f: "next_found", l: "next-filter", Enter: "start-edit",
};
document.addEventListener("keydown", (event) => {
  const typing = event.target.closest("textarea, input, select, dialog, form");
  if (typing || editor.open || document.querySelector("dialog[open]")) return;
  if (event.ctrlKey || event.metaKey) {
    const name = { z: event.shiftKey ? "redo" : "undo", y: "redo" }[event.key.toLowerCase()];
    if (name) { event.preventDefault(); act(name); }
    return;
  }
  if (event.key === "ArrowDown" || event.key === "ArrowUp") {
    event.preventDefault();
    const by = event.key === "ArrowDown" ? 1 : -1;
    if (!event.altKey) step(by); else if (editable() && sentence()) send({ do: "shift", by });
    return;
  }
  if (event.altKey) return;
  if (event.key === "Escape" && boxing.active) { boxing.leave(); return; }
  if (["Enter", " "].includes(event.key) && event.target.closest("button")) return;
  if (event.target.closest(".view") && views.key(event.target.closest(".view"), event.key)) { event.preventDefault(); return; }
  const name = keys[event.key.length === 1 ? event.key.toLowerCase() : event.key];
  if (name) { event.preventDefault(); act(name); }
});
for (const button of document.querySelectorAll("[data-do]")) button.addEventListener("click", () => act(button.dataset.do));

// Everything else -------------------------------------------------------------------------------------------------

$("cancel").addEventListener("click", () => send({ do: "cancel" }));
$("standing").addEventListener("click", () => act("next_open"));
$("filter").addEventListener("change", () => { send({ do: "filter", name: $("filter").value }); $("list").focus({ preventScroll: true }); });
$("export").addEventListener("click", () => send({ do: "offers" }));
$("trail").addEventListener("click", () => send({ do: "trail" }));
$("sign").addEventListener("click", () => askSign(desk));
$("addend").addEventListener("click", () => askAddendum(desk));
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
  say("The report is in the clipboard as text.");
});

link = new Link({
  told(message) {
    if (message.kind === "state") show(message);
    else if (message.kind === "look") settings.show(message);
    else if (message.kind === "trail") showTrail(message);
    else if (message.kind === "drafts") opening.show(message);
    else if (message.kind === "redrafters") redrafting.show(message);
    else if (message.kind === "offers") showOffers(desk, message.offers);
    else if (message.kind === "file") make("a", { href: message.address, download: message.name }).click();
  },
  pictured: (view, blob) => views.show(view, blob),
  up() { $("lost").hidden = true; views.tellSizes(); },
  down() { $("lost").hidden = false; },
});
$("list").focus({ preventScroll: true });
