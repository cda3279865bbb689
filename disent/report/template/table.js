// the table: columns that the reader chooses, sorted by a click; rows are made as they are scrolled to
const table = document.querySelector("#runs-table");
const body = table.tBodies[0];
const frame = table.closest(".tall");
const PART = 200; // rows
let chosen = [...page.shown];
let order = { name: null, up: true };
let listed = [];

function compare(a, b) {
  if (typeof a === "number" && typeof b === "number") return a - b;
  return String(a).localeCompare(String(b), undefined, { numeric: true });
}

function drawHead() {
  const cells = ["run", ...chosen].map((name) => {
    const sorted = order.name === name ? (order.up ? "ascending" : "descending") : "none";
    const side = { className: numeric(name) ? "number" : "" };
    const cell = element("th", side, element("button", { type: "button" }, shownName(name)));
    cell.setAttribute("aria-sort", sorted);
    cell.dataset.name = name;
    return cell;
  });
  table.tHead.replaceChildren(element("tr", {}, ...cells));
}

function drawRow(n) {
  const name = column("run")[n];
  const link = element("a", { href: `#run-${n}`, title: name }, name);
  const row = element("tr", {}, element("th", { scope: "row" }, link));
  for (const each of chosen) {
    const value = column(each)[n];
    const cell = element("td", { className: typeof value === "number" ? "number" : "" });
    cell.textContent = written(value);
    if (cell.textContent.length > 20) cell.classList.add("long");
    row.append(cell);
  }
  return row;
}

function more() {
  const from = body.rows.length;
  body.append(...listed.slice(from, from + PART).map(drawRow));
}

function drawTable() {
  listed = [...shown];
  if (order.name) {
    const values = column(order.name);
    listed.sort((a, b) => {
      const [x, y] = [values[a], values[b]];
      if (x === null || y === null) return (x === null) - (y === null);
      return order.up ? compare(x, y) : compare(y, x);
    });
  }
  drawHead();
  body.replaceChildren();
  more();
}
changed.push((theme) => theme || drawTable());
frame.addEventListener("scroll", () => {
  if (frame.scrollTop + frame.clientHeight > frame.scrollHeight - 800) more();
});
table.tHead.addEventListener("click", (event) => {
  const name = event.target.closest("th")?.dataset.name;
  if (!name) return;
  order = { name, up: order.name !== name || !order.up };
  drawTable();
  for (const cell of table.tHead.rows[0].cells) {
    if (cell.dataset.name === name) cell.firstChild.focus({ preventScroll: true });
  }
});

// which columns: a box each, by kind
const chooser = document.querySelector("#columns");
for (const [kind, names] of Object.entries(page.groups)) {
  const set = element("fieldset", {}, element("legend", {}, kind));
  for (const name of names) {
    const box = element("input", { type: "checkbox", checked: chosen.includes(name) });
    box.addEventListener("change", () => {
      chosen = box.checked ? [...chosen, name] : chosen.filter((other) => other !== name);
      drawTable();
    });
    set.append(element("label", {}, box, shownName(name)));
  }
  chooser.append(set);
}
drawTable();
