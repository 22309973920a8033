// What a test asks of the page: texts that do not stand out, parts that are clipped, controls without a name.

(() => {
  const parts = (colour) => { const [r, g, b, a = 1] = colour.match(/[\d.]+/g).map(Number); return [r, g, b, a]; };
  const linear = (value) => (value / 255 <= 0.03928 ? value / 255 / 12.92 : ((value / 255 + 0.055) / 1.055) ** 2.4);
  const light = ([r, g, b]) => 0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b);
  const seen = (element) => element.checkVisibility();

  function ground(element) {
    for (let one = element; one; one = one.parentElement) {
      const colour = parts(getComputedStyle(one).backgroundColor);
      if (colour[3] > 0.99) return colour;
    }
    return [0, 0, 0, 1];
  }

  // WCAG 2.2, 1.4.3: at least 4.5 for text; what is disabled is exempt.
  function faint() {
    const found = {};
    for (const element of document.querySelectorAll("#panel *, dialog[open] *")) {
      const own = [...element.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim());
      if (!own || !seen(element) || element.closest(":disabled")) continue;
      const [a, b] = [light(parts(getComputedStyle(element).color)), light(ground(element))].sort((x, y) => y - x);
      const contrast = (a + 0.05) / (b + 0.05);
      if (contrast < 4.5) found[element.textContent.trim().slice(0, 40)] = contrast;
    }
    return found;
  }

  // What reaches beyond the window, lies under something else, or does not hold its own words.
  function clipped() {
    const bad = (element) => {
      const box = element.getBoundingClientRect();
      const inside = box.left > -1 && box.top > -1 && box.right < innerWidth + 1 && box.bottom < innerHeight + 1;
      const hit = document.elementFromPoint(box.left + box.width / 2, box.top + box.height / 2);
      const covered = !hit || !(element.contains(hit) || hit.contains(element));
      return !inside || covered || (element.tagName === "BUTTON" && element.scrollWidth > element.clientWidth + 1);
    };
    const all = [...document.querySelectorAll("#panel button, #panel select, #panel h1, #state, .view")];
    return all.filter((one) => seen(one) && !one.closest("#list") && bad(one)).map((one) => one.id || one.textContent.trim());
  }

  function nameless() {
    const all = [...document.querySelectorAll("button, select, input, textarea, dialog, [role]:not([role=status])")];
    const named = (one) => one.getAttribute("aria-label") || one.textContent.trim() || one.title || (one.labels && one.labels.length);
    return all.filter((one) => seen(one) && !named(one)).map((one) => one.outerHTML.slice(0, 80));
  }

  window.access = { faint, clipped, nameless };
})();
