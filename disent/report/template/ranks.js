// what goes with what over the runs that are shown: Spearman's rank correlation, parallel lines
function ranks(values) {
  const sorted = values.map((v, i) => [v, i]).sort((a, b) => a[0] - b[0]);
  const found = Array(values.length);
  for (let i = 0; i < sorted.length;) {
    let end = i;
    while (end < sorted.length && sorted[end][0] === sorted[i][0]) end += 1;
    for (let k = i; k < end; k += 1) found[sorted[k][1]] = (i + end - 1) / 2;
    i = end;
  }
  return found;
}
const MOST = 2000; // runs of a correlation, lines of parallel coordinates: every k-th of more
const some = () => shown.filter((_, i) => i % Math.ceil(shown.length / MOST) === 0);
function correlation(a, b, runs) {
  const pairs = runs.map((n) => [column(a)[n], column(b)[n]])
    .filter(([x, y]) => typeof x === "number" && typeof y === "number");
  if (pairs.length < 3) return null;
  const [x, y] = [0, 1].map((side) => ranks(pairs.map((pair) => pair[side])));
  const middle = (pairs.length - 1) / 2;
  let [xy, xx, yy] = [0, 0, 0];
  for (let i = 0; i < x.length; i += 1) {
    xy += (x[i] - middle) * (y[i] - middle);
    xx += (x[i] - middle) ** 2;
    yy += (y[i] - middle) ** 2;
  }
  return xx * yy > 0 ? { value: xy / Math.sqrt(xx * yy), runs: pairs.length } : null;
}
function cellsOf(across, down) {
  const runs = some();
  return down.flatMap((b) => across.map((a) => {
    const found = correlation(a, b, runs);
    return found && { a: shownName(a), b: shownName(b), ...found };
  })).filter(Boolean);
}

if (page.several) {
  const scores = (page.groups.scores ?? []).filter(numeric);
  const settings = ["strength", ...(page.groups.settings ?? [])]
    .filter((name, i, all) => all.indexOf(name) === i && page.columns[name] && numeric(name));
  const matrix = (id, across, down) => addChart(figure(id), () => {
    const cells = cellsOf(across, down);
    return cells.length && { kind: "matrix", fill: {}, data: { cells } };
  }, document.querySelector(id));
  matrix("#agreement", scores, scores);
  matrix("#ranks", scores, settings);

  // parallel coordinates: of each column its place between its smallest and largest value
  const lined = document.querySelector("#lined");
  const likely = new Set(["strength", "rate", ...scores.slice(0, 5)]);
  const boxes = [...new Set([...settings, "rate", "distortion", ...scores])]
    .filter((name) => page.columns[name] && numeric(name))
    .map((name) => {
      const box = element("input", { type: "checkbox", checked: likely.has(name), value: name });
      box.addEventListener("change", () => refresh());
      lined.append(element("label", {}, box, shownName(name)));
      return box;
    });
  addChart(figure("#parallel"), () => {
    const names = boxes.filter((box) => box.checked).map((box) => box.value);
    const kept = new Set(some());
    const base = rowsOf({}, (n) => kept.has(n));
    const runs = names.flatMap((name) => {
      const values = column(name);
      const [low, high] = extent(shown.map((n) => values[n]).filter((v) => v !== null)) ?? [0, 0];
      return base.filter((row) => values[row.n] !== null).map((row) => ({ ...row,
        column: shownName(name), value: values[row.n],
        place: high > low ? (values[row.n] - low) / (high - low) : 0.5 }));
    });
    return runs.length && { kind: "parallel", fill: {}, data: { runs } };
  });

  // bars that were computed when the page was made
  for (const [id, bars] of Object.entries(page.bars)) {
    addChart(figure(`#${id}`), () => ({ kind: "bars",
      fill: { x: bars.x, kinds: bars.kinds },
      lines: new Set(bars.cells.map((cell) => cell.name)).size, data: { cells: bars.cells } }));
  }
}
