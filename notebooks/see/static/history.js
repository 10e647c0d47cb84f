/* The strip below: how many processes and zombies there were, and when something was done. */

import {box, el, round} from "./svg.js";

const BUCKET = 3;  // pixels that one step is wide

export function drawHistory(recording, width, height) {
  const [start, end] = [recording.start(), Math.max(recording.now, recording.start() + 0.1)];
  const x = time => (time - start) / (end - start) * width;
  const steps = stepsOf(recording, x, width);
  const most = Math.max(8, ...steps.map(step => step.processes));
  const y = count => height - 3 - Math.sqrt(count / most) * (height - 10);
  return el("svg", {class: "past", viewBox: `0 0 ${round(width)} ${height}`},
    box(0, 0, width, height, "ground", 6),
    area(steps, "processes", y, height), area(steps, "zombies", y, height),
    recording.deeds().filter(({time}) => time >= start).map(({time}) => el("path", {
      class: "deed", d: `M${round(x(time))} 2 v9`})));
}

/* The most of each that was seen within each BUCKET of pixels. */
function stepsOf(recording, x, width) {
  const steps = [];
  let [last, place] = [{processes: 0, zombies: 0}, 0];
  for (let left = 0; left < width; left += BUCKET) {
    const step = {...last, x: left};
    for (; place < recording.moments.length && x(recording.moments[place].time) <= left + BUCKET;
      place += 1) {
      last = countsOf(recording.moments[place]);
      step.processes = Math.max(step.processes, last.processes);
      step.zombies = Math.max(step.zombies, last.zombies);
    }
    steps.push(step);
  }
  return steps;
}

function countsOf({servers}) {
  const sum = name => servers.reduce((total, {counts}) => total + (counts?.[name] ?? 0), 0);
  return {processes: sum("processes"), zombies: sum("zombies")};
}

function area(steps, name, y, height) {
  if (steps.every(step => !step[name])) return null;
  const below = height + 2;  // so that the line at the bottom is out of sight
  const tops = steps.map(step =>
    `V${round(step[name] ? y(step[name]) : below)} H${step.x + BUCKET}`);
  return el("path", {
    class: `${name}-over-time`, d: `M0 ${below} ${tops.join(" ")} V${below} Z`});
}
