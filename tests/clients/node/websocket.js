// Node's own WebSocket: node --experimental-websocket websocket.js URL SUBPROTOCOL…
// Sends a text, a binary message and one over the limit; prints what came back as JSON.
"use strict";

const [url, ...subprotocols] = process.argv.slice(2);
const seen = { received: [] };
const socket = new WebSocket(url, subprotocols);
socket.binaryType = "arraybuffer";

const waiting = [];
const next = () => new Promise((resolve) => waiting.push(resolve));

socket.onopen = async () => {
  seen.protocol = socket.protocol;
  seen.extensions = socket.extensions;
  if (subprotocols.includes("demo.upgradegw")) seen.report = JSON.parse(await next());
  for (const message of ["grüße", new Uint8Array([0, 1, 254, 255]), "x".repeat(100000)]) {
    socket.send(message);
    const answer = await next();
    seen.received.push(typeof answer === "string" ? answer.length : [...new Uint8Array(answer)]);
  }
  socket.send(new Uint8Array(1024 * 1024 + 1));
};
socket.onmessage = (event) => waiting.shift()(event.data);
socket.onerror = (event) => { seen.error = String(event.message || event.error || event.type); };
socket.onclose = (event) => {
  seen.close = { code: event.code, clean: event.wasClean };
  console.log(JSON.stringify(seen));
};
