/* The other side: a WebSocket server that echoes, which no server in Python can be faster than, and an upstream.
 *
 * It unmasks in place and sends one frame for each frame as soon as it is whole, all that one read brings in one write.
 */
#include "load.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

struct end {
  struct stream stream;
  bool open, blocked;
  uint8_t *in, *out;
  size_t in_size, in_room, out_size, out_room, out_sent;
};

static int poller;

static void room_for(uint8_t **data, size_t *room, size_t wanted) {
  if (wanted <= *room) return;
  while (*room < wanted) *room = *room ? *room * 2 : 1024;
  *data = realloc(*data, *room);
}

static void end_it(struct end *end) {
  close_stream(&end->stream, false);
  free(end->in);
  free(end->out);
  free(end);
}

static void queue(struct end *end, const void *data, size_t size) {
  room_for(&end->out, &end->out_room, end->out_size + size);
  memcpy(end->out + end->out_size, data, size);
  end->out_size += size;
}

static bool flush(struct end *end) {
  while (end->out_sent < end->out_size) {
    long sent = transmit(&end->stream, end->out + end->out_sent, end->out_size - end->out_sent);
    if (sent < 0) return false;
    if (sent == 0) break;
    end->out_sent += (size_t)sent;
  }
  bool blocked = end->out_sent < end->out_size;
  if (!blocked) end->out_size = end->out_sent = 0;
  if (blocked != end->blocked) {
    struct epoll_event event = {.events = blocked ? EPOLLOUT : EPOLLIN, .data.ptr = end};
    epoll_ctl(poller, EPOLL_CTL_MOD, end->stream.fd, &event);
    end->blocked = blocked;
  }
  return true;
}

static bool take_request(struct end *end) {
  char *head = (char *)end->in, *last = memmem(head, end->in_size, "\r\n\r\n", 4), answer[256], accept[29] = "";
  if (!last) return true;
  for (char *line = head; line < last; line = strstr(line, "\r\n") + 2)
    if (!strncasecmp(line, "sec-websocket-key:", 18)) {
      char *key = line + 18;
      while (*key == ' ') key++;
      accept_for(key, strcspn(key, " \r"), accept);
    }
  if (!*accept) { /* a GET for who wants to see a gateway pass one on */
    static const char plain[] = "HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\nhello, world";
    queue(end, plain, sizeof plain - 1);
  } else {
    int size = snprintf(answer, sizeof answer,
                        "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
                        "Sec-WebSocket-Accept: %s\r\n\r\n",
                        accept);
    queue(end, answer, (size_t)size);
    end->open = true;
  }
  size_t used = (size_t)(last + 4 - head);
  end->in_size -= used;
  memmove(end->in, end->in + used, end->in_size);
  return true;
}

/* Echoes one frame at the beginning of data; tells how many bytes it has, or 0 if it is not all there. */
static size_t take_frame(struct end *end, uint8_t *data, size_t size) {
  static const uint8_t more[128] = {[126] = 2, [127] = 8};
  if (size < 2) return 0;
  size_t head = 2u + more[data[1] & 127], length = data[1] & 127;
  if (size < head + 4) return 0;
  if (length > 125) {
    length = 0;
    for (size_t i = 2; i < head; i++) length = length << 8 | data[i];
  }
  uint8_t *content = data + head + 4, mask[8];
  if (size < head + 4 + length) return 0;
  memcpy(mask, data + head, 4);
  memcpy(mask + 4, mask, 4);
  uint64_t wide, word;
  memcpy(&wide, mask, 8);
  size_t i = 0;
  for (; i + 8 <= length; i += 8) {
    memcpy(&word, content + i, 8);
    word ^= wide;
    memcpy(content + i, &word, 8);
  }
  for (; i < length; i++) content[i] ^= mask[i & 3];
  data[1] &= 127;
  if ((data[0] & 15) == 9) data[0] ^= 3;
  queue(end, data, head);
  queue(end, content, length);
  return head + 4 + length;
}

static bool readable(struct end *end) {
  room_for(&end->in, &end->in_room, end->in_size + 65536);
  long got = receive(&end->stream, end->in + end->in_size, end->in_room - end->in_size - 1);
  if (got < 0) return false;
  end->in_size += (size_t)got;
  end->in[end->in_size] = 0;
  if (!end->open) take_request(end);
  size_t at = 0, whole;
  while (end->open && (whole = take_frame(end, end->in + at, end->in_size - at))) at += whole;
  end->in_size -= at;
  memmove(end->in, end->in + at, end->in_size);
  return flush(end);
}

static void welcome(int listening) {
  const int one = 1;
  int fd;
  while ((fd = accept4(listening, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
    struct end *end = calloc(1, sizeof *end);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = end};
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    end->stream.fd = fd;
    epoll_ctl(poller, EPOLL_CTL_ADD, fd, &event);
  }
}

int run_serve(const struct options *options) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)options->port)};
  socklen_t size = sizeof address;
  const int one = 1;
  int listening = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  inet_pton(AF_INET, options->host, &address.sin_addr);
  setsockopt(listening, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  if (bind(listening, (struct sockaddr *)&address, size) || listen(listening, 1000)) die("%s", strerror(errno));
  getsockname(listening, (struct sockaddr *)&address, &size);
  printf("%d\n", ntohs(address.sin_port));
  fflush(stdout);
  poller = epoll_create1(0);
  struct epoll_event events[256], event = {.events = EPOLLIN, .data.ptr = NULL};
  epoll_ctl(poller, EPOLL_CTL_ADD, listening, &event);
  for (;;) {
    int ready = epoll_wait(poller, events, 256, -1);
    for (int i = 0; i < ready; i++) {
      struct end *end = events[i].data.ptr;
      if (!end) {
        welcome(listening);
      } else if (!(events[i].events & EPOLLOUT ? flush(end) : readable(end))) {
        end_it(end);
      }
    }
  }
}
