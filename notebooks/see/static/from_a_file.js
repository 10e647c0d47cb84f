/* No module: a browser does not load those from a file, so this says what to do instead. */

if (location.protocol === "file:" && !document.getElementById("embedded")) {
  document.getElementById("note").textContent = "A browser does not load this page's modules "
    + "from a file. Open a recording that was saved as a page, or start it with: make see";
}
