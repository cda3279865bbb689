// drawing: a chart is redrawn when it is looked at after its rows have changed
const charts = [];
const SVG_ROWS = 3000; // more points than these are drawn on a canvas
const seen = new IntersectionObserver((entries) => {
  for (const entry of entries) {
    const chart = charts.find((each) => each.holder === entry.target);
    if (!chart) continue;
    chart.seen = entry.isIntersecting;
    if (chart.seen) redraw(chart);
  }
}, { rootMargin: "200px" });

// make() says what to draw now: {kind, fill, axes, data}, and how many lines of text; or nothing, which hides the chart
function addChart(holder, make, outer = holder) {
  const chart = { holder, outer, make, stale: true, seen: false, spec: null, view: null };
  charts.push(chart);
  seen.observe(holder);
  return chart;
}
function refresh(theme) {
  for (const chart of charts) {
    chart.stale = true;
    if (theme) chart.spec = null;
    if (chart.seen || chart.outer.hidden) redraw(chart);
  }
}

function filled(value, fill) {
  if (typeof value === "string" && value[0] === "$") return fill[value.slice(1)] ?? null;
  if (Array.isArray(value)) {
    const only = value.length === 1 && filled(value[0], fill);
    return Array.isArray(only) ? only : value.map((item) => filled(item, fill));
  }
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, filled(v, fill)]));
}

// what kind of values the axes have, for every channel that shows x or y
function setAxes(spec, axes) {
  for (const layer of spec.layer ?? [spec]) {
    for (const encoding of [layer.encoding, spec.encoding]) {
      for (const name of ["x", "y"]) {
        const channel = encoding?.[name];
        const axis = axes[name];
        if (!axis || channel?.field !== name) continue;
        if (channel.aggregate && axis.type !== "quantitative") delete channel.aggregate;
        channel.type = axis.type;
        channel.scale = axis.type === "quantitative"
          ? { zero: false, nice: true, ...channel.scale, ...axis.scale } : undefined;
        if (channel.scale?.type === "log") delete channel.scale.zero;
        if (name === "x" && axis.type === "ordinal") channel.axis = { labelAngle: 0, ...channel.axis };
        if (axis.axis) channel.axis = { ...axis.axis, ...channel.axis };
        channel.sort = axis.type === "quantitative" ? undefined : axis.sort ?? null;
      }
    }
  }
}

function look(width) {
  const style = getComputedStyle(document.documentElement);
  const [ink, muted, faint] = ["--ink", "--muted", "--faint"].map((v) => style.getPropertyValue(v));
  const font = "system-ui, 'DejaVu Sans', sans-serif";
  const colours = { labelColor: ink, titleColor: ink, gridColor: faint, domainColor: muted };
  return {
    background: null, font, view: { stroke: null },
    axis: { ...colours, tickColor: muted, labelFontSize: 11, titleFontSize: 12, gridOpacity: 0.6,
      titleFontWeight: "normal", labelOverlap: "greedy", labelLimit: Math.max(130, Math.min(440, 0.38 * width)), labelSeparation: 4, titleLimit: 320 },
    legend: { labelColor: ink, titleColor: ink, labelFontSize: 11, labelLimit: 165,
      columns: Math.max(1, Math.floor(width / 190)) },
    rule: { color: muted }, tick: { color: ink },
    range: { category: palette(), diverging: isDark()
      ? ["#c25b3a", "#2a2f34", "#2f7ec0"] : ["#f0a080", "#ffffff", "#80b4e4"] },
  };
}

async function redraw(chart) {
  if (!chart.stale) return;
  chart.stale = false;
  const made = chart.make();
  chart.outer.hidden = !made;
  if (!made) return;
  if (chart.outer.hidden === false && !chart.holder.clientWidth) { chart.stale = true; return; }
  const ink = getComputedStyle(document.documentElement).getPropertyValue("--ink");
  const spec = filled(page.charts[made.kind], { ...made.fill, ink });
  setAxes(spec, made.axes ?? {});
  if (made.lines) spec.height = 24 * made.lines;
  const text = JSON.stringify(spec);
  if (chart.spec === text && chart.view) {
    for (const [name, rows] of Object.entries(made.data)) chart.view.data(name, rows);
    await chart.view.runAsync();
    return;
  }
  chart.spec = text;
  chart.view?.finalize();
  chart.view = null;
  const many = Math.max(...Object.values(made.data).map((rows) => rows.length)) > SVG_ROWS;
  spec.datasets = made.data;
  const drawn = await vegaEmbed(chart.holder, spec, {
    mode: "vega-lite", actions: false, logLevel: 1, // of errors alone
    renderer: many ? "canvas" : "svg", config: look(chart.holder.clientWidth),
    tooltip: { theme: isDark() ? "dark" : "light" },
  });
  chart.view = drawn.view;
  chart.view.addEventListener("click", (event, item) => {
    if (item?.datum?.n !== undefined) location.hash = `#run-${item.datum.n}`;
  });
}

// rows of runs: the columns that a figure asks for, and how the run's family looks
function rowsOf(fields, keep = () => true) {
  const named = Object.entries(fields).map(([field, name]) => [field, column(name)]);
  const [runs, of, settings] = [column("run"), column("family"), column("setting")];
  const colours = palette();
  return shown.filter(keep).map((n) => {
    const family = familyOf.get(of[n]);
    const row = { n, run: runs[n], family: family.name, setting: settings[n] ?? "",
      colour: colours[family.place], shape: family.shape };
    for (const [field, values] of named) row[field] = values[n];
    return row;
  });
}
const known = (row) => row.x !== null && row.x !== undefined && row.y !== null && row.y !== undefined;

// few values stand side by side, many on a line, those of a setting logarithmic if they span much
function axisOf(values, few = 0, setting = true) {
  if (values.some((v) => typeof v === "string")) return { type: "nominal", sort: "ascending" };
  const different = [...new Set(values)].sort((a, b) => a - b);
  if (different.length <= few) return { type: "ordinal", sort: "ascending" };
  const wide = setting && different[0] > 0 && different.at(-1) / different[0] > 50;
  return { type: "quantitative", scale: { type: wide ? "log" : "linear" },
    axis: different.every(Number.isInteger) ? { tickMinStep: 1 } : {} };
}
changed.push(refresh);
