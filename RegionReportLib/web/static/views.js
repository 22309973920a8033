// The four pictures: the newest one is shown and answered, the mouse goes back to the server.

const STILL_PX = 3;
const SPACE = 3;  // the 3D view, in which no rectangle can be drawn
const LARGE = 0.01;  // part of a view: a rectangle that is smaller was a click

export class Views {
  constructor(link, boxing) {
    this.link = link;
    this.boxing = boxing;
    this.figures = new Map();
    for (const figure of document.querySelectorAll(".view")) {
      const view = Number(figure.dataset.view);
      this.figures.set(view, figure);
      this.listen(figure, view);
    }
    this.sizes = new ResizeObserver((entries) => {
      clearTimeout(this.resizing);
      this.resizing = setTimeout(() => this.tellSizes(), 60);
    });
    for (const figure of this.figures.values()) this.sizes.observe(figure);
  }

  tellSizes() {
    // Beyond 1.5 a picture costs more than the eye gains on software drawing.
    const dense = Math.min(window.devicePixelRatio || 1, 1.5);
    for (const [view, figure] of this.figures) {
      this.link().send({ do: "size", view, w: Math.round(figure.clientWidth * dense), h: Math.round(figure.clientHeight * dense) });
    }
  }

  show(view, blob) {
    const image = this.figures.get(view).querySelector("img");
    const before = image.src;
    const done = () => {
      if (before.startsWith("blob:")) URL.revokeObjectURL(before);
      image.dataset.frame = String(Number(image.dataset.frame || 0) + 1);
      this.link().send({ do: "seen", view });
    };
    image.onload = done;
    image.onerror = done;
    image.src = URL.createObjectURL(blob);
  }

  listen(figure, view) {
    let pressed = null;
    let pending = null;
    const at = (event) => {
      const box = figure.getBoundingClientRect();
      return { x: (event.clientX - box.left) / box.width, y: (event.clientY - box.top) / box.height };
    };
    const keys = (event) => (event.shiftKey ? 1 : 0) + (event.ctrlKey ? 2 : 0);
    const tell = (kind, event) => this.link().send({ do: "mouse", view, kind, ...at(event), keys: keys(event) });
    figure.addEventListener("pointerdown", (event) => {
      event.preventDefault();
      figure.setPointerCapture(event.pointerId);
      if (this.boxing.active && event.button === 0 && view !== SPACE) {
        this.stretch(figure, at(event), at, (from, to) => this.boxing.drawn(view, from, to));
        return;
      }
      pressed = { x: event.clientX, y: event.clientY, still: true, button: event.button };
      tell(`down${event.button}`, event);
    });
    figure.addEventListener("pointermove", (event) => {
      if (!pressed) return;
      if (Math.max(Math.abs(event.clientX - pressed.x), Math.abs(event.clientY - pressed.y)) > STILL_PX) pressed.still = false;
      if (!pending) requestAnimationFrame(() => { if (pressed) tell("move", pending); pending = null; });
      pending = event;
    });
    const release = (event) => {
      if (!pressed) return;
      const { still, button } = pressed;
      pressed = null;
      tell(`up${button}`, event);
      if (still && button === 0 && event.type === "pointerup") this.link().send({ do: "click", view, ...at(event) });
    };
    figure.addEventListener("pointerup", release);
    figure.addEventListener("pointercancel", release);
    figure.addEventListener("contextmenu", (event) => event.preventDefault());
    figure.addEventListener("dblclick", () => this.link().send({ do: "fit" }));
    figure.addEventListener("wheel", (event) => {
      event.preventDefault();
      tell(event.deltaY < 0 ? "wheel+" : "wheel-", event);
    }, { passive: false });
  }

  // Looking around without a mouse; returns whether the key is one of these.
  key(figure, key) {
    const view = Number(figure.dataset.view);
    const middle = { view, x: 0.5, y: 0.5 };
    const act = {
      PageUp: { do: "mouse", kind: "wheel+", keys: 0, ...middle },
      PageDown: { do: "mouse", kind: "wheel-", keys: 0, ...middle },
      " ": { do: "click", ...middle },
    }[key];
    return Boolean(act) && this.link().send(act);
  }

  // A rectangle under the mouse until it is let go.
  stretch(figure, from, at, done) {
    const band = document.createElement("div");
    band.className = "band";
    figure.append(band);
    const move = (event) => {
      const to = at(event);
      const [left, top] = [Math.min(from.x, to.x), Math.min(from.y, to.y)];
      Object.assign(band.style, { left: `${100 * left}%`, top: `${100 * top}%`, width: `${100 * Math.abs(to.x - from.x)}%`, height: `${100 * Math.abs(to.y - from.y)}%` });
    };
    const end = (event) => {
      figure.removeEventListener("pointermove", move);
      figure.removeEventListener("pointerup", end);
      figure.removeEventListener("pointercancel", end);
      band.remove();
      const to = at(event);
      if (event.type === "pointerup" && Math.min(Math.abs(to.x - from.x), Math.abs(to.y - from.y)) > LARGE) done(from, to);
    };
    figure.addEventListener("pointermove", move);
    figure.addEventListener("pointerup", end);
    figure.addEventListener("pointercancel", end);
  }
}
