/* A recording as a file, or as a page of its own that replays it without a server or a network. */

const MODULES = [
  "words", "svg", "layout", "lines", "processes", "queue", "connections", "clients", "counters",
  "requests", "draw", "history", "recording", "save", "talk", "details", "page"];

export function download(name, contents) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([contents], {type: "application/octet-stream"}));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60000);
}

/* The text of one HTML file with the style, the font, the modules and the recording in it.

   Modules in a file may import no files, so each becomes an address that holds its own text, and
   an import map tells these addresses by name. */
export async function asPage(recording) {
  const [page, style] = [await textOf("index.html"), await textOf("style.css")];
  const font = await addressOf("inter.woff2");
  const imports = {};
  for (const name of MODULES) {
    const source = (await textOf(`${name}.js`)).replaceAll(/from "\.\//g, 'from "see/');
    imports[`see/${name}.js`] = `data:text/javascript;charset=utf-8,${encodeURIComponent(source)}`;
  }
  const data = recording.toText().replaceAll("<", "\\u003c");
  return page
    .replace(/<meta name="token"[^>]*>/, '<meta name="token" content="">')
    .replace(/<link rel="stylesheet"[^>]*>/, () => `<style>${
      style.replace("inter.woff2", font)}</style>`)
    .replace(/<script type="module"[^>]*><\/script>/, () => [
      `<script id="embedded" type="application/jsonl">${data}</script>`,
      `<script type="importmap">${JSON.stringify({imports})}</script>`,
      '<script type="module">import "see/page.js";</script>'].join("\n"));
}

const textOf = async address => (await fetch(address)).text();

async function addressOf(address) {
  const blob = await (await fetch(address)).blob();
  return new Promise(resolve => {
    const reader = new FileReader();
    reader.onload = () => resolve(reader.result);
    reader.readAsDataURL(blob);
  });
}
