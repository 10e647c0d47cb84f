/* The clients below their connections, and how far each has come. */

import {CLIENTS as TOP, KERNEL} from "./layout.js";
import {box, el, round, text} from "./svg.js";
import {fit, fitting, phaseOf} from "./words.js";

export function drawClients(sheet) {
  const requests = new Map(sheet.server.requests.map(request => [request.client, request]));
  return el("g", {class: "clients", "aria-hidden": "true"},
    sheet.clients.map(place => place.connections.length === 1
      ? drawClient(place, requests) : drawClientsOf(place, requests)));
}

const SHORT = {
  outside: "outside", waits: "waits", answered: "answered", done: "at the end", failed: "failed"};
const PLURAL = {
  outside: "outside", waits: "wait for the answer", answered: "wait for the end",
  done: "have seen the end", failed: "failed"};

const isNamed = request => ["silent", "slow", "held", "reset"].includes(request?.kind);

function drawClient({x, width, connections: [connection]}, requests) {
  const request = requests.get(connection.client);
  const phase = phaseOf(request);
  const size = width < 50 ? 9 : width < 66 ? 10 : 12;
  const words = isNamed(request) ? request.kind : SHORT[phase];
  const look = {style: `font-size: ${size}px`};
  return el("g", {key: connection.foreign[1], class: "one"},
    el("path", {class: "way", d: `M${round(x)} ${KERNEL.bottom + 2} V${TOP + 2}`}),
    el("circle", {class: `client ${phase}`, cx: round(x), cy: TOP + 13, r: 10}),
    request && text(x, TOP + 42, fit(`client ${request.client}`, width + 4, size),
      "label middle", look),
    request && text(x, TOP + 58, fit(words, width + 4, size), "state middle", look));
}

/* Many clients of one block: how far they have come, as the parts of a bar. */
function drawClientsOf({x, width, connections}, requests) {
  const counts = new Map();
  for (const {client} of connections) {
    const request = requests.get(client);
    const key = `${isNamed(request) ? request.kind : ""} ${phaseOf(request)}`;
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  let start = x - width / 2;
  const parts = [...counts].map(([key, count]) => {
    const share = count / connections.length * width;
    start += share;
    return box(start - share, TOP + 4, share, 16, `client ${key.split(" ")[1]}`, 3);
  });
  const words = [...counts].map(([key, count]) => `${count} ${ofMany(key)}`).join(", ");
  const brief = [...counts].map(([key, count]) => `${count} ${inBrief(key)}`).join(", ");
  return el("g", {class: "many"},
    el("path", {class: "way", d: `M${round(x)} ${KERNEL.bottom + 2} V${TOP + 4}`}), parts,
    text(x - width / 2, TOP + 40, fitting(width, 12, words, brief), "label"));
}

function ofMany(key) {
  const [kind, phase] = key.split(" ");
  return kind === "silent" || kind === "slow" ? `${kind} clients` : `clients ${PLURAL[phase]}`;
}

function inBrief(key) {
  const [kind, phase] = key.split(" ");
  return kind === "silent" || kind === "slow" ? kind : SHORT[phase];
}
