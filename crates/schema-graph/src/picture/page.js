"use strict";
(() => {
  const byId = (id) => document.getElementById(id);
  const stage = byId("stage"), svg = stage.querySelector("svg"), search = byId("search"), side = byId("side");
  const width = svg.width.baseVal.value, height = svg.height.baseVal.value;
  const tables = [...svg.querySelectorAll(".table")], links = [...svg.querySelectorAll(".link")];
  const buttons = [...side.querySelectorAll("button")];
  const summary = byId("found").textContent;
  // Below this scale the columns cannot be read, and the names alone are shown, in big letters.
  const FAR = 0.5;
  let view = { x: 0, y: 0, scale: 1 }, hits = [], hit = -1, chosen = null;

  const say = (text) => { byId("found").textContent = text; };

  function show() {
    const { clientWidth: w, clientHeight: h } = stage;
    svg.setAttribute("viewBox", `${view.x} ${view.y} ${w / view.scale} ${h / view.scale}`);
    svg.classList.toggle("far", view.scale < FAR);
  }

  function fit() {
    const { clientWidth: w, clientHeight: h } = stage;
    const scale = Math.min(w / width, h / height, 1.5);
    view = { scale, x: (width - w / scale) / 2, y: (height - h / scale) / 2 };
    show();
  }

  // Zooms, and keeps what is at that place of the stage where it is.
  function zoom(factor, px = stage.clientWidth / 2, py = stage.clientHeight / 2) {
    const scale = Math.min(4, Math.max(0.02, view.scale * factor));
    view.x += px / view.scale - px / scale;
    view.y += py / view.scale - py / scale;
    view.scale = scale;
    show();
  }

  function move(dx, dy) {
    view.x -= dx / view.scale;
    view.y -= dy / view.scale;
    show();
  }

  function goTo(table) {
    const box = table.querySelector(".box").getBBox(), place = table.transform.baseVal.consolidate().matrix;
    const { clientWidth: w, clientHeight: h } = stage;
    if (view.scale < 0.8) view.scale = 1;
    view.x = place.e + box.width / 2 - w / view.scale / 2;
    // A table higher than the stage is shown from its top.
    view.y = place.f + Math.min(box.height, h / view.scale - 40) / 2 - h / view.scale / 2;
    show();
  }

  function choose(table) {
    chosen = table;
    const id = table?.dataset.table, lit = new Set([id]);
    let refers = 0, referred = 0;
    for (const link of links) {
      const isLit = table !== null && (link.dataset.from === id || link.dataset.to === id);
      link.classList.toggle("lit", isLit);
      if (!isLit) continue;
      if (link.dataset.from === id) refers += 1; else referred += 1;
      lit.add(link.dataset.from).add(link.dataset.to);
    }
    svg.classList.toggle("choosing", table !== null);
    for (const other of tables) {
      other.classList.toggle("lit", lit.has(other.dataset.table));
      other.classList.toggle("chosen", other === table);
    }
    for (const button of buttons) button.classList.toggle("chosen", button.dataset.go === id);
    buttons.find((button) => button.dataset.go === id)?.scrollIntoView({ block: "nearest" });
    say(table ? `${table.dataset.name}: refers to ${refers}, referred to by ${referred}` : summary);
    history.replaceState(null, "", table ? "#" + encodeURIComponent(table.dataset.name) : location.pathname + location.search);
  }

  // How well a table is what was looked for: by its name, by a part of it, by one of its columns.
  function rank(button, wanted) {
    const name = button.textContent.toLowerCase(), fullName = tables[button.dataset.go].dataset.name.toLowerCase();
    if (wanted === "") return -1;
    if (name === wanted || fullName === wanted) return 0;
    if (name.startsWith(wanted)) return 1;
    if (fullName.includes(wanted)) return 2;
    return button.dataset.columns.toLowerCase().includes(wanted) ? 3 : -1;
  }

  function find() {
    const wanted = search.value.trim().toLowerCase();
    const found = [[], [], [], []];
    for (const button of buttons) {
      const table = tables[button.dataset.go], place = rank(button, wanted);
      found[place]?.push(table);
      button.hidden = wanted !== "" && place < 0;
      button.classList.toggle("hit", place >= 0 && place < 3);
      table.classList.toggle("hit", place >= 0);
    }
    for (const section of side.querySelectorAll("section")) section.hidden = !section.querySelector("button:not([hidden])");
    hits = found.flat();
    hit = -1;
    say(wanted === "" ? summary : hits.length === 0 ? "nothing found" : `${hits.length} found; Enter goes to the first`);
  }

  function next(step) {
    if (hits.length === 0) return;
    hit = hit < 0 && step < 0 ? hits.length - 1 : (hit + step + hits.length) % hits.length;
    choose(hits[hit]);
    goTo(hits[hit]);
    say(`${hit + 1} of ${hits.length}: ${hits[hit].dataset.name}`);
  }

  function clear() {
    search.value = "";
    find();
    choose(null);
  }

  const openSide = (isOpen) => {
    side.classList.toggle("closed", !isOpen);
    byId("toggle").setAttribute("aria-expanded", String(isOpen));
    show();
  };
  const isNarrow = () => matchMedia("(max-width:700px)").matches;

  // Dragging with one finger or the mouse moves, two fingers zoom.
  const pointers = new Map();
  let travelled = 0, pressed = null;
  const spread = () => {
    const [a, b] = [...pointers.values()];
    return { length: Math.hypot(a.x - b.x, a.y - b.y), x: (a.x + b.x) / 2, y: (a.y + b.y) / 2 };
  };
  stage.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    if (pointers.size === 0) {
      travelled = 0;
      pressed = event.target.closest?.(".table") ?? null;
    }
    pointers.set(event.pointerId, { x: event.clientX, y: event.clientY });
    stage.setPointerCapture(event.pointerId);
  });
  stage.addEventListener("pointermove", (event) => {
    const last = pointers.get(event.pointerId);
    if (!last) return;
    const before = pointers.size === 2 ? spread() : null;
    const dx = event.clientX - last.x, dy = event.clientY - last.y;
    pointers.set(event.pointerId, { x: event.clientX, y: event.clientY });
    travelled += Math.abs(dx) + Math.abs(dy);
    if (before) {
      const now = spread(), at = stage.getBoundingClientRect();
      if (before.length > 0) zoom(now.length / before.length, now.x - at.left, now.y - at.top);
      move(now.x - before.x, now.y - before.y);
    } else if (travelled > 4) {
      stage.classList.add("dragged");
      move(dx, dy);
    }
  });
  const release = (event) => {
    if (!pointers.delete(event.pointerId) || pointers.size > 0) return;
    stage.classList.remove("dragged");
    if (event.type === "pointerup" && travelled <= 4) choose(pressed === chosen ? null : pressed);
  };
  stage.addEventListener("pointerup", release);
  stage.addEventListener("pointercancel", release);
  stage.addEventListener("wheel", (event) => {
    event.preventDefault();
    const at = stage.getBoundingClientRect(), lines = event.deltaMode === 1 ? 16 : 1;
    const delta = Math.max(-240, Math.min(240, event.deltaY * lines));
    zoom(Math.exp(-delta * (event.ctrlKey ? 0.01 : 0.002)), event.clientX - at.left, event.clientY - at.top);
  }, { passive: false });

  byId("in").addEventListener("click", () => zoom(1.3));
  byId("out").addEventListener("click", () => zoom(1 / 1.3));
  byId("fit").addEventListener("click", fit);
  byId("toggle").addEventListener("click", () => openSide(side.classList.contains("closed")));
  search.addEventListener("input", find);
  search.addEventListener("keydown", (event) => {
    if (event.key === "Enter") next(event.shiftKey ? -1 : 1);
  });
  side.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (!button) return;
    if (isNarrow()) openSide(false);
    choose(tables[button.dataset.go]);
    goTo(chosen);
  });

  const keys = {
    "+": () => zoom(1.3), "=": () => zoom(1.3), "-": () => zoom(1 / 1.3), "0": fit,
    ArrowLeft: () => move(80, 0), ArrowRight: () => move(-80, 0), ArrowUp: () => move(0, 80), ArrowDown: () => move(0, -80),
    "/": () => search.focus(),
  };
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") {
      clear();
      stage.focus();
    }
    const isTyping = event.target === search, isListed = side.contains(event.target);
    if (isTyping || event.ctrlKey || event.metaKey || event.altKey || !Object.hasOwn(keys, event.key)) return;
    if (isListed && event.key.startsWith("Arrow")) return;
    event.preventDefault();
    keys[event.key]();
  });
  new ResizeObserver(show).observe(stage);

  openSide(!isNarrow());
  fit();
  let linked = "";
  try { linked = decodeURIComponent(location.hash.slice(1)); } catch { /* not one of ours */ }
  const first = tables.find((table) => linked !== "" && table.dataset.name === linked);
  if (first) {
    choose(first);
    goTo(first);
  }
})();
