/* The load generator of the benchmarks: what its parts have in common.
 *
 * main.c reads the options, wire.c makes connections and WebSocket frames, stream.c sends and receives with or without
 * TLS, measure.c counts time. Each of echo.c, once.c, get.c, idle.c, streams.c and serve.c is one kind of load.
 */
#ifndef LOAD_H
#define LOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MAX_PIDS 64
#define MAX_STEPS 64
#define BUFFER (1 << 20) /* bytes that are received at once, at most */

struct options {
  const char *host, *path, *name, *close, *offer, *protocol;
  int port, connections, in_flight, pids[MAX_PIDS], pid_count, steps[MAX_STEPS], step_count;
  size_t size;
  double seconds, warm;
  bool text, tls, resume, touch, hold;
};

/* measure.c: nanoseconds, a histogram of them, and what processes use. */
struct histogram {
  uint64_t count, most, slots[64 * 32];
};
uint64_t now(void);
uint64_t used_by(const struct options *options); /* processor time of the processes that are measured */
uint64_t used_here(void);
long resident(const struct options *options); /* their bytes in memory */
void note(struct histogram *histogram, uint64_t value);
void say_latency(const struct histogram *histogram);
struct span {
  uint64_t began, used, own;
};
struct span begin(const struct options *options);
/* Prints the members that all reports have: how many, how fast, at what cost to them and to us. */
void say_span(const struct options *options, struct span span, uint64_t done);
void die(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));

/* stream.c: a connection, with or without TLS. */
struct stream {
  int fd, rest_size;
  void *ssl;
  uint8_t rest[128]; /* what came behind the answer of an opening handshake, and is received first */
};
void prepare_tls(const struct options *options);
struct stream begin_stream(const struct options *options); /* connects, and does not yet speak TLS */
bool ready(struct stream *stream);                         /* goes on with TLS's handshake, until it is over */
struct stream open_stream(const struct options *options);  /* does both, and waits */
long receive(struct stream *stream, void *data, size_t size); /* 0: would block; -1: closed */
long transmit(struct stream *stream, const void *data, size_t size);
void close_stream(struct stream *stream, bool reset);
/* The next three wait. */
void transmit_all(struct stream *stream, const void *data, size_t size);
size_t receive_some(struct stream *stream, void *data, size_t size);
bool resumed(const struct stream *stream);

/* wire.c: the opening handshake and frames (RFC 6455 sections 4 and 5). */
size_t write_request(const struct options *options, char *text, size_t room);
void accept_for(const char *key, size_t size, char accept[29]);
void check_answer(const char *head, size_t size);
/* Opens a WebSocket and waits for the answer. */
struct stream open_websocket(const struct options *options);
size_t write_frame(uint8_t *to, const struct options *options, const uint8_t *content, const uint8_t *mask);
/* A ring of frames that differ, of which so many lie behind each other wherever one begins. */
struct ring {
  uint8_t *bytes;
  size_t frame, frames, size; /* bytes of a frame, frames that differ, bytes of those */
};
void make_rings(const struct options *options, struct ring *sent, struct ring *echoed);

int run_echo(const struct options *options);
int run_once(const struct options *options);
int run_get(const struct options *options);
int run_idle(const struct options *options);
int run_streams(const struct options *options);
int run_serve(const struct options *options);

#endif
