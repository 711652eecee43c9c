/* Echoes on WebSockets that are streams of HTTP/2 connections (RFC 8441), with prior knowledge.
 *
 * As many frames as one read answers are sent by one write. Windows are opened as wide as they go, those of the server
 * are kept to (RFC 9113 section 5.2). Heads are written without compression (RFC 7541 section 6.2.2), and of the answer
 * only its status is looked at, which must be the entry 8 of the static table.
 */
#include "load.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

enum { DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, PUSH_PROMISE, PING, GOAWAY, WINDOW_UPDATE };
enum { ACK = 1, END_HEADERS = 4, PADDED = 8, HAS_PRIORITY = 32 };
#define WIDEST 0x7fffffff

struct lane { /* a stream */
  uint64_t owed, sent, came, time;
  int64_t credit;
  uint32_t taken; /* bytes since its window was last opened */
  bool answered;
};

struct link { /* a connection */
  struct stream stream;
  struct lane *lanes;
  uint8_t *in, *out;
  size_t in_size, out_size;
  int64_t credit;
  uint32_t taken;
  int answered;
  bool extended, settled;
};

static const struct options *given;
static struct ring sent, echoed;
static struct histogram histogram;
static uint64_t messages;
static int64_t first_window = 65535;

static void put(struct link *link, size_t size, int kind, int flags, uint32_t number, const void *content) {
  uint8_t head[9] = {(uint8_t)(size >> 16), (uint8_t)(size >> 8), (uint8_t)size, (uint8_t)kind, (uint8_t)flags};
  for (int i = 0; i < 4; i++) head[5 + i] = (uint8_t)(number >> (24 - 8 * i));
  if (link->out_size + 9 + size > BUFFER) die("too much is under way");
  memcpy(link->out + link->out_size, head, 9);
  memcpy(link->out + link->out_size + 9, content, size);
  link->out_size += 9 + size;
}

static void widen(struct link *link, uint32_t number, uint32_t by) {
  uint8_t content[4] = {(uint8_t)(by >> 24), (uint8_t)(by >> 16), (uint8_t)(by >> 8), (uint8_t)by};
  put(link, 4, WINDOW_UPDATE, 0, number, content);
}

static size_t field(uint8_t *to, const char *name, const char *value) {
  size_t first = strlen(name), second = strlen(value);
  to[0] = 0;
  to[1] = (uint8_t)first;
  memcpy(to + 2, name, first);
  to[2 + first] = (uint8_t)second;
  memcpy(to + 3 + first, value, second);
  return 3 + first + second;
}

static void ask(struct link *link, uint32_t number) {
  uint8_t head[1024];
  size_t size = field(head, ":method", "CONNECT");
  size += field(head + size, ":protocol", "websocket");
  size += field(head + size, ":scheme", "http");
  size += field(head + size, ":path", given->path);
  size += field(head + size, ":authority", given->name);
  size += field(head + size, "sec-websocket-version", "13");
  put(link, size, HEADERS, END_HEADERS, number, head);
}

/* Sends what a stream owes as far as both windows allow. */
static void flush_lane(struct link *link, struct lane *lane) {
  while (lane->sent < lane->owed) {
    int64_t part = (int64_t)(lane->owed - lane->sent);
    if (part > 16384) part = 16384;
    if (part > lane->credit) part = lane->credit;
    if (part > link->credit) part = link->credit;
    if (part <= 0) return;
    put(link, (size_t)part, DATA, 0, (uint32_t)(2 * (lane - link->lanes) + 1), sent.bytes + lane->sent % sent.size);
    lane->sent += (uint64_t)part;
    lane->credit -= part;
    link->credit -= part;
  }
}

static void take_data(struct link *link, uint32_t number, const uint8_t *content, size_t size) {
  struct lane *lane = &link->lanes[number / 2];
  uint64_t before = lane->came / echoed.frame, time;
  if (size > lane->owed / sent.frame * echoed.frame - lane->came ||
      memcmp(content, echoed.bytes + lane->came % echoed.size, size))
    die("the echo differs on stream %u", number);
  lane->came += size;
  if ((link->taken += (uint32_t)size) > WIDEST / 2) widen(link, 0, link->taken), link->taken = 0;
  if ((lane->taken += (uint32_t)size) > WIDEST / 2) widen(link, number, lane->taken), lane->taken = 0;
  if (lane->came / echoed.frame == before) return;
  note(&histogram, (time = now()) - lane->time);
  lane->time = time;
  messages += lane->came / echoed.frame - before;
  lane->owed += (lane->came / echoed.frame - before) * sent.frame;
  flush_lane(link, lane);
}

static uint32_t number_in(const uint8_t *content) {
  return (uint32_t)content[0] << 24 | (uint32_t)content[1] << 16 | (uint32_t)content[2] << 8 | content[3];
}

static void take_settings(struct link *link, const uint8_t *content, size_t size) {
  for (size_t at = 0; at + 6 <= size; at += 6) {
    uint32_t value = number_in(content + at + 2);
    if (content[at + 1] == 4) first_window = value;
    if (content[at + 1] == 8) link->extended = value == 1;
  }
  link->settled = true;
  put(link, 0, SETTINGS, ACK, 0, "");
}

