// a run's section is made when it is opened: what the page drew of it, its scores, its settings
const list = document.querySelector("#opened");
const SCORE_PARTS = ["", ".spread", ".untrained", ".pca", ".chance", ".variant"];

function tableOf(heads, rows) {
  const head = element("tr", {}, ...heads.map((text) => element("th", {}, text)));
  const lines = rows.map((cells) => element("tr", {}, ...cells.map((value, i) => element("td", {
    className: typeof value === "number" || (i && heads[i] !== "variant") ? "number" : "",
  }, written(value)))));
  const made = element("table", {}, element("thead", {}, head), element("tbody", {}, ...lines));
  return element("div", { className: "scroll" }, made);
}

function contentOf(n) {
  const parts = document.querySelector(`#parts-${n}`);
  const content = element("div", { className: "content" });
  const reason = column("reason")[n];
  if (reason) content.append(element("p", {}, reason));
  if (parts) content.append(parts.content.cloneNode(true));
  else content.append(element("p", { className: "muted" }, page.undrawn));
  const told = page.scores.filter((name) => column(name)[n] !== null).map((name) => [name,
    ...SCORE_PARTS.map((part) => column(name + part)[n])]);
  if (told.length) {
    content.append(element("h4", {}, "Scores beside their baselines"),
      tableOf(["score", "value", "spread", "untrained", "PCA", "chance", "variant"], told));
  }
  const settings = element("dl");
  for (const name of Object.keys(page.columns)) {
    if (/^(model|data|loader|evaluate|seed|trainer\.(max_steps|precision))(\.|$)/.test(name)
      && column(name)[n] !== null) {
      settings.append(element("dt", {}, name), element("dd", {}, written(column(name)[n])));
    }
  }
  content.append(element("h4", {}, "Settings"), settings);
  return content;
}

function drawCurves(content) {
  const stored = content.querySelector("script.curves");
  if (!stored) return;
  const holder = content.querySelector(".curves-here");
  for (const { title, unit, log, step, lines, across } of JSON.parse(stored.textContent)) {
    const steps = Object.entries(lines).flatMap(([line, values]) => values
      .map((y, i) => ({ line, x: step[i], y })).filter((row) => row.y !== null));
    const [chart, outer] = panel(holder, title);
    addChart(chart, () => ({ kind: "curves",
      fill: { x: across, y: unit + (log ? ", log scale" : ""), lines: Object.keys(lines) },
      axes: { x: { type: "quantitative" },
        y: { type: "quantitative", scale: { type: log ? "log" : "linear" } } },
      data: { steps } }), outer);
  }
}

function sectionOf(n) {
  const there = document.getElementById(`run-${n}`);
  if (there) return there;
  const [name, how] = [column("run")[n], column("state")[n]];
  const section = element("details", { id: `run-${n}` }, element("summary", {}, `${name} `,
    element("span", { className: `state ${how === "finished" ? "good" : "bad"}` }, how)));
  section.addEventListener("toggle", () => {
    if (!section.open || section.dataset.filled) return;
    section.dataset.filled = "yes";
    const content = contentOf(n);
    section.append(content);
    drawCurves(content);
  });
  const after = [...list.children].find((other) => Number(other.id.slice(4)) > n);
  list.insertBefore(section, after ?? null);
  return section;
}
for (const n of page.drawn) sectionOf(n);
changed.push((theme) => {
  if (theme) return;
  const kept = new Set(shown);
  for (const section of list.children) section.hidden = !kept.has(Number(section.id.slice(4)));
});

// a link to a run opens its section
let followed = null; // the link: going to a section takes the focus from it
function open() {
  const found = location.hash.match(/^#run-(\d+)$/);
  if (!found || Number(found[1]) >= page.rows) return;
  const section = sectionOf(Number(found[1]));
  section.hidden = false;
  section.open = true;
  enter(section, followed);
  followed = null;
  section.scrollIntoView();
}
addEventListener("hashchange", open);
document.addEventListener("click", (event) => {
  const link = event.target.closest?.('a[href^="#run-"]');
  if (link) followed = link;
  if (link && link.getAttribute("href") === location.hash) open(); // closed meanwhile
});
open();

// sliders: the strip of a latent's pictures moves behind its frame
document.addEventListener("input", (event) => {
  const slider = event.target.closest(".slider");
  if (!slider) return;
  const values = event.target.dataset.values.split(" ");
  const position = Number(event.target.value);
  slider.querySelector(".frame").style.backgroundPositionX = `${(100 * position) / (values.length - 1)}%`;
  slider.querySelector("output").textContent = values[position];
  event.target.setAttribute("aria-valuetext", values[position]);
});

// two runs side by side: what differs, then all that there is of both
const beside = document.querySelector("#beside");
const pair = ["#left", "#right"].map((id) => document.querySelector(id));
function compareRuns() {
  const [a, b] = pair.map((input) => column("run").indexOf(input.value));
  beside.replaceChildren();
  if (a < 0 || b < 0) return;
  const differing = Object.entries(page.groups)
    .flatMap(([kind, names]) => (/^(beside|of the)/.test(kind) ? [] : names))
    .map((name) => [shownName(name), column(name)[a], column(name)[b]])
    .filter(([, x, y]) => x !== y)
    .map(([name, x, y]) => [name, x, y,
      typeof x === "number" && typeof y === "number" ? Number((y - x).toPrecision(4)) : ""]);
  const names = [a, b].map((n) => column("run")[n]);
  const columns = [a, b].map((n) => {
    const content = contentOf(n);
    content.prepend(element("h3", {}, column("run")[n]));
    return content;
  });
  beside.append(tableOf(["what differs", ...names, "difference"], differing),
    element("div", { className: "two" }, ...columns));
  columns.forEach(drawCurves);
}
if (page.several) {
  const names = document.querySelector("#names");
  for (const input of pair) {
    input.addEventListener("change", compareRuns);
    input.addEventListener("focus", () => {
      if (!names.children.length) names.append(...column("run").map((value) => element("option", { value })));
    });
  }
}
const ramp = document.querySelector("#ramp");
if (ramp) drawCurves(ramp);
