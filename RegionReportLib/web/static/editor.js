// The field in which words are changed. What is typed is kept in the browser until the server has it.

export class Editor {
  constructor(report) {
    this.report = report;  // returns the id of the open report
    this.form = document.getElementById("editor");
    this.field = document.getElementById("words");
    this.doing = null;
    this.field.addEventListener("input", () => this.remember());
    this.form.addEventListener("submit", (event) => { event.preventDefault(); this.end(true); });
    document.getElementById("leave").addEventListener("click", () => this.end(false));
    this.form.addEventListener("keydown", (event) => {
      if (event.key === "Escape") { event.preventDefault(); this.end(false); }
      if (event.key === "Enter" && event.ctrlKey) { event.preventDefault(); this.end(true); }
      event.stopPropagation();
    });
  }

  get open() { return this.doing !== null; }

  // `keep(text, at)` returns whether the server took it; `title` tells what is being done.
  start({ act, id, text, title, at = null, keep }) {
    this.doing = { act, id, keep };
    document.getElementById("editing").textContent = title;
    this.field.value = text;
    this.form.hidden = false;
    this.field.focus();
    const place = at === null ? text.length : at;
    this.field.setSelectionRange(place, place);
    this.remember();
  }

  end(keep) {
    if (!this.open) return;
    const { keep: give } = this.doing;
    const typed = this.field.value;
    if (keep && typed.trim()) {
      const at = Array.from(typed.slice(0, this.field.selectionStart)).length;
      if (!give(typed, at)) return;  // the words stay until the server is back
    }
    this.doing = null;
    this.form.hidden = true;
    this.field.value = "";
    localStorage.removeItem(this.key());
    document.getElementById("list").focus({ preventScroll: true });
  }

  remember() {
    if (this.open) localStorage.setItem(this.key(), JSON.stringify({ act: this.doing.act, id: this.doing.id, text: this.field.value }));
  }

  // Returns what was being typed when the page went away, or null.
  remembered() {
    try { return JSON.parse(localStorage.getItem(this.key())); } catch { return null; }
  }

  key() { return `regionreport.words.${this.report()}`; }
}
