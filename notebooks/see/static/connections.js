/* Connections as socket pairs, the server's end above and the client's below. Each is drawn once
   however many hold it; where there is no room for each, they are blocks of dots. */

import {gridFor, KERNEL} from "./layout.js";
import {box, el, round, text} from "./svg.js";
import {fit, fitting, many, shortState} from "./words.js";

const {top: TOP, bottom: BOTTOM} = KERNEL;

export function drawConnections(sheet) {
  const {connections, processes} = sheet.server;
  const held = connections.filter(connection => connection.held_by.length || closing(connection));
  const room = Math.floor((sheet.right.width + 6) / (sheet.wide ? 66 : 44));
  const order = new Map([...processes].filter(({role}) => role !== "parent")
    .sort((one, other) => one.pid - other.pid).map(({pid}, place) => [pid, place]));
  const home = ({held_by}) => held_by.find(pid => order.has(pid));
  held.sort((one, other) => (order.get(home(one)) ?? 1e9) - (order.get(home(other)) ?? 1e9)
    || one.foreign[1] - other.foreign[1]);
  return held.length <= room ? drawPairs(sheet, held, home) : drawBlocks(sheet, held, home);
}

/* Held by no process, for the server has closed it, but its client has not. The others that nobody
   holds are in the queue, outside, or over. */
const closing = ({state}) => ["FIN_WAIT1", "FIN_WAIT2", "LAST_ACK", "CLOSING"].includes(state);

function drawPairs(sheet, held, home) {
  const places = placesFor(sheet, held, home);
  return held.map((connection, number) => drawPair(sheet, connection, places[number]));
}

/* Each below the child that holds it, if it has a card; the others where there is room. */
function placesFor(sheet, held, home) {
  const {x, width} = sheet.right;
  const columns = [...sheet.columns.values()];
  const step = columns.length >= held.length ? 0
    : Math.min(sheet.wide ? 142 : 110, (width + 6) / held.length);
  if (step) return held.map((_, place) => ({x: x + place * step, width: step - 6}));
  const taken = new Set(held.map(connection => sheet.columns.get(home(connection))));
  const doubled = new Set();
  const free = columns.filter(column => !taken.has(column));
  return held.map(connection => {
    const column = sheet.columns.get(home(connection));
    if (!column || doubled.has(column)) return free.shift() ?? column;
    doubled.add(column);
    return column;
  });
}

function drawPair(sheet, connection, {x, width}) {
  const {local, foreign, state, client_state, inode, held_by} = connection;
  const middle = x + width / 2;
  sheet.sockets.push({
    inodes: [inode], holders: new Map([[inode, held_by]]), x: middle, y: TOP, kind: "connection"});
  sheet.clients.push({x: middle, width, connections: [connection]});
  const small = width < 52 ? {style: "font-size: 10px"} : {};
  const name = value => width >= 98 ? value : fit(shortState(value), width - 4, 10.5);
  return el("g", {key: `${foreign[1]}`, class: `socket connection ${held_by.length ? "" : "free"}`},
    box(x, TOP, width, BOTTOM - TOP, "box", 8),
    text(middle, TOP + 19, `:${local[1]}`, "label middle", small),
    text(middle, TOP + 36, name(state), "state middle", small),
    el("path", {class: "seam", d: `M${round(x + 8)} ${TOP + 49} h${round(width - 16)}`}),
    held_by.length > 1 && holders(held_by.length, middle, width),
    text(middle, TOP + 67, `:${foreign[1]}`, "label middle", small),
    text(middle, TOP + 84, client_state ? name(client_state) : "client", "state middle", small));
}

/* Said where there is more than one: the end of a connection goes out when nobody holds it. */
function holders(count, middle, width) {
  const words = width < 90 ? `× ${count}` : `${count} holders`;
  const room = words.length * 7 + 14;
  return el("g", {class: "holders"},
    el("rect", {x: round(middle - room / 2), y: TOP + 40, width: round(room), height: 18, rx: 9}),
    text(middle, TOP + 53, words, "middle"));
}

/* Many connections: those with the same kind of holders are one block of dots. */
function drawBlocks(sheet, held, home) {
  const groups = new Map();
  for (const connection of held) {
    const key = keyOf(sheet, connection, home);
    groups.set(key, [...groups.get(key) ?? [], connection]);
  }
  const places = blockPlaces(sheet, groups);
  return [...groups.values()].map((group, number) => drawBlock(sheet, group, places[number]));
}

/* Who holds it: that very child where it has a card, or else what kinds of processes do. */
function keyOf(sheet, {held_by}, home) {
  const child = home({held_by});
  if (sheet.columns.has(child)) return `${child}`;
  const parent = sheet.server.processes.find(({role}) => role === "parent")?.pid;
  return `${held_by.includes(parent)} ${child !== undefined}`;
}

function blockPlaces(sheet, groups) {
  const {x, width} = sheet.right;
  const columns = [...groups.keys()].map(key => sheet.columns.get(Number(key)));
  if (columns.every(Boolean)) return columns;
  const counts = [...groups.values()].map(group => Math.sqrt(group.length) + 6);
  const unit = (width + 8) / counts.reduce((sum, count) => sum + count);
  let left = x;
  return counts.map(count => {
    left += count * unit;
    return {x: left - count * unit, width: count * unit - 8};
  });
}

function drawBlock(sheet, group, {x, width}) {
  const holders = new Map(group.map(({inode, held_by}) => [inode, held_by]));
  sheet.sockets.push({
    inodes: [...holders.keys()], holders, x: x + width / 2, y: TOP, kind: "connection"});
  sheet.clients.push({x: x + width / 2, width, connections: group});
  const grid = gridFor(group.length, width - 20, 46, 24);
  const dots = group.map(({state, foreign}, place) => el("circle", {
    key: foreign[1], class: state === "ESTABLISHED" ? "dot" : "dot closing",
    cx: round(x + 10 + (place % grid.columns + 0.5) * grid.size),
    cy: round(TOP + 28 + (Math.floor(place / grid.columns) + 0.5) * grid.size),
    r: round(Math.max(0.8, grid.size * 0.36))}));
  return el("g", {class: "socket connection block"},
    box(x, TOP, width, BOTTOM - TOP, "box", 8),
    text(x + 10, TOP + 18, fitting(
      width - 12, 14, many(group.length, "connection"), `${group.length}`), "name"),
    dots, text(x + 10, BOTTOM - 8, fitting(
      width - 12, 12, statesOf(group), statesOf(group, shortState)), "label"));
}

/* "120 ESTABLISHED, 8 CLOSE_WAIT" */
function statesOf(group, named = state => state) {
  const counts = new Map();
  for (const {state} of group) counts.set(state, (counts.get(state) ?? 0) + 1);
  return [...counts].map(([state, count]) => `${count} ${named(state)}`).join(", ");
}
