/* The page: what it shows at which time, and what its buttons do. */

import {draw} from "./draw.js";
import {drawHistory} from "./history.js";
import {HEIGHT, WIDE} from "./layout.js";
import {parse, Recording} from "./recording.js";
import {asPage, download} from "./save.js";
import {paint} from "./svg.js";
import * as talk from "./talk.js";
import {showDetails} from "./details.js";

const OWN = "your server";  // the name of what is no stage of ours
const EVERY = 200;  // milliseconds from one question to the next
const at = id => document.getElementById(id);

const show = {
  recording: new Recording(), live: talk.hasServer, playing: false, time: 0, last: 0,
  following: false, behind: false, lost: ""};

/* What is seen: a picture for each server, with its sentences, and what was done. */

function render() {
  const {recording} = show;
  if (show.live) show.time = recording.now;
  const moment = recording.at(show.time);
  document.body.classList.toggle("moving", show.live || show.playing);
  if (moment?.servers.length) document.title = `${moment.servers[0].name}: see your server`;
  if (moment) renderServers(moment);
  renderFilm();
  renderDone();
  renderControls(moment);
}

function renderServers(moment) {
  const places = at("servers");
  while (places.children.length > moment.servers.length) places.lastElementChild.remove();
  while (places.children.length < moment.servers.length) places.append(placeForServer());
  const width = places.firstElementChild?.clientWidth ?? 0;
  const pictures = draw(moment, Math.max(320, Math.floor(width / scaleFor(width))));
  moment.servers.forEach((server, number) => {
    renderWords(places.children[number], server);
    const picture = places.children[number].querySelector("svg");
    paint(picture, pictures[number]);
    keepOneTabStop(picture);
  });
}

/* How much larger a picture is drawn where there is room for that, as on a lecturer's wall. */
const scaleFor = width =>
  Math.max(1, Math.min(1.7, (innerHeight - 245) / HEIGHT, width / WIDE));

function placeForServer() {
  const place = document.createElement("section");
  place.className = "server";
  place.innerHTML = "<h2></h2><p class='sentences' aria-live='polite'></p>";
  const picture = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  picture.addEventListener("click", event => choose(event.target));
  picture.addEventListener("keydown", moveAlong);
  place.append(picture);
  return place;
}

function renderWords(place, server) {
  const heading = place.querySelector("h2");
  heading.title = server.idea ?? "";
  const words = `${server.name} | ${server.idea}`;
  if (heading.dataset.words !== words) {
    heading.dataset.words = words;
    heading.replaceChildren(server.name, " ", small(server.idea || server.command));
  }
  const sentences = place.querySelector(".sentences");
  setText(sentences, (server.trouble ? [server.trouble] : server.sentences ?? []).join("\n"));
}

function small(words) {
  const element = document.createElement("small");
  element.textContent = words;
  return element;
}

function setText(element, words) {
  if (element.textContent !== words) element.textContent = words;
}

/* The recording: where we are in it. */

function renderFilm() {
  const {recording, time} = show;
  const past = at("past").firstElementChild;
  paint(past, drawHistory(recording, Math.max(100, past.clientWidth), 40));
  const slider = at("time");
  slider.min = recording.start();
  slider.max = Math.max(recording.now, recording.start() + 0.1);
  if (document.activeElement !== slider || show.live || show.playing) slider.value = time;
  slider.setAttribute("aria-valuetext", `${time.toFixed(1)} seconds`);
  setText(at("clock"), `${time.toFixed(1)} s`);
  at("live").setAttribute("aria-pressed", show.live);
  setText(at("play"), show.playing ? "❚❚" : "▶\uFE0E");
  at("play").setAttribute("aria-label", show.playing ? "Pause" : "Play");
}

function renderDone() {
  const deeds = show.recording.deeds();
  const list = at("done");
  const mark = `${deeds.length} ${deeds.at(-1)?.time}`;
  if (list.dataset.mark !== mark) {
    list.dataset.mark = mark;
    list.replaceChildren(...deeds.map(lineFor).reverse());
  }
  for (const line of list.children) {
    line.classList.toggle("later", Number(line.dataset.time) > show.time + 0.05);
  }
  if (!at("said").closest("details").open) return;
  const number = Math.max(0, (show.recording.at(show.time)?.servers.length ?? 1) - 1);
  const lines = [0, number].slice(0, number + 1)
    .flatMap(server => show.recording.said(server, show.time));
  setText(at("said"), lines.join("\n"));
}

