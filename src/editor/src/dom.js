// Elements from words. Attributes only, never a style attribute: the site's CSP refuses those.

const SVG = "http://www.w3.org/2000/svg";

function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat(Infinity).filter((child) => child !== undefined && child !== null && child !== false && child !== ""));
  return element;
}

/** An HTML element; an attribute `onclick` is a listener, `false` and `undefined` leave an attribute out. */
export const h = (tag, attributes, ...children) => fill(document.createElement(tag), attributes, children);

/** An SVG element. */
export const s = (tag, attributes, ...children) => fill(document.createElementNS(SVG, tag), attributes, children);

/** Arrow keys, Home and End move through `items`, of which one at a time can be reached with Tab. */
export function roving(container, items, onMove = () => {}) {
  items.forEach((item, index) => item.setAttribute("tabindex", index ? "-1" : "0"));
  container.addEventListener("keydown", (event) => {
    const at = items.indexOf(event.target.closest("[tabindex]"));
    const steps = { ArrowRight: at + 1, ArrowDown: at + 1, ArrowLeft: at - 1, ArrowUp: at - 1, Home: 0, End: items.length - 1 };
    const to = steps[event.key];
    if (at < 0 || to === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    reach(items, items[(to + items.length) % items.length]);
    items.find((item) => item.getAttribute("tabindex") === "0").focus();
    onMove(items.findIndex((item) => item.getAttribute("tabindex") === "0"));
  });
}

/** Make one of the items the one that Tab reaches. */
export function reach(items, chosen) {
  for (const item of items) item.setAttribute("tabindex", item === chosen ? "0" : "-1");
}

/** Put text on the clipboard; where a page may not, select it to be copied by hand. */
export async function copy(text, element) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    if (element) getSelection().selectAllChildren(element);
    return false;
  }
}
