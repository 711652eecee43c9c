/* Handshakes: each on a connection of its own that is closed behind the answer, some of them at a time.
 *
 * Over TLS each makes both handshakes. Sessions are resumed with the ticket of the first connection, which is not counted.
 */
#include "load.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

struct attempt {
  struct stream stream;
  char head[2048];
  size_t size;
  uint64_t began;
  bool asked;
};

static struct histogram histogram;
static uint64_t done;
static int poller, open_now;
static bool draining; /* no more are started */
static char request[2048];
static size_t request_size;

/* Sends the request as soon as there is a connection that it may go through. */
static void ask(const struct options *options, struct attempt *attempt) {
  if (!ready(&attempt->stream)) return;
  if (resumed(&attempt->stream) != (options->tls && options->resume))
    die("the session was%s resumed", options->resume ? " not" : "");
  transmit_all(&attempt->stream, request, request_size);
  attempt->asked = true;
}

static void start(const struct options *options, struct attempt *attempt) {
  open_now++;
  attempt->began = now();
  attempt->stream = begin_stream(options);
  attempt->size = 0;
  attempt->asked = false;
  ask(options, attempt);
  struct epoll_event event = {.events = EPOLLIN, .data.ptr = attempt};
  epoll_ctl(poller, EPOLL_CTL_ADD, attempt->stream.fd, &event);
}

/* Leaves as the options say: with a reset, with a FIN, or with a Close frame before that. */
static void leave(const struct options *options, struct stream *stream) {
  static const uint8_t close_frame[] = {0x88, 0x82, 0, 0, 0, 0, 0x03, 0xE8};
  if (!strcmp(options->close, "frame")) transmit_all(stream, close_frame, sizeof close_frame);
  close_stream(stream, !strcmp(options->close, "reset"));
}

static void proceed(const struct options *options, struct attempt *attempt) {
  if (!attempt->asked) {
    ask(options, attempt);
    return;
  }
  long got = receive(&attempt->stream, attempt->head + attempt->size, sizeof attempt->head - attempt->size);
  if (got < 0) die("closed after %zu bytes: %.*s", attempt->size, (int)attempt->size, attempt->head);
  attempt->size += (size_t)got;
  if (!memmem(attempt->head, attempt->size, "\r\n\r\n", 4)) {
    if (attempt->size == sizeof attempt->head) die("the answer is long");
    return;
  }
  check_answer(attempt->head, attempt->size);
  note(&histogram, now() - attempt->began);
  done++;
  open_now--;
  leave(options, &attempt->stream);
  if (!draining) start(options, attempt);
}

static void run_for(const struct options *options, double seconds) {
  struct epoll_event events[256];
  uint64_t until = now() + (uint64_t)(seconds * 1e9);
  while (now() < until && open_now) {
    int ready = epoll_wait(poller, events, 256, 100);
    for (int i = 0; i < ready; i++) proceed(options, events[i].data.ptr);
  }
}

int run_once(const struct options *options) {
  struct attempt *attempts = calloc((size_t)options->connections, sizeof *attempts);
  poller = epoll_create1(0);
  request_size = write_request(options, request, sizeof request);
  if (options->tls && options->resume) { /* tickets come before the answer, or with it */
    struct stream stream = open_websocket(options);
    char more[4096];
    receive(&stream, more, sizeof more);
    leave(options, &stream);
  }
  for (int i = 0; i < options->connections; i++) start(options, &attempts[i]);
  run_for(options, options->warm);
  memset(&histogram, 0, sizeof histogram);
  uint64_t before = done;
  struct span span = begin(options);
  run_for(options, options->seconds);
  printf("{\"load\": \"once\", \"connections\": %d, ", options->connections);
  say_span(options, span, done - before);
  say_latency(&histogram);
  printf("}\n");
  draining = true;
  run_for(options, 10);
  if (open_now) die("%d handshakes were not answered", open_now);
  return done > before ? 0 : 1;
}
