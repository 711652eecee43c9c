/* Messages to and fro: each echo is compared, byte by byte, with what was sent, and answered with the next message. */
#include "load.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

struct client {
  struct stream stream;
  uint64_t owed, sent, came; /* bytes that are to be sent, were sent, came back */
  uint64_t *times;           /* when each message on its way was sent */
  bool blocked;
  uint8_t control[128]; /* a Ping that comes between two echoes */
  size_t control_size;
};

static const struct options *given;
static struct ring sent, echoed;
static struct histogram histogram;
static uint64_t messages;
static int poller;
static bool draining; /* no more are sent */

static void flush(struct client *client) {
  while (client->sent < client->owed) {
    size_t at = client->sent % sent.size;
    long done = transmit(&client->stream, sent.bytes + at, client->owed - client->sent);
    if (done < 0) die("the connection was closed");
    if (done == 0) break;
    client->sent += (uint64_t)done;
  }
  bool blocked = client->sent < client->owed;
  if (blocked != client->blocked) {
    struct epoll_event event = {.events = EPOLLIN | (blocked ? EPOLLOUT : 0), .data.ptr = client};
    epoll_ctl(poller, EPOLL_CTL_MOD, client->stream.fd, &event);
    client->blocked = blocked;
  }
}

/* A control frame stands at the beginning of data: answer a Ping, and tell how many bytes were its. */
static size_t take_control(struct client *client, const uint8_t *data, size_t size) {
  size_t used = 0;
  while (used < size) {
    client->control[client->control_size++] = data[used++];
    if (client->control_size < 2 || client->control_size < 2u + client->control[1]) continue;
    if (client->control[0] != 0x89 || client->control[1] > 125) die("frame %02x came", client->control[0]);
    uint8_t pong[131] = {0x8A, client->control[1] | 0x80};
    memcpy(pong + 6, client->control + 2, client->control[1]);
    if (client->sent == client->owed || client->sent % sent.frame == 0)
      if (transmit(&client->stream, pong, 6u + client->control[1]) < 0) die("the connection was closed");
    client->control_size = 0;
    break;
  }
  return used;
}

static void take(struct client *client, const uint8_t *data, size_t size) {
  while (size) {
    size_t at = client->came % echoed.size, missing = client->owed / sent.frame * echoed.frame - client->came;
    bool boundary = client->came % echoed.frame == 0;
    size_t part = size < missing ? size : missing;
    if (client->control_size || (boundary && data[0] != echoed.bytes[0])) {
      part = take_control(client, data, size);
    } else if (part && memcmp(data, echoed.bytes + at, part) == 0) {
      client->came += part;
    } else { /* perhaps only up to a control frame */
      size_t rest = echoed.frame - client->came % echoed.frame;
      part = part < rest ? part : rest;
      if (!part || memcmp(data, echoed.bytes + at, part)) die("the echo differs after %llu bytes", (unsigned long long)client->came);
      client->came += part;
    }
    data += part, size -= part;
  }
}

static void readable(struct client *client, uint8_t *buffer) {
  for (;;) {
    long got = receive(&client->stream, buffer, BUFFER);
    if (got < 0) die("the connection was closed");
    if (got == 0) return;
    uint64_t before = client->came / echoed.frame, time = now();
    take(client, buffer, (size_t)got);
    uint64_t after = client->came / echoed.frame;
    for (uint64_t i = before; i < after; i++) {
      uint64_t *slot = &client->times[i % (uint64_t)given->in_flight];
      note(&histogram, time - *slot);
      *slot = time;
    }
    messages += after - before;
    if (!draining) client->owed += (after - before) * sent.frame;
    flush(client);
    if (!client->stream.ssl && got < BUFFER) return;
  }
}

static void run_for(double seconds, uint8_t *buffer) {
  struct epoll_event events[256];
  uint64_t until = now() + (uint64_t)(seconds * 1e9);
  while (now() < until) {
    int ready = epoll_wait(poller, events, 256, 100);
    for (int i = 0; i < ready; i++) {
      if (events[i].events & EPOLLOUT) flush(events[i].data.ptr);
      if (events[i].events & ~(uint32_t)EPOLLOUT) readable(events[i].data.ptr, buffer);
    }
  }
}

static bool all_came(const struct client *clients) {
  for (int i = 0; i < given->connections; i++)
    if (clients[i].came / echoed.frame < clients[i].owed / sent.frame) return false;
  return true;
}

int run_echo(const struct options *options) {
  struct client *clients = calloc((size_t)options->connections, sizeof *clients);
  uint8_t *buffer = malloc(BUFFER);
  given = options;
  poller = epoll_create1(0);
  make_rings(options, &sent, &echoed);
  for (int i = 0; i < options->connections; i++) {
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = &clients[i]};
    clients[i].stream = open_websocket(options);
    clients[i].times = calloc((size_t)options->in_flight, sizeof(uint64_t));
    epoll_ctl(poller, EPOLL_CTL_ADD, clients[i].stream.fd, &event);
  }
  for (int i = 0; i < options->connections; i++) {
    for (int j = 0; j < options->in_flight; j++) clients[i].times[j] = now();
    clients[i].owed = sent.frame * (size_t)options->in_flight;
    flush(&clients[i]);
    if (clients[i].stream.rest_size) readable(&clients[i], buffer);
  }
  run_for(options->warm, buffer);
  memset(&histogram, 0, sizeof histogram);
  messages = 0;
  struct span span = begin(options);
  run_for(options->seconds, buffer);
  printf("{\"load\": \"echo\", \"connections\": %d, \"size\": %zu, \"in_flight\": %d, ", options->connections,
         options->size, options->in_flight);
  say_span(options, span, messages);
  say_latency(&histogram);
  printf("}\n");
  draining = true;
  for (int i = 0; i < 30 && !all_came(clients); i++) run_for(0.05, buffer);
  if (!all_came(clients)) die("an echo has not come");
  for (int i = 0; i < options->connections; i++) close_stream(&clients[i].stream, true);
  return messages ? 0 : 1;
}
