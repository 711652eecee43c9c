// Node's http client and a protocol of our own: node echo.js URL
// Sends bytes right behind the request head, more at the switch, then FIN; prints what came back as JSON.
"use strict";

const client = require(process.argv[2].startsWith("https:") ? "node:https" : "node:http");

const request = client.request(process.argv[2], { headers: { Connection: "Upgrade", Upgrade: "echo" } });
request.once("socket", (socket) => {
  const connected = client.globalAgent.protocol === "https:" ? "secureConnect" : "connect";
  socket.once(connected, () => setImmediate(() => socket.write("leading ")));
});
request.once("response", (response) => {
  console.log(JSON.stringify({ status: response.statusCode }));
  request.destroy();  // the bytes behind a request that was refused are nobody's
});
request.once("upgrade", (response, socket, head) => {
  let received = head;
  socket.on("data", (data) => {
    received = Buffer.concat([received, data]);
    if (received.length >= "leading and more".length) socket.end();
  });
  socket.on("close", () => {
    console.log(JSON.stringify({
      status: response.statusCode, upgrade: response.headers.upgrade, connection: response.headers.connection,
      received: received.toString(),
    }));
  });
  socket.write("and more");
});
request.flushHeaders();
