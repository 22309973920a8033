// The list of sentences. Words are set as text only, never as markup.

export function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name === "class") element.className = value;
    else if (name === "colour") element.style.setProperty("--c", value);
    else if (typeof value === "function") element.addEventListener(name, value);
    else if (value !== null && value !== undefined) element.setAttribute(name, value);
  }
  element.append(...children.filter((child) => child !== null));
  return element;
}

function words(sentence) {
  const text = make("span", { class: "text" });
  if (!sentence.phrase) { text.append(sentence.text); return text; }
  // The server counts characters, the browser UTF-16 units.
  const letters = Array.from(sentence.text);
  const [start, stop] = sentence.phrase;
  text.append(letters.slice(0, start).join(""), make("b", {}, letters.slice(start, stop).join("")), letters.slice(stop).join(""));
  return text;
}

function flag(one, id, { send, ask, editable }) {
  const open = one.answer === null;
  const mark = open ? (one.blocking ? "⚠ " : "⚐ ") : "⚑ ";
  const line = make("div", { class: `flag${one.blocking && open ? " blocking" : ""}` }, mark + one.message + (open ? "" : ` — ${one.answer}`));
  const press = (act) => (event) => { event.stopPropagation(); act(); };
  if (open && one.both && id !== null) line.append(make("button", { click: press(() => send({ do: "both", id, n: one.n })) }, "show both"));
  if (open && one.blocking && editable) line.append(make("button", { click: press(() => ask(one, id)) }, "keep with a reason"));
  return line;
}

function search(sentence, acts) {
  const title = "Look for these words in the scan with VoxTell; what is found is offered beside the place (P)";
  return make("button", { class: "again", title, click: (event) => { event.stopPropagation(); acts.find(sentence.id); } }, "find…");
}

function row(sentence, state, acts) {
  const chosen = state.chosen === sentence.id;
  const classes = state.found.includes(sentence.id) ? "one found" : "one";
  const kept = sentence.state !== "rejected";
  return make("div",
    { class: classes, id: `s-${sentence.id}`, role: "option", "aria-selected": String(chosen), "data-id": sentence.id,
      "data-state": sentence.state, click: () => acts.choose(sentence.id) },
    make("span", { class: "mark", role: "img", "aria-label": sentence.state }, sentence.mark),
    words(sentence),
    make("span", { class: "author", title: sentence.by }, sentence.author,
      sentence.agreement ? make("span", { class: sentence.doubtful ? "agrees low" : "agrees", title: sentence.explained }, sentence.agreement) : null),
    chosen ? make("div", { class: "place" }, sentence.place, acts.editable ? search(sentence, acts) : null, ...sentence.boxes.map((line) => make("div", {}, line))) : null,
    ...(kept ? sentence.flags.map((one) => flag(one, sentence.id, acts)) : []));
}

function heading(region, acts = null) {
  const small = make("small", region.note ? { title: region.note } : {}, region.coverage || "");
  const again = acts && acts.editable && region.id
    ? make("button", { class: "again", "data-region": region.id, title: `Let a writer write ${region.name.toLowerCase()} anew; what you did stays (D)`, click: () => acts.redraft(region.id) }, "redraft…")
    : null;
  return make("h2", {}, region.name, small, again);
}

export function showReport(list, state, acts) {
  const kept = list.scrollTop;
  const sections = state.regions
    .filter((region) => region.sentences.length || state.filter === "all")
    .map((region) => make("section", { role: "group", "aria-label": region.name, colour: region.colour }, heading(region, acts),
      ...region.sentences.map((sentence) => row(sentence, state, acts))));
  const report = state.flags.map((one) => make("div", { class: "one" }, make("span"), flag(one, null, acts)));
  if (!state.regions.some((region) => region.sentences.length)) sections.push(make("p", { class: "none" }, `No sentence is ${state.filter}.`));
  list.replaceChildren(...sections, ...report);
  list.scrollTop = kept;
  const chosen = state.chosen && document.getElementById(`s-${state.chosen}`);
  if (chosen) list.setAttribute("aria-activedescendant", chosen.id); else list.removeAttribute("aria-activedescendant");
  return chosen;
}

// Nothing moves under the hand while the chosen row is in view already.
export function bringIntoView(list, chosen) {
  if (!chosen) return;
  const outer = list.getBoundingClientRect();
  const inner = chosen.getBoundingClientRect();
  const head = 34;
  if (inner.top < outer.top + head) list.scrollTop -= outer.top + head - inner.top;
  else if (inner.bottom > outer.bottom) list.scrollTop += inner.bottom - outer.bottom + 8;
}

export function showStreamed(list, regions) {
  if (!regions.length) { list.replaceChildren(make("p", { class: "none" }, "Sentences appear here as they are written.")); return; }
  list.replaceChildren(...regions.map((region) => make("section", { colour: region.colour }, heading(region),
    ...region.sentences.map((sentence) => make("div", { class: "one" }, make("span", { class: "mark" }, "…"), words(sentence),
      sentence.by ? make("span", { class: "author" }, sentence.by) : null)))));
  list.scrollTop = list.scrollHeight;
}
