/* Words for what a moment holds; the same ones in the picture, beside it and for screen readers. */

const SHORT = {
  ESTABLISHED: "ESTAB", CLOSE_WAIT: "CL_WAIT", FIN_WAIT1: "FIN_W1", FIN_WAIT2: "FIN_W2",
  TIME_WAIT: "T_WAIT", LAST_ACK: "L_ACK", SYN_RECV: "SYN_RCV", SYN_SENT: "SYN_SNT"};

const CHARACTER = 0.54;  // of the size of the letters: how wide one is, on the whole

export const many = (count, one, several = `${one}s`) => `${count} ${count === 1 ? one : several}`;

export const shortState = state => SHORT[state] ?? state;

/* About how wide words are. */
export const widthOf = (words, size) => words.length * size * CHARACTER;

/* The first of these that fits a width; the last, if it must be, cut. */
export function fitting(width, size, ...choices) {
  return choices.find(words => widthOf(words, size) <= width) ?? fit(choices.at(-1), width, size);
}

/* The words, cut so that they fit a width. */
export function fit(words, width, size) {
  const room = Math.floor(width / (size * CHARACTER));
  return words.length <= room ? words : `${words.slice(0, Math.max(1, room - 1))}…`;
}

export function seconds(number) {
  if (number === null || number === undefined) return "";
  if (number < 10) return `${number.toFixed(1)} s`;
  return number < 120 ? `${Math.round(number)} s` : `${Math.round(number / 60)} min`;
}

/* One of the five states that are drawn. */
export function lookOf(process) {
  if (process.role === "gone" || process.state === "gone") return "gone";
  return ["running", "stopped", "zombie"].includes(process.state) ? process.state : "sleeping";
}

export const roleOf = ({role, was}) => role === "gone" ? was ?? "child" : role;

export function stateWords(process) {
  const look = lookOf(process);
  if (look === "gone" && process.seen === "log") return "too short to see";
  if (look === "gone" && roleOf(process) === "parent") return "ended";
  if (look === "gone") return process.reaped === false ? "gone" : "reaped";
  return look === "sleeping" && process.state !== "sleeping" ? process.state : look;
}

export function describe(process) {
  const told = [
    `${roleOf(process)} ${process.pid}`, stateWords(process),
    process.call && lookOf(process) === "sleeping" ? `in ${process.call}` : "",
    ended(process), process.seen === "log" ? "seen in the log only" : "",
    process.pending.length ? `pending ${process.pending.join(", ")}` : ""];
  return told.filter(Boolean).join(", ");
}

export function ended(process) {
  const status = process.exit_status;
  if (status === null || status === undefined) return "";
  return status < 0 ? `killed by signal ${-status}` : `exit status ${status}`;
}

/* How far a client has come: one of the phases of its bar. */
export function phaseOf(request) {
  if (!request) return "waits";
  if (request.error) return "failed";
  if (has(request.end)) return "done";
  if (has(request.first_byte)) return "answered";
  return has(request.connected) ? "waits" : "outside";
}

export const PHASES = {
  outside: "not connected yet", waits: "connected, waits for the answer",
  answered: "has its answer, waits for the end", failed: "failed"};

export const has = value => value !== null && value !== undefined;

/* All that a picture says, in a sentence or two for those who do not see it. */
export function summary(server) {
  const {processes, queue, connections, counts} = server;
  const children = processes.filter(process => process.role !== "parent");
  return [
    `${server.name}: ${many(processes.length, "process", "processes")}`,
    `${many(children.filter(child => lookOf(child) === "zombie").length, "zombie")}`,
    `${queue.waiting} waiting in a queue of ${queue.backlog ?? "unknown length"}`,
    `${queue.outside} outside`, `${many(connections.length, "connection")}`,
    `${many(counts.descriptors ?? 0, "descriptor")}`].join(", ");
}
