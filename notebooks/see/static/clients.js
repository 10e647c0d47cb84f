/* The clients below their connections, and how far each has come. */

import {CLIENTS as TOP, KERNEL} from "./layout.js";
import {box, el, round, text} from "./svg.js";
import {fit, has, phaseOf} from "./words.js";

export function drawClients(sheet) {
  const requests = new Map(sheet.server.requests.map(request => [request.client, request]));
  return el("g", {class: "clients", "aria-hidden": "true"},
    sheet.clients.map(place => place.connections.length === 1
      ? drawClient(place, requests) : drawClientsOf(place, requests)));
}

const SHORT = {
  outside: "outside", waits: "waits", answered: "answered", done: "done", failed: "failed"};

function drawClient({x, width, connections: [connection]}, requests) {
  const request = requests.get(connection.client);
  const phase = phaseOf(request);
  const named = ["silent", "slow", "held", "reset"].includes(request?.kind);
  const size = width < 66 ? 10 : 12;
  return el("g", {key: connection.foreign[1], class: "one"},
    el("path", {class: "way", d: `M${round(x)} ${KERNEL.bottom + 2} V${TOP + 2}`}),
    el("circle", {class: `client ${phase}`, cx: round(x), cy: TOP + 13, r: 10}),
    request && text(x, TOP + 42, fit(`client ${request.client}`, width + 4, size),
      "label middle", {style: `font-size: ${size}px`}),
    has(connection.client) && text(x, TOP + 58, fit(
      named ? request.kind : SHORT[phase], width + 4, size), "state middle", {style: `font-size: ${size}px`}));
}

/* Many clients of one block: how far they have come, as the parts of a bar. */
function drawClientsOf({x, width, connections}, requests) {
  const counts = new Map();
  for (const {client} of connections) {
    const phase = phaseOf(requests.get(client));
    counts.set(phase, (counts.get(phase) ?? 0) + 1);
  }
  const left = x - width / 2;
  let start = left;
  const parts = [...counts].map(([phase, count]) => {
    const share = count / connections.length * width;
    start += share;
    return box(start - share, TOP + 4, share, 16, `client ${phase}`, 3);
  });
  const words = [...counts].map(([phase, count]) => `${count} ${SHORT[phase]}`).join(", ");
  return el("g", {class: "many"},
    el("path", {class: "way", d: `M${round(x)} ${KERNEL.bottom + 2} V${TOP + 4}`}), parts,
    text(left, TOP + 40, fit(`clients: ${words}`, width, 12), "label"));
}
