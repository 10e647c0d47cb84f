/* The lines from descriptors to the sockets that they name; many of a kind are one thick one. */

import {el, round, text} from "./svg.js";

export function drawLines(sheet) {
  const lines = new Map();
  for (const socket of sheet.sockets) {
    for (const inode of socket.inodes) {
      for (const pid of socket.holders.get(inode) ?? []) add(lines, sheet, socket, pid, inode);
    }
  }
  return el("g", {class: "lines", "aria-hidden": "true"},
    [...lines.values()].map(line => drawLine(line, sheet)));
}

function add(lines, sheet, socket, pid, inode) {
  const place = sheet.holds.get(`${pid} ${inode}`) ?? sheet.holds.get(`${pid}`);
  if (!place) return;
  const start = {x: place.x ?? nearest(socket.x, place.from, place.to), y: place.y};
  const key = `${round(start.x)} ${start.y} ${round(socket.x)}`;
  const line = lines.get(key) ?? {start, socket, count: 0, crowd: place.from !== undefined};
  line.count += 1;
  lines.set(key, line);
}

const nearest = (x, from, to) => Math.min(Math.max(x, from), to);

function drawLine({start, socket, count, crowd}, sheet) {
  const {x, y, kind} = socket;
  const middle = (start.y + y) / 2;
  const path = `M${round(start.x)} ${start.y} C${round(start.x)} ${middle + 8} `
    + `${round(x)} ${middle - 8} ${round(x)} ${y}`;
  const width = count === 1 ? 2.4 : Math.min(16, 3 + 2 * Math.log2(count));
  const number = count.toLocaleString("en");
  const words = crowd && count === socket.inodes.length ? `${number}, one each` : number;
  return el("g", {class: `line ${kind}`, "data-count": count},
    el("path", {d: path, "stroke-width": round(width)}),
    count > 1 && tag((start.x + x) / 2, middle, sheet.wide ? words : number));
}

function tag(x, y, words) {
  const width = words.length * 6.6 + 14;
  return el("g", {class: "tag"},
    el("rect", {x: round(x - width / 2), y: y - 9, width: round(width), height: 18, rx: 9}),
    text(x, y + 4, words, "middle"));
}
