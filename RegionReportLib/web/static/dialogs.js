// The questions of the page: places, reasons, signing, exports, series; each is a dialog that the keyboard reaches.

import { make } from "./rows.js";

const $ = (id) => document.getElementById(id);

export function ask(id, done) {
  const dialog = $(id);
  dialog.returnValue = "";
  dialog.onclose = () => { done(dialog.returnValue); if (!document.activeElement.closest("form")) $("list").focus({ preventScroll: true }); };
  for (const button of dialog.querySelectorAll("[data-value]")) button.onclick = () => dialog.close(button.dataset.value);
  for (const input of dialog.querySelectorAll("input:not([type=file], [type=checkbox], [type=number], [type=search])")) {
    input.onkeydown = (event) => { if (event.key === "Enter") { event.preventDefault(); dialog.close("yes"); } };
  }
  dialog.showModal();
  return dialog;
}

// A list of buttons; `pick` closes the dialog with a value.
function picks(dialog, groups) {
  const pick = (value) => () => dialog.close(value);
  dialog.querySelector(".body").replaceChildren(make("div", { class: "columns" }, ...groups.map((group) => make("section", { colour: group.colour },
    group.name ? make("h3", {}, group.name) : null,
    ...group.choices.map((one) => make("button", { class: "pick", click: pick(one.value) }, one.name))))));
}

// Typing narrows the list, the arrows go through it, Enter takes the first.
function seekable(dialog, field) {
  const all = () => [...dialog.querySelectorAll(".pick")];
  const shown = () => all().filter((one) => !one.hidden);
  field.value = "";
  field.oninput = () => {
    const wanted = field.value.trim().toLowerCase().split(/\s+/);
    for (const one of all()) one.hidden = !wanted.every((word) => `${one.textContent} ${one.parentNode.firstChild.textContent}`.toLowerCase().includes(word));
    for (const section of dialog.querySelectorAll("section")) section.hidden = !section.querySelector(".pick:not([hidden])");
  };
  dialog.onkeydown = (event) => {
    if (event.key === "Enter" && event.target === field) { event.preventDefault(); if (field.value.trim() && shown().length) shown()[0].click(); }
    if (event.key !== "ArrowDown" && event.key !== "ArrowUp") return;
    event.preventDefault();
    const list = shown();
    const here = list.indexOf(document.activeElement) + (event.key === "ArrowDown" ? 1 : -1);
    if (here < 0) field.focus(); else if (list[here]) list[here].focus();
  };
}

export function askPlace(desk) {
  const groups = desk.state.report.places.map((region) => ({
    name: region.name, colour: region.colour,
    choices: [...region.places.map((place) => ({ name: place.name, value: String(place.n) })), { name: "Draw a box…", value: `box ${region.id}` }],
  }));
  picks($("places"), groups);
  seekable($("places"), $("seek"));
  ask("places", (value) => {
    if (value === "placeless") desk.send({ do: "placeless" });
    else if (value.startsWith("box ")) desk.send({ do: "box", region: value.slice(4) });
    else if (value !== "") desk.send({ do: "retie", place: Number(value) });
  });
  $("seek").focus();
}

export function askReason(desk, flag, id) {
  if (!desk.editable()) return;
  $("reason").querySelector(".about").textContent = flag.message;
  $("why").value = "";
  ask("reason", (value) => { if (value && $("why").value.trim()) desk.send({ do: "answer", id, n: flag.n, text: $("why").value }); });
}

export function askSign(desk) {
  const { reasons } = desk.state.report;
  const dialog = $("signing");
  dialog.querySelector(".about").textContent = reasons.length ? "This still forbids it:" : "The report is locked then; a change is an addendum.";
  dialog.querySelector(".reasons").replaceChildren(...reasons.map((reason) => make("li", {}, reason)));
  dialog.querySelector("[data-value=yes]").disabled = reasons.length > 0;
  $("who").value = desk.state.actor;
  ask("signing", (value) => { if (value && !reasons.length) desk.send({ do: "sign", name: $("who").value }); });
}

export function askAddendum(desk) {
  ask("addending", (value) => { if (value) desk.send({ do: "addendum" }); });
}

export function askSeries(desk, found) {
  if ($("series").open) return;
  picks($("series"), [{ choices: found.map((one) => ({ name: one.words, value: one.uid })) }]);
  seekable($("series"), make("input"));
  ask("series", (value) => desk.send({ do: "series", uid: value }));
}

export function showTrail(told) {
  const rows = told.entries.map((entry) => {
    const changes = entry.words.map((one) => make("div", {},
      make("small", {}, `${one.id} `), one.before === null ? "" : make("del", {}, one.before), one.before && one.after ? " " : "", one.after === null ? "" : make("ins", {}, one.after)));
    const about = entry.about ? make("div", { class: "soft" }, entry.about) : null;
    return make("tr", {}, make("td", {}, String(entry.seq)), make("td", {}, entry.at.replace("T", " ").slice(0, 19)),
      make("td", {}, entry.actor), make("td", {}, entry.kind, about, ...changes), make("td", { class: "digest" }, entry.digest.slice(0, 12)));
  });
  const head = make("tr", {}, ...["No", "When (UTC)", "Who", "What", "Digest"].map((name) => make("th", { scope: "col" }, name)));
  $("history").querySelector(".about").textContent = told.intact;
  $("history").querySelector(".body").replaceChildren(make("table", {}, make("thead", {}, head), make("tbody", {}, ...rows)));
  if (!$("history").open) ask("history", () => {});
}

export function showOffers(desk, offers) {
  const dialog = $("exporting");
  const line = (one) => {
    const button = make("button", { class: "pick", "aria-describedby": `why-${one.name}`, click: () => { dialog.close(""); desk.send({ do: "export", name: one.name }); } }, one.title);
    button.dataset.offer = one.name;
    button.disabled = Boolean(one.reason);
    return make("div", { class: "offer" }, button, make("div", { class: "soft", id: `why-${one.name}` }, one.reason ? `Not possible: ${one.reason}` : one.file));
  };
  dialog.querySelector(".body").replaceChildren(...offers.map(line));
  if (!dialog.open) ask("exporting", () => {});
}
