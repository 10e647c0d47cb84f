/* The listening socket with its queue in the kernel, and the clients that are not let in. */

import {gridFor, KERNEL, OUTSIDE} from "./layout.js";
import {box, el, round, text} from "./svg.js";

const {top: TOP, bottom: BOTTOM} = KERNEL;
const SMALL = {style: "font-size: 9px"};
const PLACES = 14;  // a queue of at most so many places has them drawn

export function drawListening(sheet) {
  const {server, left, wide} = sheet;
  const holders = holdersOf(server.processes);
  if (!holders.size) return null;
  const {x, width} = left;
  sheet.sockets.push({
    inodes: [...holders.keys()], holders, x: x + width / 2, y: TOP, kind: "listening"});
  return el("g", {class: "socket listening", "aria-hidden": "true"},
    box(x, TOP, width, BOTTOM - TOP, "box", 8),
    text(x + 10, TOP + 18, wide ? "listening socket" : "listening", "name"),
    text(x + width - 10, TOP + 18, `:${server.port}`, "pid end"),
    drawQueue(server, x + 10, TOP + 28, width - 20),
    text(x + 10, BOTTOM - 9, queueWords(server.queue, wide), "label"));
}

/* Who holds the listening sockets: {inode: [pid, ...]}. */
function holdersOf(processes) {
  const holders = new Map();
  for (const {pid, descriptors} of processes) {
    for (const {kind, inode} of descriptors) {
      if (kind === "listening") holders.set(inode, [...holders.get(inode) ?? [], pid]);
    }
  }
  return holders;
}

function queueWords({waiting, backlog}, wide) {
  const words = wide ? `${waiting} waiting` : `${waiting} wait`;
  return backlog === null ? words : `${words}, backlog ${backlog}`;
}

/* The places of the queue, the last one dashed: Linux lets one more in than listen was told. */
function drawQueue({queue: {waiting, backlog}, connections}, x, y, width) {
  const places = backlog !== null && backlog + 1 <= PLACES ? backlog + 1 : 0;
  const grid = places ? gridFor(places, width, 48, 34)
    : gridFor(Math.max(waiting, 1), width, 42, 24);
  const top = places ? y + (48 - grid.size * Math.ceil(places / grid.columns)) / 2 : y;
  const names = numbersOf(connections, ({state, held_by}) =>
    !held_by.length && ["ESTABLISHED", "CLOSE_WAIT"].includes(state));
  return el("g", {class: "queue", "data-waiting": waiting},
    places ? Array.from({length: places}, (_, place) => drawPlace(
      x + place % grid.columns * grid.size, top + Math.floor(place / grid.columns) * grid.size,
      grid.size, place < backlog)) : box(x, y, width, 42, "place", 4),
    dots(waiting, grid, x, top, "queued", names));
}

const drawPlace = (x, y, size, promised) =>
  box(x + 1.5, y + 1.5, size - 3, size - 3, promised ? "place" : "place extra", 4);

/* Those who have knocked, and are not let in: there is no place for them. */
export function drawOutside({server, left, wide}) {
  const names = numbersOf(server.connections, isOutside);
  const count = Math.max(server.queue.outside, names.length);
  if (!count) return null;
  const grid = gridFor(count, left.width, 40, 26);
  const words = wide ? `${count} outside, not let in` : `${count} outside`;
  return el("g", {class: "outside", "data-outside": count, "aria-hidden": "true"},
    el("path", {class: "way", d: `M${left.x + 18} ${BOTTOM + 2} V${OUTSIDE - 2}`}),
    dots(count, grid, left.x, OUTSIDE, "outside", names),
    text(left.x + 2, OUTSIDE + 58, words, "label"));
}

export const isOutside = ({state, client_state, held_by}) =>
  !held_by.length && (client_state === "SYN_SENT" || state === "SYN_RECV");

const numbersOf = (connections, condition) => connections.filter(condition)
  .map(({client}) => client).filter(client => client !== null && client !== undefined)
  .sort((one, other) => one - other);

/* A dot for each client, with its number where that can be read. */
function dots(count, grid, x, y, look, names) {
  return Array.from({length: count}, (_, place) => {
    const left = x + (place % grid.columns + 0.5) * grid.size;
    const top = y + (Math.floor(place / grid.columns) + 0.5) * grid.size;
    return [
      el("circle", {
        class: `client ${look}`, cx: round(left), cy: round(top), r: round(grid.size * 0.38)}),
      grid.size >= 20 && names[place] < 1000 && text(
        left, top + 4, names[place], "number middle", names[place] > 99 ? SMALL : {})];
  });
}
