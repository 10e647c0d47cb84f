/* A recording: a header and moments (see ../moment.py), from a server or from a file. */

const MOST = 300000;  // processes, connections and requests that are kept, and 20 a moment

export class Recording {
  constructor(header = {}, moments = []) {
    this.header = header;
    this.moments = [];
    this.now = 0;
    this.weight = 0;
    this.known = new Map();  // what was done, by number
    this.add(moments);
  }

  add(moments) {
    for (const moment of moments) {
      this.moments.push(moment);
      this.weight += weightOf(moment);
      for (const deed of moment.done ?? []) this.known.set(deed.number, deed);
    }
    this.now = Math.max(this.now, this.end());
    while (this.weight > MOST && this.moments.length > 100) this.thin();
  }

  /* Forget every other moment of the older half; those where something was done stay. */
  thin() {
    const half = this.moments.length >> 1;
    this.moments = this.moments.filter((moment, place) => place >= half || place % 2 === 0
      || lastDeed(moment) !== lastDeed(this.moments[place - 1]));
    const weight = this.moments.reduce((sum, moment) => sum + weightOf(moment), 0);
    if (weight === this.weight) this.moments.splice(0, half);
    this.weight = this.moments.reduce((sum, moment) => sum + weightOf(moment), 0);
  }

  /* When the first server was seen. */
  start() {
    return (this.moments.find(({servers}) => servers.length) ?? this.moments[0])?.time ?? 0;
  }

  end() { return this.moments.at(-1)?.time ?? 0; }

  /* The moment that holds at a time, with its clock put to that time. null if there is none. */
  at(time) {
    const moment = this.moments[this.placeOf(time)];
    if (!moment) return null;
    const later = Math.max(0, time - moment.time);
    return {...moment, time: Math.max(time, moment.time), servers: moment.servers.map(server => (
      {...server, processes: server.processes.map(process => olderBy(process, later))}))};
  }

  placeOf(time) {
    let [low, high] = [0, this.moments.length];
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (this.moments[middle].time <= time) low = middle;
      else high = middle;
    }
    return low;
  }

  /* All that was done, in its order. */
  deeds() { return [...this.known.values()].sort((one, other) => one.time - other.time); }

  /* What a server has said until a time, its last lines. */
  said(server, time, lines = 60) {
    const found = [];
    for (let place = this.placeOf(time); place >= 0 && found.length < lines; place -= 1) {
      found.unshift(...this.moments[place]?.servers[server]?.said ?? []);
    }
    return found.slice(-lines);
  }

  toText() {
    return [this.header, ...this.moments].map(line => JSON.stringify(line)).join("\n") + "\n";
  }
}

/* A recording from the text of a file. Throws an Error with a sentence if it is none. */
export function parse(text) {
  const lines = text.split("\n").filter(line => line.trim());
  let [header, ...moments] = [{}];
  try {
    [header, ...moments] = lines.map(line => JSON.parse(line));
  } catch {
    throw new Error("This file is no recording: a line of it is no JSON.");
  }
  if (header?.version !== 1 || !moments.every(moment => Array.isArray(moment.servers))) {
    throw new Error("This file is no recording of servers, or one of another version.");
  }
  return new Recording(header, moments);
}

const lastDeed = moment => moment.done?.at(-1)?.number ?? moment.done?.length ?? 0;

const weightOf = ({servers}) => servers.reduce((sum, {processes, connections, requests}) => sum
  + (processes?.length ?? 0) + (connections?.length ?? 0) + (requests?.length ?? 0), 20);

function olderBy(process, seconds) {
  const lives = process.state !== "gone" && typeof process.age === "number";
  return lives ? {...process, age: process.age + seconds} : process;
}
