// Pairs of texts that lie over each other in the figures, each told by both texts.
() => {
  const boxes = [];
  const walker = document.createTreeWalker(document.querySelector("#figures"), NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const node = walker.currentNode;
    const holder = node.parentElement;
    if (!node.textContent.trim() || !holder.checkVisibility({ opacityProperty: true })) continue;
    if (holder.closest("select, script, style, #legend, .vega-bind")) continue;
    const range = document.createRange();
    range.selectNodeContents(node);
    for (const box of range.getClientRects()) {
      if (box.width > 1 && box.height > 1) boxes.push([box, node.textContent.trim(), holder]);
    }
  }
  const slack = 2; // pixels: letters do not fill their boxes
  const found = [];
  for (let i = 0; i < boxes.length; i += 1) {
    for (let k = i + 1; k < boxes.length; k += 1) {
      const [[a, one, from], [b, other, to]] = [boxes[i], boxes[k]];
      if (from === to) continue;
      const wide = Math.min(a.right, b.right) - Math.max(a.left, b.left);
      const high = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
      if (wide > slack && high > slack) found.push(`${one} / ${other}`);
    }
  }
  return { texts: boxes.length, found };
}
