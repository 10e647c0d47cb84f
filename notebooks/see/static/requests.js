/* The requests of the last seconds, a bar for each client: how long it waited, and what for. */

import {REQUESTS as TOP} from "./layout.js";
import {box, el, round, text} from "./svg.js";
import {has, PHASES} from "./words.js";

const ROWS = 50, WINDOW = 10;  // pixels, and seconds
const CAPTION = 76;  // pixels

export function drawRequests(sheet) {
  const {server, time, width, wide} = sheet;
  const from = Math.max(0, time - WINDOW);
  const scale = moment => (Math.max(from, moment) - from) / WINDOW * width;
  const shown = server.requests
    .filter(request => (endOf(request) ?? time) >= from && request.began <= time)
    .sort((one, other) => one.began - other.began || one.client - other.client);
  const height = Math.min(12, ROWS / Math.max(1, shown.length));
  return el("g", {class: "requests", "aria-hidden": "true"},
    text(0, TOP - 2, "requests", "caption"), wide && legend(width),
    axis(from, time, scale, width),
    shown.map((request, row) => drawBar(request, time, scale, TOP + 8 + row * height, height)),
    !shown.length && text(width / 2, TOP + 42, `no client in the last ${WINDOW} s`, "none middle"));
}

const endOf = ({end, error, began}) => end ?? (error ? began : null);

/* The phases of one request, one behind the other. */
function drawBar(request, time, scale, y, height) {
  const steps = [
    ["outside", request.began, request.connected], ["waits", request.connected, request.first_byte],
    ["answered", request.first_byte, request.end]];
  const last = has(request.end) ? request.end : time;
  const bars = steps.filter(([, start]) => has(start)).map(([phase, start, end]) => {
    const stop = Math.min(has(end) ? end : last, time);
    const width = Math.max(1.5, scale(stop) - scale(start));
    return box(scale(start), y, width, height - Math.min(2, height / 5), `bar ${phase}`,
      Math.min(3, height / 4));
  });
  const look = `request ${request.error ? "failed" : ""} ${height < 4 ? "thin" : ""}`;
  return el("g", {key: request.client, class: look}, bars,
    request.error && height > 7 && text(scale(last) + 4, y + height - 2, "failed", "label"));
}

function axis(from, time, scale, width) {
  const y = TOP + ROWS + 12;
  const ticks = [];
  for (let tick = Math.ceil(from / 2) * 2; tick <= from + WINDOW; tick += 2) ticks.push(tick);
  return el("g", {class: "axis"},
    el("path", {d: `M0 ${y} H${width}`}),
    el("path", {class: "now", d: `M${round(scale(time))} ${TOP + 2} V${y}`}),
    ticks.map(tick => el("g", {}, el("path", {d: `M${round(scale(tick))} ${y} v4`}),
      text(Math.min(width - 14, Math.max(9, scale(tick))), y + 17, `${tick} s`, "label middle"))));
}

/* What the looks of bars mean; none where there is no room for it beside the caption. */
function legend(width) {
  const names = Object.entries(PHASES).slice(0, 3);
  let x = width - names.reduce((sum, [, name]) => sum + name.length * 6.1 + 34, 0);
  if (x < CAPTION) return false;
  return el("g", {class: "legend"}, names.map(([phase, name]) => {
    const start = x;
    x += name.length * 6.1 + 34;
    return [
      box(start, TOP - 12, 16, 11, `bar ${phase}`, 2), text(start + 22, TOP - 3, name, "label")];
  }));
}
