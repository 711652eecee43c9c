/* Requests on connections that stay: each response must be a 200 with the content that the first one had. */
#include "load.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>

struct client {
  struct stream stream;
  char data[65536];
  size_t size;
  uint64_t began;
};

static struct histogram histogram;
static uint64_t done;
static int poller;
static char request[2048], content[4096];
static size_t request_size, content_size;

static void ask(const struct options *options, struct client *client) {
  for (int i = 0; i < options->in_flight; i++) transmit_all(&client->stream, request, request_size);
  client->began = now();
}

/* The number in Content-Length (RFC 9110 section 8.6), without which nothing is understood here. */
static size_t length_in(const char *head, const char *end) {
  for (const char *line = head; line < end; line = strstr(line, "\r\n") + 2)
    if (!strncasecmp(line, "content-length:", 15)) return strtoul(line + 15, NULL, 10);
  die("no Content-Length: %.*s", (int)(end - head), head);
}

/* Looks at one response at the beginning of what has come; tells how many bytes it has, or 0 if it is not all there. */
static size_t check(struct client *client, size_t at) {
  char *head = client->data + at, *end = memmem(head, client->size - at, "\r\n\r\n", 4);
  if (!end) return 0;
  if (memcmp(head, "HTTP/1.1 200", 12)) die("no 200: %.*s", (int)(end - head), head);
  size_t length = length_in(head, end + 2), whole = (size_t)(end + 4 - head) + length;
  if (client->size - at < whole) return 0;
  if (!content_size) memcpy(content, end + 4, content_size = length < sizeof content ? length : sizeof content);
  if (length < content_size || memcmp(content, end + 4, content_size)) die("the content differs");
  return whole;
}

static void proceed(struct client *client) {
  long got = receive(&client->stream, client->data + client->size, sizeof client->data - 1 - client->size);
  if (got < 0) die("closed: %.*s", (int)client->size, client->data);
  client->size += (size_t)got;
  size_t at = 0, whole;
  while ((whole = check(client, at))) {
    at += whole;
    done++;
    note(&histogram, now() - client->began);
    transmit_all(&client->stream, request, request_size);
    client->began = now();
  }
  client->size -= at;
  memmove(client->data, client->data + at, client->size);
}

static void run_for(double seconds) {
  struct epoll_event events[256];
  uint64_t until = now() + (uint64_t)(seconds * 1e9);
  while (now() < until) {
    int ready = epoll_wait(poller, events, 256, 100);
    for (int i = 0; i < ready; i++) proceed(events[i].data.ptr);
  }
}

int run_get(const struct options *options) {
  struct client *clients = calloc((size_t)options->connections, sizeof *clients);
  poller = epoll_create1(0);
  request_size = (size_t)snprintf(request, sizeof request,
                                  "GET %s HTTP/1.1\r\nHost: %s\r\nUser-Agent: load\r\nAccept: */*\r\n"
                                  "Accept-Encoding: gzip\r\nConnection: keep-alive\r\n\r\n",
                                  options->path, options->name);
  for (int i = 0; i < options->connections; i++) {
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = &clients[i]};
    clients[i].stream = open_stream(options);
    epoll_ctl(poller, EPOLL_CTL_ADD, clients[i].stream.fd, &event);
    ask(options, &clients[i]);
  }
  run_for(options->warm);
  memset(&histogram, 0, sizeof histogram);
  done = 0;
  struct span span = begin(options);
  run_for(options->seconds);
  printf("{\"load\": \"get\", \"connections\": %d, \"in_flight\": %d, ", options->connections, options->in_flight);
  say_span(options, span, done);
  say_latency(&histogram);
  printf("}\n");
  return done ? 0 : 1;
}
