/* One process, told in full: what the kernel knows of it, and the way to kill it. */

import {ended, roleOf, seconds, stateWords} from "./words.js";

export function showDetails(dialog, process, server, kill) {
  const rows = [
    ["role", roleOf(process)],
    ["parent", process.ppid], ["state", stateWords(process)], ["sleeps in", process.call],
    ["age", seconds(process.age)], ["threads", process.threads], ["ended", ended(process)],
    ["pending signals", (process.pending ?? []).join(", ") || "none"],
    ["blocked signals", (process.blocked ?? []).join(", ") || "none"],
    ...(process.descriptors ?? []).map(found => [
      `descriptor ${found.number}`, words(found, server)])];
  dialog.replaceChildren(heading(process.pid), scrolling(table(rows.filter(([, value]) =>
    value !== null && value !== undefined && value !== ""))), buttons(dialog, process, kill));
  dialog.showModal();
}

function words({kind, words, inode}, server) {
  const pair = server.connections?.find(connection => inode && connection.inode === inode);
  const ends = pair && `, ${pair.local.join(":")} and ${pair.foreign.join(":")}, ${pair.state}`;
  return `${kind} ${words ?? ""}${ends || ""}`;
}

function heading(pid) {
  const element = document.createElement("h2");
  element.id = "details-heading";
  element.textContent = `Process ${pid}`;
  return element;
}

function scrolling(inside) {
  const element = document.createElement("div");
  element.className = "scroll";
  element.tabIndex = 0;
  element.append(inside);
  return element;
}

function table(rows) {
  const element = document.createElement("table");
  for (const [name, value] of rows) {
    const row = element.insertRow();
    row.insertCell().textContent = name;
    row.insertCell().textContent = value;
  }
  return element;
}

function buttons(dialog, process, kill) {
  const row = document.createElement("div");
  row.className = "row";
  const lives = !["gone", "zombie"].includes(process.state);
  if (kill && lives) row.append(button(`kill -9 ${process.pid}`, "danger", kill));
  row.append(button("close", ""));
  for (const one of row.children) one.addEventListener("click", () => dialog.close());
  return row;
}

function button(words, look, action) {
  const element = document.createElement("button");
  element.textContent = words;
  element.className = look;
  if (action) element.addEventListener("click", action);
  return element;
}
