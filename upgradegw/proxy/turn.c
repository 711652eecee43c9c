/* What turning.py does, for what is common: bytes go from socket to socket, and the heads of WebSocket frames are
   looked at as they pass (RFC 6455 section 5.2). All else is told to Python, which goes on from there: an end, an error,
   a socket that does not take all, a head that is cut in two, a Close.

   Nothing of Python's is in here. It is loaded with ctypes, which lets go of the interpreter's lock meanwhile; a turn is
   used from one thread. compiled.py has the same numbers and the same first members of `struct turn`; VERSION is a sum of
   this file. */

#define _GNU_SOURCE
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define EVENTS 256

enum told { DONE, UNCOMMON, BROKEN, UNFOLLOWED, UNTAKEN };

/* Instead of the bytes of a frame that are still to come: nobody follows frames; Python does. */
enum { NO_FRAMES = -1, ASK = -2 };

/* A place without a socket has the next such place in `to`, and a generation that no event has. */
struct link {
  int32_t from, to;
  uint32_t generation;
  uint32_t events; /* what is asked of epoll(7) */
  int64_t missing;
  uint64_t passed;
};

struct turn {
  uint8_t *buffer;
  uint64_t size, sent; /* of what is in the buffer */
  int32_t epoll;
  int32_t place; /* whose turn it is */
  int32_t left;  /* events that are looked at before others have their turn */
  int64_t small; /* bytes before that */

  uint32_t generation;
  int32_t free, room;
  struct link *links;
  int next, count;
  struct epoll_event events[EVENTS];
};

uint32_t turn_version(void) { return VERSION; }

void turn_delete(struct turn *turn) {
  if (turn->epoll >= 0) close(turn->epoll);
  free(turn->links);
  free(turn->buffer);
  free(turn);
}

/* Returns NULL, and the reason in errno, if the system has nothing left. */
struct turn *turn_new(size_t size) {
  struct turn *turn = calloc(1, sizeof *turn);
  if (!turn) return NULL;
  turn->free = -1;
  turn->buffer = malloc(size);
  turn->epoll = turn->buffer ? epoll_create1(EPOLL_CLOEXEC) : -1;
  if (turn->epoll >= 0) return turn;
  int error = errno;
  turn_delete(turn);
  errno = error;
  return NULL;
}

static int grow(struct turn *turn) {
  int32_t room = turn->room ? 2 * turn->room : 16;
  struct link *links = realloc(turn->links, (size_t)room * sizeof *links);
  if (!links) return -1;
  turn->links = links;
  for (int32_t place = room - 1; place >= turn->room; place--) {
    links[place] = (struct link){.to = turn->free};
    turn->free = place;
  }
  turn->room = room;
  return 0;
}

static int watch(struct turn *turn, int operation, int32_t place) {
  const struct link *link = &turn->links[place];
  struct epoll_event event = {.events = link->events, .data.u64 = (uint64_t)link->generation << 32 | (uint32_t)place};
  return epoll_ctl(turn->epoll, operation, link->from, &event);
}

static void give_back(struct turn *turn, int32_t place) {
  turn->links[place] = (struct link){.to = turn->free};
  turn->free = place;
}

/* Reads from one socket, of which epoll tells such events, and sends on another from now on. Returns the place, or -1 and
   the reason in errno. */
int32_t turn_put(struct turn *turn, int32_t from, uint32_t events, int32_t to, int64_t missing) {
  if (turn->free < 0 && grow(turn) < 0) return -1;
  int32_t place = turn->free, next = turn->links[place].to;
  if (!++turn->generation) turn->generation = 1;
  turn->links[place] = (struct link){
      .from = from, .to = to, .generation = turn->generation, .events = events, .missing = missing};
  turn->free = next;
  if (watch(turn, EPOLL_CTL_ADD, place) == 0) return place;
  int error = errno;
  give_back(turn, place);
  errno = error;
  return -1;
}

/* Reads no more from a socket, which may be closed: then it has left the epoll by itself. */
void turn_forget(struct turn *turn, int32_t place) {
  epoll_ctl(turn->epoll, EPOLL_CTL_DEL, turn->links[place].from, NULL);
  give_back(turn, place);
}

uint64_t turn_passed(const struct turn *turn, int32_t place) { return turn->links[place].passed; }

int64_t turn_missing(const struct turn *turn, int32_t place) { return turn->links[place].missing; }

void turn_follow(struct turn *turn, int32_t place, int64_t missing) { turn->links[place].missing = missing; }

/* Follows frames. Returns 0, and has noted nothing, if somebody else must. */
static int follow(struct link *link, const uint8_t *data, uint64_t size) {
  if (link->missing == NO_FRAMES) return 1;
  if (link->missing == ASK) return 0;
  uint64_t at = (uint64_t)link->missing;
  while (at < size) {
    const uint8_t *head = data + at;
    uint64_t have = size - at;
    if (have < 2 || (head[0] & 0x0f) == 8) return 0; /* a Close */
    unsigned extended = (head[1] & 0x7f) == 127 ? 8 : (head[1] & 0x7f) == 126 ? 2 : 0;
    uint64_t length = extended ? 0 : head[1] & 0x7f;
    if (have < 2 + extended) return 0;
    for (unsigned i = 0; i < extended; i++) length = length << 8 | head[2 + i];
    if (length >> 62) return 0;
    at += 2 + extended + (head[1] & 0x80 ? 4 : 0) + length;
  }
  link->missing = (int64_t)(at - size);
  return 1;
}

/* Goes on with what is left of this turn, reading so many bytes at most at once, as far as something that is told.
   While messages are small, events that come meanwhile belong to the turn, too: they cost less here than in another. */
enum told turn_go(struct turn *turn, size_t most) {
  for (;;) {
    while (turn->next < turn->count) {
      const struct epoll_event *event = &turn->events[turn->next++];
      int32_t place = (int32_t)(uint32_t)event->data.u64;
      struct link *link = &turn->links[place];
      if (link->generation != event->data.u64 >> 32) continue; /* it was forgotten in this turn */
      turn->place = place;
      if (event->events != EPOLLIN) return UNCOMMON; /* errors, too: whoever reads one takes it away */
      ssize_t got;
      do got = recv(link->from, turn->buffer, most, MSG_DONTWAIT);
      while (got < 0 && errno == EINTR);
      if (got < 0 && errno == EAGAIN) continue;
      if (got < 0) return BROKEN;
      if (!got) return UNCOMMON;
      if ((size_t)got == most) watch(turn, EPOLL_CTL_MOD, place); /* there may be more, which has arrived already */
      turn->size = (uint64_t)got;
      turn->sent = 0;
      link->passed += turn->size;
      turn->small -= got;
      if (!follow(link, turn->buffer, turn->size)) return UNFOLLOWED;
      ssize_t sent = send(link->to, turn->buffer, turn->size, MSG_DONTWAIT | MSG_NOSIGNAL);
      if (sent != got) {
        if (sent > 0) turn->sent = (uint64_t)sent;
        return UNTAKEN;
      }
    }
    turn->next = turn->count = 0;
    if (turn->left <= 0 || turn->small <= 0) return DONE;
    int count = epoll_wait(turn->epoll, turn->events, turn->left < EVENTS ? turn->left : EVENTS, 0);
    if (count <= 0) return DONE;
    turn->count = count;
    turn->left -= count;
  }
}
