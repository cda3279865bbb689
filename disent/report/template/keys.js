// the keyboard: Escape closes what is open and goes back, Enter acts on boxes as Space does
const openers = new Map(); // of a run's section: the link that opened it
function enter(section, opener) {
  if (opener) openers.set(section, opener);
  section.querySelector("summary").focus({ preventScroll: true });
}
document.addEventListener("keydown", (event) => {
  if (event.isComposing || event.defaultPrevented) return;
  const { key, target } = event;
  if (key === "Enter" && target.matches?.('input[type="checkbox"]')) {
    event.preventDefault();
    target.click();
  } else if (key === "Escape" && target === filter && filter.value) {
    event.preventDefault();
    filter.value = "";
    choose();
  } else if (key === "Escape") {
    const around = target.closest?.("details[open]");
    if (!around) return;
    around.open = false;
    const back = openers.get(around);
    (back?.isConnected ? back : around.querySelector("summary")).focus();
  }
});

// a browser takes what the first column covers for seen
document.addEventListener("focusin", ({ target }) => {
  const frame = target.closest(".tall"), cell = target.closest("th, td");
  if (!frame || !cell?.previousElementSibling) return;
  const end = frame.querySelector("th").getBoundingClientRect().right;
  frame.scrollLeft -= Math.max(0, end - cell.getBoundingClientRect().left);
});

// what is wider than its frame is scrolled by the arrow keys, and says what it is
function nameOf(frame) {
  const own = frame.querySelector("caption, img")
    ?? frame.closest("article, section, .content")?.querySelector("h3, h2");
  return own?.alt || own?.textContent.trim() || "figure";
}
function reach() {
  for (const frame of document.querySelectorAll(".scroll:not(.tall)")) {
    if (frame.scrollWidth > frame.clientWidth + 1) {
      frame.tabIndex = 0;
      frame.setAttribute("role", "region");
      frame.setAttribute("aria-label", nameOf(frame));
    } else {
      for (const name of ["tabindex", "role", "aria-label"]) frame.removeAttribute(name);
    }
  }
}
let reaching = 0;
const reachSoon = () => { cancelAnimationFrame(reaching); reaching = requestAnimationFrame(reach); };
new ResizeObserver(reachSoon).observe(document.body); // as what is drawn or opened makes it grow
addEventListener("load", reachSoon);