static void take_window(struct link *link, uint32_t number, uint32_t by) {
  if (number) {
    link->lanes[number / 2].credit += by;
    flush_lane(link, &link->lanes[number / 2]);
    return;
  }
  link->credit += by;
  for (int i = 0; i < given->in_flight; i++) flush_lane(link, &link->lanes[i]);
}

static void take_frame(struct link *link, const uint8_t *frame, size_t size) {
  uint32_t number = number_in(frame + 5);
  const uint8_t *content = frame + 9;
  if (number / 2 >= (uint32_t)given->in_flight) die("a frame on stream %u", number);
  if (frame[3] == DATA && !(frame[4] & PADDED)) {
    take_data(link, number, content, size);
  } else if (frame[3] == SETTINGS) {
    if (!(frame[4] & ACK)) take_settings(link, content, size);
  } else if (frame[3] == WINDOW_UPDATE) {
    take_window(link, number, number_in(content));
  } else if (frame[3] == PING) {
    if (!(frame[4] & ACK)) put(link, size, PING, ACK, 0, content);
  } else if (frame[3] == HEADERS && !(frame[4] & (PADDED | HAS_PRIORITY))) {
    while (size && (*content & 0xE0) == 0x20) content++, size--; /* the size of the dynamic table changes */
    if (!size || *content != 0x88) die("no 200 on stream %u", number);
    link->answered++;
  } else {
    die("frame %d on stream %u", frame[3], number);
  }
}

static void flush(struct link *link) {
  transmit_all(&link->stream, link->out, link->out_size);
  link->out_size = 0;
}

static void readable(struct link *link) {
  long got = receive(&link->stream, link->in + link->in_size, BUFFER - link->in_size);
  if (got < 0) die("the connection was closed");
  link->in_size += (size_t)got;
  size_t at = 0;
  while (link->in_size - at >= 9) {
    const uint8_t *frame = link->in + at;
    size_t size = (size_t)frame[0] << 16 | (size_t)frame[1] << 8 | frame[2];
    if (link->in_size - at < 9 + size) break;
    take_frame(link, frame, size);
    at += 9 + size;
  }
  link->in_size -= at;
  memmove(link->in, link->in + at, link->in_size);
  if (link->out_size) flush(link);
}

static void run_for(int poller, double seconds) {
  struct epoll_event events[64];
  uint64_t until = now() + (uint64_t)(seconds * 1e9);
  while (now() < until) {
    int ready = epoll_wait(poller, events, 64, 100);
    for (int i = 0; i < ready; i++) readable(events[i].data.ptr);
  }
}

static void open_link(struct link *link, int poller) {
  static const char preface[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
  static const uint8_t wide[] = {0, 4, 0x7f, 0xff, 0xff, 0xff};
  *link = (struct link){.stream = open_stream(given), .in = malloc(BUFFER), .out = malloc(BUFFER), .credit = 65535};
  link->lanes = calloc((size_t)given->in_flight, sizeof *link->lanes);
  transmit_all(&link->stream, preface, sizeof preface - 1);
  put(link, sizeof wide, SETTINGS, 0, 0, wide);
  widen(link, 0, WIDEST - 65535);
  flush(link);
  struct epoll_event event = {.events = EPOLLIN, .data.ptr = link};
  epoll_ctl(poller, EPOLL_CTL_ADD, link->stream.fd, &event);
  for (int i = 0; i < 100 && !link->settled; i++) run_for(poller, 0.05);
  if (!link->extended) die("the server does not offer Extended CONNECT");
  for (int i = 0; i < given->in_flight; i++) {
    link->lanes[i].credit = first_window;
    ask(link, (uint32_t)(2 * i + 1));
  }
  flush(link);
  for (int i = 0; i < 100 && link->answered < given->in_flight; i++) run_for(poller, 0.05);
  if (link->answered < given->in_flight) die("%d of %d streams were answered", link->answered, given->in_flight);
}

int run_streams(const struct options *options) {
  struct link *links = calloc((size_t)options->connections, sizeof *links);
  int poller = epoll_create1(0);
  given = options;
  make_rings(options, &sent, &echoed);
  for (int i = 0; i < options->connections; i++) open_link(&links[i], poller);
  for (int i = 0; i < options->connections; i++) {
    for (int j = 0; j < options->in_flight; j++) {
      links[i].lanes[j].owed = sent.frame;
      links[i].lanes[j].time = now();
      flush_lane(&links[i], &links[i].lanes[j]);
    }
    flush(&links[i]);
  }
  run_for(poller, options->warm);
  memset(&histogram, 0, sizeof histogram);
  messages = 0;
  struct span span = begin(options);
  run_for(poller, options->seconds);
  printf("{\"load\": \"streams\", \"connections\": %d, \"streams\": %d, \"size\": %zu, ", options->connections,
         options->in_flight, options->size);
  say_span(options, span, messages);
  say_latency(&histogram);
  printf("}\n");
  return messages ? 0 : 1;
}
