/* An hour of looks in which something always changes, and how many moments are kept of it. */

import {Recording} from "../../notebooks/see/static/recording.js";

const recording = new Recording();
const processes = Array.from({length: 129}, (_, place) => ({pid: place + 1, descriptors: []}));
const deed = number => ({number, time: number, words: "a client"});
for (let number = 1; number <= 8 * 3600; number += 1) {
  const done = [deed(Math.ceil(number / 1000))];
  recording.add([{number, time: number / 8, done, servers: [{processes}]}]);
}
const {moments} = recording;
process.stdout.write(JSON.stringify({
  kept: moments.length, first: moments[0].time, last: moments.at(-1).time,
  ordered: moments.every((moment, place) => !place || moment.time > moments[place - 1].time),
  deeds: recording.deeds().length}));
