// Node's http server and its upgrade event: node serve_echo.js
// Prints its port; switches to the token "echo", greets in the 101's own segment, and sends bytes back. Anything else
// gets 403 with a text.
"use strict";

const server = require("node:http").createServer((request, response) => {
  response.writeHead(403, { "Content-Type": "text/plain" });
  response.write("not ");
  response.end("here");
});
server.on("upgrade", (request, socket, head) => {
  if (request.headers.upgrade !== "echo") {
    socket.end("HTTP/1.1 426 Upgrade Required\r\nConnection: close\r\nUpgrade: echo\r\n\r\nonly echo");
    return;
  }
  socket.write("HTTP/1.1 101 Switching Protocols\r\nUpgrade: echo\r\nConnection: Upgrade\r\n\r\nhello ");
  socket.write(head);
  socket.on("error", () => {});
  socket.pipe(socket);
});
server.listen(0, "127.0.0.1", () => console.log(server.address().port));
