/* The process tree: the parent on the left; its children in a row, or in a grid if they are many.
   Each notes in sheet.holds where the lines of its descriptors begin. */

import {CHILDREN, gridFor, PROCESSES} from "./layout.js";
import {box, el, round, text} from "./svg.js";
import {
  describe, ended, fit, fitting, has, lookOf, roleOf, seconds, stateWords, widthOf,
} from "./words.js";

const {top: TOP, bottom: BOTTOM} = PROCESSES;  // the descriptors stand on the lower edge
const CHILD_TOP = CHILDREN;
const SIGNALS = 31;  // those without the real-time ones
const NUMBERS = {
  SIGHUP: 1, SIGINT: 2, SIGQUIT: 3, SIGKILL: 9, SIGUSR1: 10, SIGSEGV: 11, SIGUSR2: 12,
  SIGPIPE: 13, SIGALRM: 14, SIGTERM: 15, SIGCHLD: 17, SIGCONT: 18, SIGSTOP: 19, SIGTSTP: 20};

const ALL = () => true;
const KINDS = [  // of children: how they look, which of those, and what they are called
  ["running", ALL, "running"], ["sleeping", ALL, "alive"], ["stopped", ALL, "stopped"],
  ["zombie", ALL, "zombies", "zombie"],
  ["gone", ({seen, reaped}) => seen !== "log" && reaped !== false, "reaped"],
  ["gone", ({seen, reaped}) => seen !== "log" && reaped === false, "gone"],
  ["gone", ({seen}) => seen === "log", "in the log only"]];

export function drawProcesses(sheet) {
  const {processes} = sheet.server;
  const parent = processes.find(process => roleOf(process) === "parent");
  const children = processes.filter(process => process !== parent)
    .sort((one, other) => one.pid - other.pid);
  return el("g", {class: "processes"},
    parent ? drawParent(sheet, parent) : drawEnded(sheet),
    el("g", {class: "children"}, drawChildren(sheet, children, parent)));
}

function drawParent(sheet, parent) {
  const {x, width} = sheet.left;
  const pad = sheet.wide ? 14 : 9;
  const about = [
    ended(parent) || `up ${seconds(parent.age ?? 0)}`,
    parent.threads > 1 ? `${parent.threads} threads` : ""];
  return card(sheet, parent, x, TOP, width, BOTTOM - TOP,
    glyph(lookOf(parent), x + pad + 7, TOP + 21),
    text(x + pad + 20, TOP + 26, sheet.server.counts.children === 0 ? "server" : "parent", "name"),
    text(x + width - pad, TOP + 26, parent.pid, "pid end"),
    text(x + pad, TOP + 49, fit(activity(parent, sheet.wide), width - 2 * pad, 13), "state"),
    text(x + pad, TOP + 68, fit(about.filter(Boolean).join(", "), width - 2 * pad, 12), "label"),
    drawSignals(parent, x + pad, TOP + 92, width - 2 * pad));
}

function activity(process, wide) {
  if (lookOf(process) === "stopped") return wide ? "stopped, by SIGSTOP" : "stopped";
  return wide && process.call !== "sleep" && lookOf(process) === "sleeping" && process.call
    ? `sleeping in ${process.call}` : short(process);
}

/* In one or two words. */
function short(process) {
  if (lookOf(process) !== "sleeping" || !process.call) return stateWords(process);
  return process.call === "sleep" ? "asleep" : `in ${process.call}`;
}

/* The register of pending signals: a bit for each signal, and no more than one. */
function drawSignals(process, x, y, width) {
  const step = width / SIGNALS;
  const pending = new Set(process.pending.map(name => NUMBERS[name]));
  const blocked = new Set(process.blocked.map(name => NUMBERS[name]));
  const bits = Array.from({length: SIGNALS}, (_, place) => {
    const signal = place + 1;
    const look = pending.has(signal) ? "bit pending" : blocked.has(signal) ? "bit blocked" : "bit";
    return box(x + place * step, y + 6, step - 1, pending.has(signal) ? 13 : 9, look, 1);
  });
  const names = process.pending.join(", ");
  const none = process.blocked.length ? `none pending, ${process.blocked.length} blocked`
    : "no pending signal";
  const words = names || fitting(width, 12, none, "no signal");
  return el("g", {class: names ? "signals some" : "signals"},
    text(x, y, names ? `${process.pending.length} bit: ${names}` : words, "label"), bits);
}

