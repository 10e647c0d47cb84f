// A server of stage 1 in JavaScript: node tests/wrong/server.js. It forks for nobody.
const net = require("net");
const { HOST, PORT } = process.env;

const server = net.createServer((connection) => {
  connection.on("error", () => {}); // the client left early
  connection.once("data", () => {
    connection.end("HTTP/1.1 200 OK\r\n\r\nHello, World!\n");
  });
});
server.on("error", (error) => {
  console.error(`Cannot serve on ${HOST}:${PORT}: ${error.code}`);
  process.exit(1);
});
server.listen(PORT || 8888, HOST || "127.0.0.1");
