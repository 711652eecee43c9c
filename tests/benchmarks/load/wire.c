/* The opening handshake of WebSocket and its frames (RFC 6455 sections 4 and 5). */
#include "load.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KEY "dGhlIHNhbXBsZSBub25jZQ=="
#define ACCEPT "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
#define GUID "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"

size_t write_request(const struct options *options, char *text, size_t room) {
  char offer[256] = "", protocol[256] = "";
  if (options->offer) snprintf(offer, sizeof offer, "Sec-WebSocket-Extensions: %s\r\n", options->offer);
  if (options->protocol) snprintf(protocol, sizeof protocol, "Sec-WebSocket-Protocol: %s\r\n", options->protocol);
  int size = snprintf(text, room,
                      "GET %s HTTP/1.1\r\nHost: %s\r\nUser-Agent: load\r\nConnection: Upgrade\r\n"
                      "Upgrade: websocket\r\nSec-WebSocket-Key: " KEY "\r\nSec-WebSocket-Version: 13\r\n%s%s\r\n",
                      options->path, options->name, protocol, offer);
  return (size_t)size;
}

void check_answer(const char *head, size_t size) {
  if (size < 12 || memcmp(head, "HTTP/1.1 101", 12) || !memmem(head, size, ACCEPT, sizeof ACCEPT - 1))
    die("no WebSocket: %.*s", (int)size, head);
}

struct stream open_websocket(const struct options *options) {
  char text[4096];
  struct stream stream = open_stream(options);
  transmit_all(&stream, text, write_request(options, text, sizeof text));
  size_t size = 0;
  const char *end;
  while (!(end = memmem(text, size, "\r\n\r\n", 4))) {
    if (size == sizeof text) die("the answer is long");
    size += receive_some(&stream, text + size, sizeof text - size);
  }
  check_answer(text, (size_t)(end - text));
  size -= (size_t)(end + 4 - text);
  if (size > sizeof stream.rest) die("the server says much before it is asked");
  memcpy(stream.rest, end + 4, size);
  stream.rest_size = (int)size;
  return stream;
}

size_t write_frame(uint8_t *to, const struct options *options, const uint8_t *content, const uint8_t *mask) {
  size_t size = options->size, at = 2;
  to[0] = options->text ? 0x81 : 0x82;
  to[1] = (uint8_t)(size < 126 ? size : size < 65536 ? 126 : 127);
  for (int shift = to[1] == 127 ? 56 : to[1] == 126 ? 8 : -8; shift >= 0; shift -= 8) to[at++] = (uint8_t)(size >> shift);
  if (mask) {
    to[1] |= 0x80;
    memcpy(to + at, mask, 4);
    at += 4;
  }
  for (size_t i = 0; i < size; i++) to[at + i] = mask ? content[i] ^ mask[i & 3] : content[i];
  return at + size;
}

static void copy_round(struct ring *ring, size_t more) {
  for (size_t i = 0; i < more; i++) ring->bytes[ring->size + i] = ring->bytes[i % ring->size];
}

void make_rings(const struct options *options, struct ring *sent, struct ring *echoed) {
  size_t frames = options->size <= 4096 ? 64 : 4, most = options->size + 14;
  size_t room = most * (frames + (size_t)options->in_flight);
  uint8_t *content = malloc(options->size + 1), mask[4];
  *sent = (struct ring){.bytes = malloc(room), .frames = frames};
  *echoed = (struct ring){.bytes = malloc(room), .frames = frames};
  srandom(6455);
  for (size_t frame = 0; frame < frames; frame++) {
    for (size_t i = 0; i < options->size; i++)
      content[i] = (uint8_t)(options->text ? ' ' + random() % 95 : random());
    for (int i = 0; i < 4; i++) mask[i] = (uint8_t)random();
    sent->size += sent->frame = write_frame(sent->bytes + sent->size, options, content, mask);
    echoed->size += echoed->frame = write_frame(echoed->bytes + echoed->size, options, content, NULL);
  }
  copy_round(sent, sent->frame * (size_t)options->in_flight);
  copy_round(echoed, echoed->frame * (size_t)options->in_flight);
  free(content);
}

/* SHA-1 (RFC 3174) of a message of one or two blocks. */
static uint32_t rotate(uint32_t word, int by) { return word << by | word >> (32 - by); }

static void sha1_block(uint32_t state[5], const uint8_t *block) {
  uint32_t words[80], a = state[0], b = state[1], c = state[2], d = state[3], e = state[4];
  for (int i = 0; i < 16; i++)
    words[i] = (uint32_t)block[4 * i] << 24 | (uint32_t)block[4 * i + 1] << 16 | (uint32_t)block[4 * i + 2] << 8 |
               block[4 * i + 3];
  for (int i = 16; i < 80; i++) words[i] = rotate(words[i - 3] ^ words[i - 8] ^ words[i - 14] ^ words[i - 16], 1);
  for (int i = 0; i < 80; i++) {
    uint32_t mixed = i < 20   ? ((b & c) | (~b & d)) + 0x5A827999
                     : i < 40 ? (b ^ c ^ d) + 0x6ED9EBA1
                     : i < 60 ? ((b & c) | (b & d) | (c & d)) + 0x8F1BBCDC
                              : (b ^ c ^ d) + 0xCA62C1D6;
    mixed += rotate(a, 5) + e + words[i];
    e = d, d = c, c = rotate(b, 30), b = a, a = mixed;
  }
  state[0] += a, state[1] += b, state[2] += c, state[3] += d, state[4] += e;
}

void accept_for(const char *key, size_t size, char accept[29]) {
  static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  uint32_t state[5] = {0x67452301, 0xEFCDAB89, 0x98BADCFE, 0x10325476, 0xC3D2E1F0};
  uint8_t blocks[128] = {0}, digest[21] = {0};
  size_t whole = size + sizeof GUID - 1;
  if (whole > 119 || whole < 56) die("no key: %.*s", (int)size, key);
  memcpy(blocks, key, size);
  memcpy(blocks + size, GUID, sizeof GUID - 1);
  blocks[whole] = 0x80;
  blocks[126] = (uint8_t)(whole * 8 >> 8);
  blocks[127] = (uint8_t)(whole * 8);
  sha1_block(state, blocks);
  sha1_block(state, blocks + 64);
  for (int i = 0; i < 20; i++) digest[i] = (uint8_t)(state[i / 4] >> (24 - 8 * (i % 4)));
  for (int i = 0; i < 7; i++) {
    uint32_t three = (uint32_t)digest[3 * i] << 16 | (uint32_t)digest[3 * i + 1] << 8 | digest[3 * i + 2];
    for (int j = 0; j < 4; j++) accept[4 * i + j] = digits[three >> (18 - 6 * j) & 63];
  }
  accept[27] = '=';
  accept[28] = 0;
}
