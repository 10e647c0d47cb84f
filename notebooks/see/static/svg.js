/* A picture as plain data, and the two things that one does with it: text, and elements on a page.

   el("rect", {x: 1, class: "box"}) is {tag, attrs, children}. Children are such elements, or text.
   Who has an attribute `key` keeps its element from one picture to the next, so that a process
   that was there before neither blinks nor loses the focus. */

const SVG = "http://www.w3.org/2000/svg";
const ESCAPES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;"};

export function el(tag, attrs = {}, ...children) {
  const something = child => child !== null && child !== undefined && child !== false;
  return {tag, attrs, children: children.flat(Infinity).filter(something)};
}

export function text(x, y, words, look = "", attrs = {}) {
  return el("text", {x: round(x), y: round(y), class: look, ...attrs}, String(words));
}

export function box(x, y, width, height, look, corner = 6) {
  return el("rect", {
    x: round(x), y: round(y), width: round(Math.max(0, width)), height: round(Math.max(0, height)),
    rx: corner, class: look});
}

export const round = number => Math.round(number * 10) / 10;

/* The picture as the text of an SVG file. */
export function toText(tree) {
  if (typeof tree === "string") return escape(tree);
  const attrs = Object.entries(tree.attrs)
    .filter(([, value]) => value !== null && value !== undefined)
    .map(([name, value]) => ` ${attributeOf(name)}="${escape(String(value))}"`);
  return `<${tree.tag}${attrs.join("")}>${tree.children.map(toText).join("")}</${tree.tag}>`;
}

const escape = words => words.replace(/[&<>"]/g, character => ESCAPES[character]);
const attributeOf = name => name === "key" ? "data-key" : name;

/* Make the children of a node those of the tree; what stays, stays the same element. */
export function paint(node, tree) {
  setAttributes(node, tree.attrs);
  if (tree.children.every(child => typeof child === "string")) {
    const words = tree.children.join("");
    if (node.textContent !== words || node.firstElementChild) node.textContent = words;
    return;
  }
  paintChildren(node, tree.children);
}

function paintChildren(node, children) {
  const names = children.map(({tag, attrs}, place) => nameOf(tag, attrs.key ?? null, place));
  const wanted = new Set(names);
  const before = new Map();
  for (const [place, element] of [...node.childNodes].entries()) {
    const key = element.getAttribute?.("data-key") ?? null;
    const name = nameOf(element.nodeName, key, place);
    if (wanted.has(name) && !before.has(name)) before.set(name, element);
    else element.remove();
  }
  let next = node.firstChild;
  for (const [place, child] of children.entries()) {
    const element = before.get(names[place]) ?? document.createElementNS(SVG, child.tag);
    if (element === next) next = next.nextSibling;
    else node.insertBefore(element, next);
    paint(element, child);
  }
}

const nameOf = (tag, key, place) => key === null ? `${tag} at ${place}` : `${tag} ${key}`;

function setAttributes(node, attrs) {
  const wanted = new Set(Object.keys(attrs).map(attributeOf));
  for (const {name} of [...node.attributes]) if (!wanted.has(name)) node.removeAttribute(name);
  for (const [name, value] of Object.entries(attrs)) {
    if (value === null || value === undefined) node.removeAttribute(attributeOf(name));
    else if (node.getAttribute(attributeOf(name)) !== String(value)) {
      node.setAttribute(attributeOf(name), value);
    }
  }
}
