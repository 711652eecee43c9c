// Node's http2 client with extended CONNECT (RFC 8441): node http2.js ORIGIN
// On one connection: a page, a WebSocket whose frames are made by hand, a protocol of our own, and what is refused, all
// at the same time; prints what came back as JSON.
"use strict";

const crypto = require("node:crypto");
const http2 = require("node:http2");
const { once } = require("node:events");

const [TEXT, BINARY, CLOSE] = [1, 2, 8];

// A masked frame, as a client's must be (RFC 6455 section 5.2).
function frame(opcode, payload) {
  const head = payload.length < 126 ? Buffer.alloc(2) : Buffer.alloc(payload.length < 65536 ? 4 : 10);
  head[0] = 0x80 | opcode;
  if (head.length === 2) head[1] = payload.length;
  else if (head.length === 4) { head[1] = 126; head.writeUInt16BE(payload.length, 2); }
  else { head[1] = 127; head.writeBigUInt64BE(BigInt(payload.length), 2); }
  head[1] |= 0x80;
  const mask = crypto.randomBytes(4);
  return Buffer.concat([head, mask, payload.map((byte, index) => byte ^ mask[index % 4])]);
}

// Calls back with opcode and payload of each of the server's frames, which are not masked.
function frames(stream, callback) {
  let rest = Buffer.alloc(0);
  stream.on("data", (data) => {
    rest = Buffer.concat([rest, data]);
    for (;;) {
      if (rest.length < 2) return;
      const start = rest[1] < 126 ? 2 : rest[1] === 126 ? 4 : 10;
      if (rest.length < start) return;
      const length = start === 2 ? rest[1] : start === 4 ? rest.readUInt16BE(2) : Number(rest.readBigUInt64BE(2));
      if (rest.length < start + length) return;
      callback(rest[0] & 0x0f, rest.subarray(start, start + length));
      rest = rest.subarray(start + length);
    }
  });
}

async function answer(stream) {
  const chunks = [];
  stream.on("data", (data) => chunks.push(data));
  const closed = once(stream, "close"); // which comes before a line behind an await runs, if all has come in one read
  const [fields] = await once(stream, "response");
  await closed;
  return { status: fields[":status"], content: Buffer.concat(chunks).toString() };
}

async function websocket(session) {
  const stream = session.request({
    ":method": "CONNECT", ":protocol": "websocket", ":path": "/ws", "sec-websocket-version": "13",
    "sec-websocket-protocol": "other, demo.upgradegw", origin: process.argv[2],
  });
  const [fields] = await once(stream, "response");
  const seen = {
    status: fields[":status"], subprotocol: fields["sec-websocket-protocol"], received: [],
    others: ["sec-websocket-accept", "upgrade", "connection"].filter((name) => name in fields),
  };
  if (seen.status !== 200) return seen;
  const messages = ["", "grüße", "x".repeat(300), "y".repeat(200000)].map((text) => [TEXT, Buffer.from(text)]);
  messages.push([BINARY, crypto.randomBytes(100000)]);
  for (const [opcode, payload] of messages) stream.write(frame(opcode, payload));
  let number = 0;
  frames(stream, (opcode, payload) => {
    if (opcode === CLOSE) seen.close = payload.readUInt16BE(0);
    else if (!seen.report) seen.report = JSON.parse(payload);
    else {
      const [sent, what] = messages[number++];
      seen.received.push(opcode === sent && payload.equals(what) ? payload.length : "something else");
      if (number === messages.length) stream.write(frame(CLOSE, Buffer.from([3, 232])));
    }
  });
  // END_STREAM, as it is FIN for a socket (RFC 8441 section 5).
  const closed = once(stream, "close");
  await once(stream, "end");
  stream.end();
  await closed;
  return { ...seen, code: stream.rstCode };
}

async function echo(session) {
  const stream = session.request({ ":method": "CONNECT", ":protocol": "echo", ":path": "/echo" });
  stream.write("leading ");
  stream.end("and more");
  return answer(stream);
}

function connectTo(session, path, protocol) {
  return answer(session.request({ ":method": "CONNECT", ":protocol": protocol, ":path": path }));
}

// A WebSocket that is reset in the middle of a frame; its neighbours must not notice.
async function reset(session) {
  const stream = session.request({
    ":method": "CONNECT", ":protocol": "websocket", ":path": "/ws", "sec-websocket-version": "13",
  });
  const closed = once(stream, "close");
  const [fields] = await once(stream, "response");
  stream.write(frame(TEXT, Buffer.from("half of it")).subarray(0, 7));
  stream.close(http2.constants.NGHTTP2_CANCEL);
  await closed;
  return { status: fields[":status"] };
}

async function main() {
  const session = http2.connect(process.argv[2]);
  const [settings] = await once(session, "remoteSettings");
  const names = ["page", "websocket", "echo", "reset", "unknown", "page_switched", "nothing_switched", "plain"];
  const answers = await Promise.all([
    answer(session.request({ ":path": "/" })),
    websocket(session),
    echo(session),
    reset(session),
    connectTo(session, "/ws", "nonsense"),
    connectTo(session, "/", "websocket"),
    connectTo(session, "/nothing", "websocket"),
    answer(session.request({ ":path": "/ws" })),
  ]);
  const seen = Object.fromEntries(names.map((name, index) => [name, answers[index]]));
  seen.page = { status: seen.page.status, complete: seen.page.content.trimEnd().endsWith("</html>") };
  session.close();
  console.log(JSON.stringify({ extended: settings.enableConnectProtocol, ...seen }));
}

main();
