// the figures over runs
function select(id, groups, first) {
  const made = document.querySelector(id);
  for (const [kind, names] of Object.entries(groups)) {
    if (!names.length) continue;
    made.append(element("optgroup", { label: kind },
      ...names.map((name) => element("option", { value: name }, shownName(name)))));
  }
  if (first) made.value = first;
  made.addEventListener("change", () => refresh());
  return made;
}
const figure = (id) => document.querySelector(`${id} .chart`);
function panel(grid, title, whole = title) {
  const holder = element("div", { className: "chart" });
  const outer = element("figure", {}, element("figcaption", { title: whole }, title), holder);
  grid.append(outer);
  return [holder, outer];
}
function extent(values) {
  if (!values.length) return null;
  const [low, high] = [Math.min(...values), Math.max(...values)];
  return low < high ? [low, high] : [low - 0.5, high + 0.5];
}
const of = (family) => (n) => column("family")[n] === family.name;
const wholeName = (family) => page.families[families.indexOf(family)][1];
function knobOf(family) { // what its strength is called: "beta" of "beta 4"
  const settings = column("setting");
  const n = settings.findIndex((setting, i) => setting && of(family)(i));
  return n < 0 ? "strength" : settings[n].split(" ")[0];
}
const NAMED = { rate: "rate, nats per image", distortion: "distortion, nats per image" };
const axisName = (name) => NAMED[name] ?? shownName(name);

if (page.several) {
  const numbers = Object.fromEntries(Object.entries(page.groups)
    .map(([kind, names]) => [kind, names.filter(numeric)]));
  const judged = { scores: numbers.scores ?? [], other: [
    ...(numbers["terms, nats per image"] ?? []), ...(numbers["of the training"] ?? [])] };
  const first = page.shown.find((name) => judged.scores.includes(name)) ?? judged.other[0];

  // a score: by family, and against the strength of each
  const score = select("#score", judged, first);
  addChart(figure("#by-family"), () => {
    const rows = rowsOf({ x: score.value, y: "family" }).filter(known);
    return rows.length && { kind: "families", fill: { x: axisName(score.value), y: "family" },
      lines: new Set(rows.map((row) => row.family)).size, data: { runs: rows } };
  }, document.querySelector("#by-family"));
  const panels = document.querySelector("#by-strength");
  let domain = null;
  changed.unshift(() => { domain = null; });
  score.addEventListener("change", () => { domain = null; });
  const baselines = ["chance", "untrained", "pca"];
  for (const family of families) {
    const mine = [...Array(page.rows).keys()].filter(of(family));
    const strengths = new Set(mine.map((n) => column("strength")[n]).filter((v) => v !== null));
    if (strengths.size < 2) continue;
    const fields = () => ({ x: "strength", y: score.value,
      ...Object.fromEntries(baselines.map((part) => [part, `${score.value}.${part}`])) });
    const [holder, outer] = panel(panels, family.name, wholeName(family));
    const knob = knobOf(family);
    addChart(holder, () => {
      const rows = rowsOf(fields(), of(family)).filter(known);
      if (!rows.length) return null;
      domain ??= extent(["", ".chance", ".untrained", ".pca"].flatMap((part) => {
        const values = column(score.value + part);
        return shown.map((n) => values[n]).filter((v) => v !== null);
      }));
      return { kind: "strength", fill: { x: knob, y: axisName(score.value) },
        axes: { x: axisOf(rows.map((row) => row.x), 12),
          y: { type: "quantitative", scale: { domain } } }, data: { runs: rows } };
    }, outer);
  }
  document.querySelector("#strength-section").hidden = !panels.children.length;

  // rate and distortion: a plane for each dataset and likelihood
  const planes = document.querySelector("#planes");
  const placed = (n) => column("rate")[n] !== null && column("distortion")[n] !== null;
  const whereIs = (n) => [column("data")[n] ?? "data", column("model.likelihood")[n]]
    .filter(Boolean).join(", ");
  const places = [...new Set([...Array(page.rows).keys()].filter(placed).map(whereIs))];
  for (const place of places) {
    const [holder, outer] = panel(planes, place);
    addChart(holder, () => {
      const fields = { x: "rate", y: "distortion", strength: "strength", h: "evaluated.entropy" };
      const rows = rowsOf(fields, (n) => placed(n) && whereIs(n) === place);
      if (!rows.length) return null;
      const bounds = [...new Set(rows.map((row) => row.h).filter((h) => h !== null))];
      const bound = bounds.length === 1 ? [{ x: 0, y: bounds[0], name: "auto-decoding limit" },
        { x: bounds[0], y: 0, name: "auto-encoding limit" }] : [];
      outer.firstChild.textContent = place
        + (bound.length ? `: R + D = H(x) = ${written(bounds[0])} nats` : "");
      return { kind: "plane", fill: { x: NAMED.rate, y: NAMED.distortion },
        axes: {}, data: { runs: rows, bound } };
    }, outer);
  }
  document.querySelector("#plane-section").hidden = !places.length;

  // any two columns
  const own = page.groups["what it is"] ?? [];
  const axes = { "what it is": own, ...numbers };
  const [across, up] = [
    select("#across", axes, judged.other.includes("rate") ? "rate" : judged.other[0]),
    select("#up", axes, first)];
  const isSetting = (name) => (page.groups.settings ?? []).includes(name);
  addChart(figure("#pair"), () => {
    const rows = rowsOf({ x: across.value, y: up.value }).filter(known);
    return rows.length && { kind: "pair", fill: { x: axisName(across.value), y: axisName(up.value) },
      axes: { x: axisOf(rows.map((row) => row.x), 0, isSetting(across.value)),
        y: axisOf(rows.map((row) => row.y), 0, isSetting(up.value)) },
      data: { runs: rows } };
  });

  // H(x) - D <= I(x; z) <= R
  const information = document.querySelector("#information");
  const KINDS = ["R, upper bound", "I(x; z)", "H(x) \u2212 D, lower bound"];
  for (const family of families) {
    const fields = { x: "strength", r: "evaluated.rate", i: "evaluated.mutual_information",
      d: "evaluated.distortion", h: "evaluated.entropy" };
    const rowsIn = () => rowsOf(fields, of(family))
      .filter((row) => [row.x, row.r, row.i, row.d, row.h].every((v) => v !== null))
      .flatMap((row) => [row.r, row.i, row.h - row.d]
        .map((y, k) => ({ ...row, y, kind: KINDS[k] })));
    if (new Set(rowsIn().map((row) => row.x)).size < 2) continue;
    const [holder, outer] = panel(information, family.name, wholeName(family));
    addChart(holder, () => {
      const rows = rowsIn();
      return rows.length && { kind: "bounds", fill: { x: knobOf(family), y: "nats per image", kinds: KINDS },
        axes: { x: axisOf(rows.map((row) => row.x), 12) }, data: { runs: rows } };
    }, outer);
  }
  document.querySelector("#information-section").hidden = !information.children.length;
}