function lineFor({time, server, words, command}) {
  const line = document.createElement("li");
  line.dataset.time = time;
  const when = document.createElement("time");
  when.textContent = `${time.toFixed(1)} s`;
  line.append(when, ` ${server ? `${server}: ` : ""}${words}`);
  if (command) {
    const code = document.createElement("code");
    code.textContent = command;
    line.append(code);
  }
  return line;
}

function renderControls(moment) {
  const [server] = moment?.servers ?? [];
  if (!server) return;
  at("freeze").setAttribute("aria-pressed", server.frozen ?? false);
  setText(at("freeze"), server.frozen ? "go on" : "freeze");
  at("limits").checked = server.limited ?? false;
  const delay = at("delay");
  delay.disabled = server.delay === null;
  if (document.activeElement !== delay) delay.value = server.delay ?? "";
  const stage = at("stage");
  if (server.name === OWN && ![...stage.options].some(({value}) => value === "")) {
    stage.prepend(new Option(OWN, ""));
  }
  if (document.activeElement !== stage) stage.value = server.name === OWN ? "" : server.name;
  if (document.activeElement !== at("beside")) at("beside").value = moment.servers[1]?.name ?? "";
}

/* A process is chosen by a click or by the keyboard: arrows go from one to the next. */

function keepOneTabStop(picture) {
  const processes = [...picture.querySelectorAll("[data-pid]")];
  const stop = processes.find(one => one === document.activeElement) ?? processes[0];
  for (const process of processes) process.setAttribute("tabindex", process === stop ? 0 : -1);
}

function moveAlong(event) {
  const processes = [...event.currentTarget.querySelectorAll("[data-pid]")];
  const place = processes.indexOf(document.activeElement);
  const step = {ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1}[event.key];
  if (event.key === "Enter" || event.key === " ") choose(event.target);
  else if (step && place >= 0) processes.at((place + step) % processes.length).focus();
  else return;
  event.preventDefault();
}

function choose(target) {
  const pid = Number(target.closest?.("[data-pid]")?.dataset.pid);
  const moment = show.recording.at(show.time);
  for (const [number, server] of moment?.servers.entries() ?? []) {
    const process = server.processes.find(one => one.pid === pid);
    if (process) showDetails(at("details"), process, server, show.live && (
      () => ask({action: "kill", server: number, pid})));
  }
}

/* What the buttons ask for. */

async function ask(wanted) {
  try {
    await talk.wish(wanted);
    at("note").textContent = "";
    show.live = true;
  } catch (error) {
    at("note").textContent = error.message;
  }
}

function connectButtons() {
  for (const button of document.querySelectorAll("#clients button")) {
    const {kind, count} = button.dataset;
    button.onclick = () => ask(kind === "hang up" ? {action: kind, server: "all"}
      : {action: "clients", server: "all", kind, count: Number(count)});
  }
  at("freeze").onclick = () => ask({
    action: at("freeze").getAttribute("aria-pressed") === "true" ? "go on" : "freeze",
    server: "all"});
  at("restart").onclick = () => ask({action: "restart", server: "all"});
  at("limits").onchange = () => ask({action: "limits", server: "all", on: at("limits").checked});
  at("delay").onchange = () => ask({
    action: "delay", server: "all", seconds: Number(at("delay").value)});
  at("stage").onchange = () => ask({action: "stage", server: 0, name: at("stage").value});
  at("beside").onchange = () => ask(at("beside").value
    ? {action: "beside", name: at("beside").value} : {action: "alone", server: 1});
}

function connectFilm() {
  at("time").oninput = () => goTo(Number(at("time").value));
  at("live").onclick = () => { show.live = true; show.playing = false; render(); };
  at("play").onclick = () => {
    const again = !show.playing && (show.live || show.time >= show.recording.now - 0.05);
    if (again) show.time = show.recording.start();
    show.live = false;
    show.playing = !show.playing;
    show.last = performance.now();
    if (show.playing) requestAnimationFrame(play);
    render();
  };
}

