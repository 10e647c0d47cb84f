// Wrong: the request is answered for each of two reasons.
const net = require("net");
const { HOST, PORT } = process.env;
const RESPONSE = "HTTP/1.1 200 OK\r\n\r\nHello, World!\n";

const server = net.createServer((connection) => {
  connection.on("error", () => {}); // the client left early
  connection.once("data", () => {
    connection.write(RESPONSE);
    connection.end(RESPONSE);
  });
});
server.on("error", (error) => {
  console.error(`Cannot serve: ${error.code}`);
  process.exit(1);
});
server.listen(PORT, HOST);
