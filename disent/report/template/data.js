"use strict";
// the runs: columns as the page holds them, and which of the runs are shown
const page = JSON.parse(document.querySelector("#data").textContent);
const decoded = new Map();
function column(name) {
  if (!decoded.has(name)) decoded.set(name, decode(page.columns[name]));
  return decoded.get(name);
}
function decode(stored) {
  if (Array.isArray(stored)) return stored;
  if (stored === undefined || "same" in stored) return Array(page.rows).fill(stored?.same ?? null);
  if ("at" in stored) {
    const found = Array(page.rows).fill(null);
    stored.at.forEach((n, i) => { found[n] = stored.values[i]; });
    return found;
  }
  return stored.codes.map((code) => (code < 0 ? null : stored.levels[code]));
}
function numeric(name) {
  const stored = page.columns[name];
  return !("levels" in stored || typeof stored.same === "string");
}
const shownName = (name) => page.names[name] ?? name;
function written(value) {
  if (typeof value !== "number") return value ?? "";
  return Number.isInteger(value) ? String(value) : String(Number(value.toPrecision(4)));
}

function element(tag, options = {}, ...children) {
  const made = Object.assign(document.createElement(tag), options);
  made.append(...children);
  return made;
}

// families: colour and shape, and a legend that switches them
const SHAPES = ["circle", "square", "triangle-up", "diamond", "cross", "triangle-down"];
const darkness = matchMedia("(prefers-color-scheme: dark)");
const theme = document.querySelector("#theme"); // the reader's own choice; "": the system's
const isDark = () => (theme.value ? theme.value === "dark" : darkness.matches);
const PALETTES = {
  light: ["#0072b2", "#c24e00", "#00805f", "#b04e8f", "#8a6500", "#2b8cbe", "#6a51a3", "#555555"],
  dark: ["#4aa3e0", "#f0866a", "#4cc38a", "#e49ac4", "#e6b450", "#8fd3ff", "#b3a4f0", "#c8c8c8"],
};
const palette = () => PALETTES[isDark() ? "dark" : "light"];
const families = page.families.map(([name], i) => ({
  name, place: i % 8, shape: SHAPES[(i + Math.floor(i / 24)) % 6], on: true,
}));
const familyOf = new Map(families.map((family) => [family.name, family]));

let shown = [...Array(page.rows).keys()];
const changed = []; // what follows a change of the filter
const filter = document.querySelector("#filter");
const state = document.querySelector("#state");
let texts = null;
function textOf(n) {
  texts ??= new Map();
  if (!texts.has(n)) {
    const cells = ["run", ...page.shown].map((name) => written(column(name)[n]));
    texts.set(n, cells.join("\u0001").toLowerCase());
  }
  return texts.get(n);
}
function choose() {
  const wanted = filter.value.trim().toLowerCase();
  const [states, of] = [column("state"), column("family")];
  shown = [...Array(page.rows).keys()].filter((n) => familyOf.get(of[n]).on
    && (!state.value || states[n] === state.value)
    && (!wanted || textOf(n).includes(wanted)));
  const counted = `${shown.length} of ${page.rows} runs`;
  for (const output of document.querySelectorAll(".count")) output.textContent = counted;
  for (const act of changed) act();
}
let waiting = 0;
filter.addEventListener("input", () => {
  clearTimeout(waiting);
  if (page.rows <= 1000) choose();
  else waiting = setTimeout(choose, 150); // while one types
});
state.addEventListener("change", choose);

function swatch(family) {
  const holder = element("span", { className: "swatch" });
  const path = {
    circle: '<circle cx="7" cy="7" r="4.5"/>', square: '<path d="M3 3h8v8h-8z"/>',
    "triangle-up": '<path d="M7 2l5 9h-10z"/>', diamond: '<path d="M7 1l5 6-5 6-5-6z"/>',
    cross: '<path d="M5.5 2h3v3.500h3.500v3h-3.500v3.500h-3v-3.500h-3.500v-3h3.500z"/>',
    "triangle-down": '<path d="M7 12l5-9h-10z"/>',
  }[family.shape];
  holder.innerHTML = `<svg viewBox="0 0 14 14" aria-hidden="true">${path}</svg>`;
  holder.style.setProperty("--colour", `var(--family-${family.place})`);
  return holder;
}
const legend = document.querySelector("#legend");
const boxes = families.map((family, i) => {
  const box = element("input", { type: "checkbox", checked: true });
  box.addEventListener("change", () => { family.on = box.checked; choose(); });
  const [, whole, runs] = page.families[i];
  legend.append(element("label", { title: whole }, box, swatch(family), `${family.name} (${runs})`));
  return box;
});
for (const [id, on] of [["all", true], ["none", false]]) {
  document.querySelector(`#families-${id}`).addEventListener("click", () => {
    boxes.forEach((box, i) => { box.checked = on; families[i].on = on; });
    choose();
  });
}
function paint() {
  palette().forEach((colour, i) => {
    document.documentElement.style.setProperty(`--family-${i}`, colour);
  });
}
function repaint() {
  document.documentElement.dataset.theme = theme.value;
  paint();
  for (const act of changed) act(true);
}
paint();
darkness.addEventListener("change", repaint);
theme.addEventListener("change", repaint);
if (theme.value) repaint(); // kept by the browser over a reload
