// Settings: the CT window and the manner of pointing are the server's, the layout of the views is this page's.

import { ask } from "./dialogs.js";
import { make } from "./rows.js";

const $ = (id) => document.getElementById(id);
const KEY = "regionreport.views";
const signed = (number) => String(number).replace("-", "−");
const MANNER = ["follow_window", "center", "turn_3d"];

export class Settings {
  constructor(desk) {
    this.desk = desk;
    $("settings").addEventListener("click", () => this.ask());
    $("windowed").addEventListener("click", () => this.window($("width").valueAsNumber, $("level").valueAsNumber));
    for (const field of [$("width"), $("level")]) field.onkeydown = (event) => { if (event.key === "Enter") { event.preventDefault(); $("windowed").click(); } };
    for (const name of MANNER) $(name).addEventListener("change", () => this.tell());
    for (const id of ["layout", "with3d"]) $(id).addEventListener("change", () => this.arrange());
    const kept = this.kept();
    $("layout").value = ["four", "large", "axial"].includes(kept.layout) ? kept.layout : "four";
    $("with3d").checked = kept.with3d !== false;
    this.lay();
  }

  kept() { try { return JSON.parse(localStorage.getItem(KEY)) || {}; } catch { return {}; } }

  arrange() {
    localStorage.setItem(KEY, JSON.stringify({ layout: $("layout").value, with3d: $("with3d").checked }));
    this.lay();
  }

  lay() {
    document.body.dataset.layout = $("layout").value;
    document.body.classList.toggle("flat", !$("with3d").checked);
  }

  ask() {
    const { settings } = this.desk.state;
    for (const name of MANNER) $(name).checked = settings[name];
    const buttons = settings.presets.map((one) => make("button", { type: "button", click: () => this.window(one.width, one.level) }, `${one.name} ${one.width} / ${signed(one.level)}`));
    $("presets").replaceChildren(...buttons);
    if (this.look) { [$("width").value, $("level").value] = this.look.window; }
    ask("setting", () => {});
  }

  window(width, level) {
    if (!Number.isFinite(width) || !Number.isFinite(level)) return;
    $("width").value = width;
    $("level").value = level;
    this.desk.send({ do: "window", width, level });
  }

  tell() {
    this.desk.send({ do: "settings", ...Object.fromEntries(MANNER.map((name) => [name, $(name).checked])) });
  }

  // What stands in the corners of the views: where each slice is, and the window.
  show(look) {
    this.look = look;
    for (const [view, at] of Object.entries(look.at)) {
      const figure = document.querySelector(`.view[data-view="${view}"]`);
      figure.querySelector(".look").textContent = `${at} mm · W ${look.window[0]} L ${signed(look.window[1])}`;
    }
  }
}
