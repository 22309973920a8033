// The question of who writes a region of the report anew.

import { ask } from "./dialogs.js";
import { make } from "./rows.js";

const $ = (id) => document.getElementById(id);

export class Redrafting {
  constructor(desk) {
    this.desk = desk;
    this.writers = [];
    this.region = null;
    $("rewriter").addEventListener("change", () => this.needs());
  }

  // The dialog opens when the server has told who can write.
  start(region) {
    if (!region || !this.desk.editable()) return;
    this.region = region;
    this.desk.send({ do: "redrafters" });
  }

  show({ writers }) {
    const found = this.desk.state && this.desk.state.report && this.desk.state.report.regions.find((one) => one.id === this.region);
    if (!found || $("redrafting").open) return;
    this.writers = writers;
    const before = $("rewriter").value;
    $("rewriter").replaceChildren(...writers.map((one) => {
      const option = make("option", { value: one.name }, one.title);
      option.disabled = !one.able;
      return option;
    }));
    const own = writers.find((one) => one.able && one.name === this.desk.state.report.writer);
    $("rewriter").value = before || (own ? own.name : "measured");
    $("redrafting").querySelector("h2").textContent = `Redraft: ${found.name}`;
    this.needs();
    ask("redrafting", (value) => { if (value) this.send(); });
  }

  // A writer that cannot says why; one that runs on a model may be given another folder.
  needs() {
    const writer = this.writers.find((one) => one.name === $("rewriter").value);
    $("remodelled").hidden = !(writer && writer.needs);
    $("rewriting").textContent = writer && writer.reason ? `Not possible as it is: ${writer.reason}` : "";
  }

  send() {
    const message = { do: "redraft", region: this.region, writer: $("rewriter").value };
    if (!$("remodelled").hidden) message.model = $("remodel").value.trim();
    this.desk.send(message);
  }
}
