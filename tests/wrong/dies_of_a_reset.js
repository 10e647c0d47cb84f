// Wrong: nobody listens to the error of a client that resets.
const net = require("net");
const { HOST, PORT } = process.env;
const RESPONSE = "HTTP/1.1 200 OK\r\n\r\nHello, World!\n";

const server = net.createServer((connection) => {
  connection.once("data", () => {
    connection.end(RESPONSE);
  });
});
server.on("error", (error) => {
  console.error(`Cannot serve: ${error.code}`);
  process.exit(1);
});
server.listen(PORT, HOST);