export function goTo(time) {
  show.live = show.playing = false;
  show.time = time;
  render();
}

function play(now) {
  if (!show.playing) return;
  if (now - show.last > 45) {
    show.time += (now - show.last) / 1000 * Number(at("speed").value);
    show.last = now;
    if (show.time >= show.recording.now) {
      show.time = show.recording.now;
      show.playing = false;
    }
    render();
  }
  requestAnimationFrame(play);
}

/* Recordings come from the server, from a file, or from the page itself. */

async function follow() {
  let after = 0;
  for (show.following = true; show.following;) {
    try {
      if (!document.hidden) after = await catchUp(after);
      if (show.lost) at("note").textContent = show.lost = "";
    } catch (error) {
      show.behind = false;
      show.lost = at("note").textContent = error instanceof TypeError
        ? "The page's server has ended. What was recorded can still be seen, and saved."
        : error.message;
    }
    await new Promise(resolve => setTimeout(resolve, show.behind ? 0 : EVERY));
  }
}

async function catchUp(after) {
  const told = await talk.momentsAfter(after);
  if (!show.following) return after;
  if (told.header.run !== show.recording.header.run) {
    const anew = show.recording.header.run !== undefined;
    show.recording = new Recording(told.header);
    setText(at("rate"), aboutLooks(told.header));
    if (anew) return 0;
  }
  show.recording.add(told.moments);
  const latest = told.moments.at(-1)?.number ?? after;
  show.behind = latest < told.last;  // there was more than one answer can hold
  show.recording.now = show.behind ? show.recording.end() : told.now;
  render();
  return latest;
}

/* How much a recording can have missed. */
const aboutLooks = ({rate, sees}) => `up to ${rate} looks a second`
  + (sees === false ? "; this system shows no sockets" : "");

function open(recording) {
  const time = recording.start();
  Object.assign(show, {recording, time, live: false, playing: false, following: false});
  setText(at("rate"), `a recording, ${aboutLooks(recording.header)}`);
  withoutServer();
  at("hint").hidden = true;
  render();
}

/* There is only the past to be seen, and nobody to ask for anything. */
function withoutServer() {
  document.body.classList.add("replay");
  for (const element of document.querySelectorAll(".with-server")) element.hidden = true;
  at("hint").hidden = false;
}

async function openFile(file) {
  try {
    open(parse(await file.text()));
    at("note").textContent = "";
  } catch (error) {
    at("note").textContent = error.message;
  }
}

function connectFiles() {
  at("open").onclick = () => at("file").click();
  at("file").onchange = () => at("file").files[0] && openFile(at("file").files[0]);
  at("save").onclick = () => download("recording.jsonl", show.recording.toText());
  at("save-page").onclick = async () => download("recording.html", await asPage(show.recording));
  document.addEventListener("dragover", event => event.preventDefault());
  document.addEventListener("drop", event => {
    event.preventDefault();
    if (event.dataTransfer.files[0]) openFile(event.dataTransfer.files[0]);
  });
}

async function fillStages() {
  const stages = await talk.stages();
  const names = stages.map(({name, idea}) => new Option(`${name}  ${idea}`.slice(0, 60), name));
  at("stage").replaceChildren(...names);
  at("beside").replaceChildren(
    new Option("nothing beside", ""), ...names.map(one => one.cloneNode(true)));
}

async function begin() {
  connectButtons();
  connectFilm();
  connectFiles();
  new ResizeObserver(render).observe(at("servers"));
  addEventListener("resize", render);
  const asked = new URLSearchParams(location.search);
  const wanted = asked.get("recording");
  const embedded = at("embedded");
  if (embedded) open(parse(embedded.textContent));
  else if (wanted) {
    open(parse(await (await fetch(wanted)).text()));
    if (asked.has("time")) goTo(Number(asked.get("time")));
  } else if (talk.hasServer) {
    await fillStages();
    follow();
  } else withoutServer();
}

begin().catch(error => { at("note").textContent = error.message; });
