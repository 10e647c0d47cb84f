/* The counters on top, each against its limit where it has one. */

import {box, el, text} from "./svg.js";
import {lookOf} from "./words.js";

export function drawCounters(sheet) {
  const all = countersOf(sheet.server);
  const step = sheet.width / all.length;
  return el("g", {class: "counters", "aria-hidden": "true"},
    all.map((counter, place) => drawCounter(counter, place * step, step, sheet.wide)));
}

function countersOf({processes, counts, limits: all, limited}) {
  const limits = limited ? all : {};

  const living = processes.filter(process => lookOf(process) !== "gone");
  const zombies = living.filter(process => lookOf(process) === "zombie").length;
  return [
    {name: "processes", value: counts.processes ?? living.length, limit: limits?.processes},
    {name: "zombies", value: counts.zombies ?? zombies, alarming: true},
    {name: "descriptors", value: counts.descriptors ?? 0, limit: limits?.files},
    {name: "served", value: counts.served ?? 0}];
}

function drawCounter({name, value, limit, alarming}, x, width, wide) {
  const near = limit ? value >= 0.9 * limit : alarming && value > 0;
  const size = wide ? 30 : 24;
  const beside = x + String(value).length * size * 0.66 + 6;
  return el("g", {class: near ? "counter near" : "counter"},
    text(x, 12, name, "label"),
    text(x, 42, value, "figure", {style: `font-size: ${size}px`}),
    limit && text(beside, 42, `of ${limit}`, "label"),
    near && warning(beside + (limit && wide ? 46 : 0), limit && !wide ? 16 : 30),
    limit && box(x, 50, width - 24, 5, "meter", 2.5),
    limit && box(x, 50, Math.min(1, value / limit) * (width - 24), 5, "level", 2.5));
}

/* A sign besides the colour. */
function warning(x, y) {
  return el("g", {class: "warning", transform: `translate(${x} ${y})`},
    el("path", {d: "M7 0 L14 12.5 L0 12.5 Z"}),
    el("path", {d: "M7 4.2 L7 8.2 M7 10.2 L7 10.8", class: "stroke"}));
}