/* What is left of a server whose first process is not there. */
function drawEnded({left, server}) {
  const status = ended(server) || (server.running === false ? "not running" : "");
  return el("g", {class: "process over"},
    box(left.x, TOP, left.width, BOTTOM - TOP, "card", 10),
    text(left.x + left.width / 2, TOP + 70, "the server has ended", "name middle"),
    text(left.x + left.width / 2, TOP + 92, status, "label middle"));
}

function drawChildren(sheet, children, parent) {
  const {x, width} = sheet.right;
  if (!children.length) {
    return text(x + width / 2, 180, parent ? "no children" : "", "none middle");
  }
  const gap = sheet.wide ? 10 : 5;
  const step = Math.min(sheet.wide ? 142 : 110, (width + gap) / children.length);
  if (step - gap < (sheet.wide ? 56 : 40)) return drawCrowd(sheet, children);
  const cards = children.map((child, place) => {
    sheet.columns.set(child.pid, {x: x + place * step, width: step - gap});
    return drawChild(sheet, child, x + place * step, step - gap);
  });
  const centres = children.map((child, place) => x + place * step + (step - gap) / 2);
  return [fork(sheet, centres, parent), cards];
}

/* The line of descent, from the parent's right edge to each child. */
function fork(sheet, centres, parent) {
  const y = TOP + 14;
  const drops = centres.map(centre => `M${round(centre)} ${y} V${CHILD_TOP}`).join(" ");
  const start = parent ? sheet.left.x + sheet.left.width : centres[0];
  return el("g", {class: "fork", "aria-hidden": "true"},
    el("path", {d: `M${start} ${y} H${round(centres.at(-1))} ${drops}`}));
}

function drawChild(sheet, child, x, width) {
  const height = BOTTOM - CHILD_TOP;
  const size = width < 50 ? 10 : width < 66 ? 11 : 13;
  const pad = width < 50 ? 4 : width < 66 ? 5 : 10;
  const room = width - 2 * pad;
  const lines = [
    short(child),
    ended(child) ? (width < 110 ? `exit ${child.exit_status}` : ended(child)) : "",
    has(child.age) ? seconds(child.age) : "", child.threads > 1 ? `${child.threads} threads` : ""];
  return card(sheet, child, x, CHILD_TOP, width, height,
    glyph(lookOf(child), x + pad + 6, CHILD_TOP + 18),
    room - 28 > widthOf(`${roleOf(child)} ${child.pid}`, 12.5)
      && text(x + pad + 20, CHILD_TOP + 23, roleOf(child), "label"),
    text(x + width - pad, CHILD_TOP + (width < 66 ? 40 : 23), child.pid, "pid end",
      {style: `font-size: ${size}px`}),
    lines.filter(Boolean).map((line, place) => text(
      x + pad, CHILD_TOP + (width < 66 ? 58 : 46) + 17 * place, fit(line, room, size - 1),
      place ? "label" : "state", {style: `font-size: ${size - 1}px`})));
}

/* One process: a card that can be chosen, and its descriptors on the lower edge. */
function card(sheet, process, x, y, width, height, ...inside) {
  return el("g", chosen(process),
    box(x, y, width, height, "card", 10), inside, drawThreads(process, x, width),
    drawDescriptors(sheet, process, x, width));
}

/* A thread of execution each, where there is more than one. */
function drawThreads({threads}, x, width) {
  if (!(threads > 1)) return null;
  const pad = width < 66 ? 6 : 14;
  const count = Math.min(threads, Math.floor((width - 2 * pad) / 10));
  const strands = Array.from({length: count}, (_, place) =>
    `M${round(x + pad + 4 + place * 10)} ${BOTTOM - 31} q4 4 0 8 q-4 4 0 8`);
  return el("path", {class: "threads", "data-count": count, d: strands.join(" ")});
}

const chosen = process => ({
  key: process.pid, class: `process ${lookOf(process)} ${process.seen}`,
  "data-pid": process.pid, tabindex: -1, role: "button"});

/* The descriptors as chips with their numbers; those for which there is no room are one chip. */
function drawDescriptors(sheet, process, x, width) {
  let left = x + (width < 50 ? 1 : width < 100 ? 4 : 10);
  return chipsOf(process, width - 2 * (left - x)).map(({kind, words, inodes}) => {
    const middle = left + chipWidth(words) / 2;
    for (const inode of inodes) {
      sheet.holds.set(`${process.pid} ${inode}`, {x: middle, y: BOTTOM + 9});
    }
    left += chipWidth(words) + 4;
    return el("g", {class: `chip ${kind}`, "aria-hidden": "true"},
      box(middle - chipWidth(words) / 2, BOTTOM - 9, chipWidth(words), 18, "", 4),
      text(middle, BOTTOM + 4, words, "middle"));
  });
}

