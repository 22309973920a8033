// The dialog from which reports and scans come to the desk.

import { ask } from "./dialogs.js";
import { make } from "./rows.js";

const $ = (id) => document.getElementById(id);

// A draft's folder begins with the moment at which it was made.
const told = (name) => name.replace(/^(\d{4})(\d\d)(\d\d)-(\d\d)(\d\d)\d\d-\d{3}-/, "$1-$2-$3 $4:$5 UTC · ");

export class Opening {
  constructor(desk) {
    this.desk = desk;
    this.writers = [];
    $("open").addEventListener("click", () => desk.send({ do: "drafts" }));
    $("writer").addEventListener("change", () => this.needs());
    $("file").addEventListener("change", () => this.sendScan());
  }

  show({ names, writers, segmenters, devices }) {
    this.writers = writers;
    this.fill("writer", writers.map((one) => [one.name, one.title]));
    this.fill("segmenter", segmenters.map((name) => [name, name]));
    this.fill("device", devices.map((name) => [name, name]));
    this.needs();
    const open = (name) => () => { $("opening").close(""); this.desk.send({ do: "open", name }); };
    const body = names.length ? names.map((name) => make("button", { class: "pick", click: open(name) }, told(name))) : [make("p", { class: "none" }, "There is no draft on this server yet.")];
    $("opening").querySelector(".body").replaceChildren(...body);
    if ($("opening").open) return;
    ask("opening", (value) => { if (value === "paste" && $("paste").value.trim()) this.post("draft", $("paste").value); });
  }

  fill(id, choices) {
    const before = $(id).value;
    $(id).replaceChildren(...choices.map(([value, title]) => make("option", { value }, title)));
    if (choices.some(([value]) => value === before)) $(id).value = before;
  }

  // A writer that runs on a model has a folder and a device.
  needs() {
    const writer = this.writers.find((one) => one.name === $("writer").value);
    $("modelled").hidden = !(writer && writer.needs);
    if (writer && writer.needs) $("model").title = `The folder holds ${writer.needs}.`;
  }

  async sendScan() {
    const [[file], [masks]] = [$("file").files, $("masks").files];
    if (!file) return;
    $("file").value = $("masks").value = "";
    $("opening").close("");
    this.desk.say(`Sending ${file.name}…`);
    const words = new URLSearchParams({ name: file.name, writer: $("writer").value, segmenter: $("segmenter").value });
    if (!$("modelled").hidden) { words.set("model", $("model").value.trim()); words.set("device", $("device").value); }
    if (masks) {
      const kept = await this.post(`masks?${new URLSearchParams({ name: masks.name })}`, masks);
      if (!kept) return;
      words.set("masks", kept.masks);
    }
    this.post(`scan?${words}`, file);
  }

  // Returns what the server answered, null if it refused or was not there; a large file tells how far it is.
  post(address, body) {
    return new Promise((done) => {
      const request = new XMLHttpRequest();
      const fail = (why) => { this.desk.say(why); done(null); };
      request.open("POST", address);
      request.responseType = "json";
      request.upload.onprogress = ({ loaded, total }) => { if (body.name && loaded < total) this.desk.say(`Sending ${body.name}… ${Math.floor(100 * loaded / total)} %`); };
      request.onerror = () => fail("Not done: the server does not answer.");
      request.onload = () => {
        const told = request.response || {};
        if (request.status === 200) done(told); else fail(told.problem || `Not done: the server answered ${request.status}.`);
      };
      request.send(body);
    });
  }
}
