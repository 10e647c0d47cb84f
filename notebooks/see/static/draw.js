/* The picture of one moment: of each server its counters, its processes, what the kernel keeps for
   them, its clients, and their requests. It depends on nothing but the moment and the width. */

import {drawClients} from "./clients.js";
import {drawConnections} from "./connections.js";
import {drawCounters} from "./counters.js";
import {BANDS, EDGE, HEIGHT, WIDE} from "./layout.js";
import {drawLines} from "./lines.js";
import {drawProcesses} from "./processes.js";
import {drawListening, drawOutside} from "./queue.js";
import {drawRequests} from "./requests.js";
import {box, el, text} from "./svg.js";
import {summary} from "./words.js";

/* One picture for each server of a moment, as trees (see svg.js). */
export function draw(moment, width) {
  return moment.servers.map(server => drawServer(tidy(server), moment.time, width));
}

function drawServer(server, time, width) {
  const sheet = sheetFor(server, time, width);
  const processes = drawProcesses(sheet);
  const sockets = [drawListening(sheet), drawConnections(sheet)];
  const bands = Object.entries(BANDS);
  const parts = [
    bands.map(([name, place]) => ground(sheet, name, place)), drawCounters(sheet),
    drawLines(sheet), bands.map(([name, place]) => caption(sheet, name, place)),
    processes, sockets, drawOutside(sheet), drawClients(sheet), drawRequests(sheet)];
  return el("svg", {
    class: `picture ${sheet.wide ? "wide" : "narrow"}`, width, height: HEIGHT,
    viewBox: `0 0 ${width} ${HEIGHT}`, role: "group", "aria-label": summary(server)}, parts);
}

/* What the parts of a picture share: the space that each has, and where lines begin and end.

   left, right   the columns: the parent with its listening socket, and all that came of it
   holds         where the line of a descriptor begins: (pid, inode) -> {x, y}
   sockets       where it ends: [{inodes, x, y, kind, holders}, ...] */
function sheetFor(server, time, width) {
  const wide = width >= WIDE;
  const left = {x: EDGE, width: wide ? 216 : Math.round(width * 0.37)};
  const start = left.x + left.width + (wide ? 36 : 12);
  return {
    server, time, width, wide, left, right: {x: start, width: width - EDGE - start},
    holds: new Map(), sockets: [], columns: new Map(), clients: []};
}

const ground = ({width}, name, {y, height}) =>
  el("g", {class: `band ${name}`}, box(0, y, width, height, "ground", 10));

/* The kernel remembers connections that are over, for a minute; said where no line passes. */
function caption(sheet, name, {y}) {
  const {server, width, wide, sockets} = sheet;
  const over = name === "kernel" && wide && sockets.every(({x}) => x < width - 260)
    && server.counts.time_wait;
  return el("g", {class: "caption-of", "aria-hidden": "true"},
    text(10, y + 14, name, "caption"),
    over ? text(width - 10, y + 17, `${over} over, in TIME_WAIT`, "label end") : null);
}

/* A server with all that the picture asks for: what a recording lacks is empty, not missing. */
export function tidy(server) {
  const processes = (server.processes ?? []).map(process => ({
    role: "child", state: "sleeping", threads: 1, seen: "kernel", ...process,
    pending: process.pending ?? [], blocked: process.blocked ?? [],
    descriptors: process.descriptors ?? []}));
  return {
    ...server, processes, name: server.name ?? "", sentences: server.sentences ?? [],
    queue: {waiting: 0, outside: 0, backlog: null, ...server.queue ?? {}},
    connections: (server.connections ?? []).map(connection => (
      {...connection, held_by: connection.held_by ?? []})),
    requests: server.requests ?? [], limits: server.limits ?? {}, counts: server.counts ?? {}};
}
