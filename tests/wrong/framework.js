// A server of stage 1 in JavaScript, as Node.js makes it: with a date, and chunks.
const http = require("http");
const { HOST, PORT } = process.env;

const server = http.createServer((request, response) => {
  response.write("Hello, ");
  response.end("World!\n");
});
server.on("error", (error) => {
  console.error(`Cannot serve: ${error.code}`);
  process.exit(1);
});
server.listen(PORT, HOST);
