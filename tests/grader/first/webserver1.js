const net = require("net");

const HOST = process.env.HOST || "127.0.0.1";
const PORT = process.env.PORT || "8888";

// Your server, made with net: it listens on HOST and PORT, and whatever a client asks, the answer
// is "HTTP/1.1 200 OK\r\n\r\nHello, World!\n", and the end of the connection.
console.log(`Nothing listens on ${HOST}:${PORT} yet.`);
