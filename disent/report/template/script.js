"use strict";
const table = document.querySelector("#runs-table");
const body = table.tBodies[0];

// sorting: numbers as numbers, empty cells last
function key(row, column) {
  const text = row.cells[column].dataset.sort;
  if (text === "") return null;
  const number = Number(text);
  return Number.isNaN(number) ? text : number;
}

function compare(a, b) {
  if (typeof a === "number" && typeof b === "number") return a - b;
  return String(a).localeCompare(String(b), undefined, { numeric: true });
}

table.tHead.addEventListener("click", (event) => {
  const heading = event.target.closest("th");
  if (!heading) return;
  const up = heading.getAttribute("aria-sort") !== "ascending";
  for (const other of table.tHead.rows[0].cells) other.setAttribute("aria-sort", "none");
  heading.setAttribute("aria-sort", up ? "ascending" : "descending");
  const rows = [...body.rows].map((row) => [key(row, heading.cellIndex), row]);
  rows.sort(([a], [b]) => {
    if (a === null || b === null) return (a === null) - (b === null);
    return up ? compare(a, b) : compare(b, a);
  });
  body.append(...rows.map(([, row]) => row));
});

// filtering: a part of any cell, and the state
const filter = document.querySelector("#filter");
const state = document.querySelector("#state");
function choose() {
  const wanted = filter.value.trim().toLowerCase();
  let shown = 0;
  for (const row of body.rows) {
    const fits = (!state.value || row.dataset.state === state.value)
      && (!wanted || row.textContent.toLowerCase().includes(wanted));
    row.hidden = !fits;
    shown += fits;
  }
  document.querySelector("#count").textContent = `${shown} of ${body.rows.length} runs`;
}
filter.addEventListener("input", choose);
state.addEventListener("change", choose);

// sliders: the strip of a latent's pictures moves behind its frame
document.addEventListener("input", (event) => {
  const slider = event.target.closest(".slider");
  if (!slider) return;
  const values = event.target.dataset.values.split(" ");
  const position = Number(event.target.value);
  slider.querySelector(".frame").style.backgroundPositionX = `${(100 * position) / (values.length - 1)}%`;
  slider.querySelector("output").textContent = values[position];
});

// a link to a run opens its section
function open() {
  const run = location.hash && document.getElementById(location.hash.slice(1));
  if (run && run.tagName === "DETAILS") {
    run.open = true;
    run.scrollIntoView();
  }
}
addEventListener("hashchange", open);
open();
