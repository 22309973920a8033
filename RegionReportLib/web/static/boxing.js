// A box as the place of a sentence: dragged in the slices or given by numbers; the server holds it.

const $ = (id) => document.getElementById(id);

export class Boxing {
  constructor(desk) {
    this.desk = desk;
    this.form = $("boxing");
    this.fields = [...this.form.querySelectorAll("input")];  // from, to of x, y, z
    this.typed = "";  // the numbers that were sent last, until the server holds them
    this.form.addEventListener("submit", (event) => { event.preventDefault(); this.take(); });
    $("unboxed").addEventListener("click", () => this.leave());
    for (const field of this.fields) field.addEventListener("input", () => this.tell());
    this.form.addEventListener("keydown", (event) => {
      if (event.key === "Escape") { event.preventDefault(); this.leave(); }
      if (event.key.toLowerCase() === "r" && !event.ctrlKey) { event.preventDefault(); this.take(); }
      if (event.key !== "ArrowUp" && event.key !== "ArrowDown") return;
      event.stopPropagation();
    });
  }

  get active() { return Boolean(this.desk.state && this.desk.state.box); }

  show(box) {
    const begun = box && this.form.hidden;
    const ended = !box && !this.form.hidden;
    this.form.hidden = !box;
    document.body.classList.toggle("boxing", Boolean(box));
    if (ended) $("list").focus({ preventScroll: true });
    if (!box) return;
    $("boxed").textContent = `${box.region}: drag a rectangle in a slice, a second one across it for the depth; or set the numbers.`;
    if (begun) this.typed = "";
    // A late answer to the first digits must not take back those that were typed since.
    if (this.typed && this.typed !== JSON.stringify([box.low, box.high])) return;
    this.typed = "";
    this.fields.forEach((field, n) => {
      const value = String(n % 2 ? box.high[n >> 1] : box.low[n >> 1]);
      if (field !== document.activeElement) field.value = value;
    });
    if (begun) this.fields[0].focus();
  }

  tell() {
    const numbers = this.fields.map((field) => field.valueAsNumber);
    if (numbers.some((n) => !Number.isFinite(n))) return;
    const low = [0, 2, 4].map((n) => numbers[n]), high = [1, 3, 5].map((n) => numbers[n]);
    this.typed = JSON.stringify([low, high]);
    this.desk.send({ do: "box_set", low, high });
  }

  drawn(view, from, to) {
    document.activeElement.blur();  // else the field that is being typed in would keep its old number
    this.typed = "";
    this.desk.send({ do: "box_drag", view, x: from.x, y: from.y, x2: to.x, y2: to.y });
  }

  take() { this.desk.send({ do: "box_take" }); }

  leave() { this.desk.send({ do: "box_leave" }); }
}
