/* All that is said to the page's own server, where there is one. See ../web.py. */

const token = document.querySelector('meta[name="token"]').content;

/* Whether a server has sent this page, and put a token in it. */
export const hasServer = token !== "" && !token.startsWith("__") && location.protocol !== "file:";

const page = Math.random().toString(36).slice(2);

export const stages = () => get("stages");

export const momentsAfter = number => get(`moments?after=${number}&page=${page}`);

/* Ask for an action; an Error has the sentence that says why it was not done. */
export async function wish(wanted) {
  const answer = await fetch("do", {
    method: "POST", headers: {"Content-Type": "application/json", "X-Token": token},
    body: JSON.stringify(wanted)});
  return read(answer);
}

const get = async address => read(await fetch(address, {cache: "no-store"}));

async function read(answer) {
  const told = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Error(told.error ?? `The page's server answered ${answer.status}.`);
  return told;
}