const chipWidth = words => Math.max(19, words.length * 7.2 + 8);

/* Sockets one by one if there is room, else together; files and streams if there is room. */
function chipsOf({descriptors}, room) {
  const of = wanted => descriptors.filter(({kind}) => kind === wanted);
  const others = descriptors.filter(({kind}) => kind !== "listening" && kind !== "connection");
  const streams = together(others.filter(({number}) => number < 3), "stream");
  const files = together(others.filter(({number}) => number >= 3), "file");
  const [listening, connections] = [of("listening").map(alone), of("connection")];
  const [one, all] = [connections.map(alone), together(connections, "connection")];
  const ways = [
    [...streams, ...files, ...listening, ...one], [...streams, ...files, ...listening, ...all],
    [...files, ...listening, ...all], [...listening, ...one], [...listening, ...all]];
  const fits = chips => chips.reduce((sum, {words}) => sum + chipWidth(words) + 4, -4) <= room;
  return (ways.find(fits) ?? ways.at(-1)).sort((chip, other) => chip.number - other.number);
}

const alone = ({number, kind, inode}) => ({number, kind, words: `${number}`, inodes: [inode]});

function together(descriptors, kind) {
  if (!descriptors.length) return [];
  const numbers = descriptors.map(({number}) => number).sort((one, other) => one - other);
  const [first, last] = [numbers[0], numbers.at(-1)];
  return [{
    number: first, kind, words: first === last ? `${first}` : `${first}–${last}`,
    inodes: descriptors.map(({inode}) => inode)}];
}

/* Many children: a small square for each, in a frame that says how many there are of each kind. */
function drawCrowd(sheet, children) {
  const {x, width} = sheet.right;
  const grid = gridFor(children.length, width - 20, BOTTOM - CHILD_TOP - 40, 44);
  const cells = children.map((child, place) => {
    sheet.holds.set(`${child.pid}`, {from: x + 20, to: x + width - 20, y: BOTTOM});
    const left = x + 10 + (place % grid.columns) * grid.size;
    const top = CHILD_TOP + 32 + Math.floor(place / grid.columns) * grid.size;
    return drawCell(child, left, top, grid.size);
  });
  return [fork(sheet, [x + width / 2], true),
    el("g", {class: grid.size < 13 ? "crowd tiny" : "crowd"},
      box(x, CHILD_TOP, width, BOTTOM - CHILD_TOP, "frame", 10),
      drawTally(children, x + 12, CHILD_TOP + 21, sheet.wide ? 14 : 12, width - 16), cells)];
}

function drawCell(child, x, y, size) {
  const inner = size - Math.max(1.5, size * 0.14);
  return el("g", {...chosen(child), "aria-label": describe(child)},
    box(x, y, inner, inner, "card", Math.min(4, inner / 4)),
    size >= 7 && glyph(lookOf(child), x + inner / 2, y + inner / 2, Math.min(1.5, inner / 20)));
}

/* How many there are of each kind; where there is no room for words, their signs say it. */
function drawTally(children, x, y, size, width) {
  const kinds = KINDS.map(([look, belongs, several, one = several]) => {
    const count = children.filter(child => lookOf(child) === look && belongs(child)).length;
    return {look, count, words: `${count} ${count === 1 ? one : several}`};
  }).filter(({count}) => count);
  const room = words => widthOf(words, size) + size + 16;
  const fits = kinds.reduce((sum, {words}) => sum + room(words), 0) < width;
  let [left, before] = [x - room(""), ""];
  return kinds.map(({look, count, words}) => {
    left += room(before);
    before = fits ? words : `${count}`;
    return el("g", {class: `tally ${look}`}, glyph(look, left + 6, y - size * 0.36, size / 14),
      text(left + size + 3, y, before, "name", {style: `font-size: ${size}px`}));
  });
}

/* A sign for each state, so that colour is not the only one. */
export function glyph(look, x, y, scale = 1) {
  const paths = {
    running: ["M-3.5 -5 L5 0 L-3.5 5 Z"],
    sleeping: ["M0 -5.5 A5.5 5.5 0 1 0 0.01 -5.5 Z"],
    stopped: ["M-4.5 -5 H-1.2 V5 H-4.5 Z M1.2 -5 H4.5 V5 H1.2 Z"],
    zombie: ["M-4.2 -4.2 L4.2 4.2 M4.2 -4.2 L-4.2 4.2"],
    gone: ["M-5 0.5 L-1.5 4 L5 -4"]};
  return el("path", {
    class: `glyph ${look}`, d: paths[look][0],
    transform: `translate(${round(x)} ${round(y)}) scale(${round(scale)})`});
}
