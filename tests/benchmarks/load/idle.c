/* Connections that do nothing: what each costs to open at each number of them, and what it takes to have them. */
#include "load.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <unistd.h>

static struct stream *streams;
static int poller;

/* Answers Pings (RFC 6455 section 5.5.2), of which each is taken to come alone. */
static void answer(struct stream *stream) {
  uint8_t data[256], pong[131] = {0x8A, 0x80};
  long got = receive(stream, data, sizeof data);
  if (got < 0) die("the server has closed an idle connection");
  if (got < 2 || data[0] != 0x89) return;
  pong[1] |= data[1];
  memcpy(pong + 6, data + 2, data[1]);
  transmit_all(stream, pong, 6u + data[1]);
}

/* Answers whoever asks within some milliseconds. */
static void look(int milliseconds) {
  struct epoll_event events[256];
  int ready = epoll_wait(poller, events, 256, milliseconds);
  for (int i = 0; i < ready; i++) answer(&streams[events[i].data.u32]);
}

static void rest(double seconds) {
  uint64_t until = now() + (uint64_t)(seconds * 1e9);
  for (uint64_t time = now(); time < until; time = now()) look((int)((until - time) / 1000000) + 1);
}

/* One message there and back, so that the server has had what it needs for that. */
static void touch(const struct options *options, struct stream *stream) {
  static struct ring sent, echoed;
  uint8_t data[4096];
  if (!sent.bytes) make_rings(options, &sent, &echoed);
  transmit_all(stream, sent.bytes, sent.frame);
  for (size_t size = 0; size < echoed.frame;) size += receive_some(stream, data, sizeof data);
}

static void open_up_to(const struct options *options, int from, int to) {
  for (int i = from; i < to; i++) {
    struct epoll_event event = {.events = EPOLLIN, .data.u32 = (uint32_t)i};
    streams[i] = open_websocket(options);
    if (options->touch) touch(options, &streams[i]);
    epoll_ctl(poller, EPOLL_CTL_ADD, streams[i].fd, &event);
    if (i % 64 == 0) look(0); /* opening many takes longer than a server waits for a Pong */
  }
}

int run_idle(const struct options *options) {
  int open_now = 0, most = options->steps[options->step_count - 1];
  struct rlimit limit;
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
  if (limit.rlim_cur < (rlim_t)most + 32) die("at most %llu files may be open", (unsigned long long)limit.rlim_cur);
  streams = calloc((size_t)most, sizeof *streams);
  poller = epoll_create1(0);
  printf("{\"load\": \"idle\", \"steps\": [");
  for (int i = 0; i < options->step_count; i++) {
    struct span span = begin(options);
    open_up_to(options, open_now, options->steps[i]);
    printf("%s{\"connections\": %d, \"opening\": {", i ? ", " : "", options->steps[i]);
    say_span(options, span, (uint64_t)(options->steps[i] - open_now));
    open_now = options->steps[i];
    rest(options->warm);
    span = begin(options);
    rest(options->seconds);
    printf("}, \"idle\": {");
    say_span(options, span, (uint64_t)open_now);
    printf("}}");
    fflush(stdout);
  }
  printf("]}\n");
  fflush(stdout);
  if (options->hold) /* stay until told to go, with all of them open */
    for (char byte; read(0, &byte, 1) > 0;) continue;
  for (int i = 0; i < open_now; i++) close_stream(&streams[i], true);
  return 0;
}
