/* Reads from many sockets in one go, and sends on many: what a system call costs is then nearly all that a small message
   costs beside the application.

   What was read lies in an arena, until the next reading. Where a connection carries WebSocket and a read is one whole
   short data frame, as most are, its content lies there a second time without its mask (RFC 6455 section 5.3).

   Nothing of Python's is in here. It is loaded with ctypes; reading.py has the same numbers and the same records. VERSION is
   a sum of this file. */

#define _GNU_SOURCE
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define EVENTS 64
#define ALIGNED 8

/* What a record says instead of the first octet of a frame. */
enum { BYTES, UNCOMMON };

struct record {
  uint64_t key;        /* of a link */
  uint32_t begin, end; /* where it lies; of a frame its content without the mask, right behind the frame, aligned */
  uint32_t first;      /* octet of a frame, or one of the above */
};

/* A place without a socket has the next such place in `from`, and a generation that no event has. */
struct link {
  int32_t from;
  uint32_t generation;
  uint32_t frames; /* whether it carries WebSocket */
};

struct reading {
  struct record *records;
  int32_t epoll;
  int32_t left;  /* events that are looked at before others have their turn */
  int64_t small; /* octets before that */

  uint8_t *arena;
  uint32_t room, most;
  uint32_t generation;
  int32_t free, places;
  struct link *links;
  int next, count;
  struct epoll_event events[EVENTS];
  struct record kept[EVENTS];
};

uint32_t reading_version(void) { return VERSION; }

void reading_delete(struct reading *reading) {
  if (reading->epoll >= 0) close(reading->epoll);
  free(reading->links);
  free(reading);
}

/* Reads into an arena of so many octets, at most so many at once. Returns NULL, and the reason in errno, if the system has
   nothing left. */
struct reading *reading_new(uint8_t *arena, uint32_t room, uint32_t most) {
  struct reading *reading = calloc(1, sizeof *reading);
  if (!reading) return NULL;
  reading->arena = arena;
  reading->room = room;
  reading->most = most;
  reading->records = reading->kept;
  reading->free = -1;
  reading->epoll = epoll_create1(EPOLL_CLOEXEC);
  if (reading->epoll >= 0) return reading;
  int error = errno;
  free(reading);
  errno = error;
  return NULL;
}

static int grow(struct reading *reading) {
  int32_t places = reading->places ? 2 * reading->places : 16;
  struct link *links = realloc(reading->links, (size_t)places * sizeof *links);
  if (!links) return -1;
  reading->links = links;
  for (int32_t place = places - 1; place >= reading->places; place--) {
    links[place] = (struct link){.from = reading->free};
    reading->free = place;
  }
  reading->places = places;
  return 0;
}

static uint64_t key_of(const struct reading *reading, int32_t place) {
  return (uint64_t)reading->links[place].generation << 32 | (uint32_t)place;
}

static struct link *link_of(const struct reading *reading, uint64_t key) {
  struct link *link = &reading->links[(uint32_t)key];
  return link->generation == key >> 32 ? link : NULL;
}

static int watch(struct reading *reading, int operation, int32_t place) {
  struct epoll_event event = {.events = EPOLLIN | EPOLLPRI | EPOLLRDHUP | EPOLLET, .data.u64 = key_of(reading, place)};
  return epoll_ctl(reading->epoll, operation, reading->links[place].from, &event);
}

static void give_back(struct reading *reading, int32_t place) {
  reading->links[place] = (struct link){.from = reading->free};
  reading->free = place;
}

/* Reads from a socket from now on. Returns its key, which is never 0 and never another's; or 0, and the reason in errno. */
uint64_t reading_put(struct reading *reading, int32_t from, int frames) {
  if (reading->free < 0 && grow(reading) < 0) return 0;
  int32_t place = reading->free, next = reading->links[place].from;
  if (!++reading->generation) reading->generation = 1;
  reading->links[place] = (struct link){.from = from, .generation = reading->generation, .frames = frames != 0};
  reading->free = next;
  if (watch(reading, EPOLL_CTL_ADD, place) == 0) return key_of(reading, place);
  int error = errno;
  give_back(reading, place);
  errno = error;
  return 0;
}

/* Reads no more from a socket, which is open yet. */
void reading_forget(struct reading *reading, uint64_t key) {
  struct link *link = link_of(reading, key);
  if (!link) return;
  epoll_ctl(reading->epoll, EPOLL_CTL_DEL, link->from, NULL);
  give_back(reading, (int32_t)(uint32_t)key);
}

/* Says whether a socket carries WebSocket. */
void reading_frames(struct reading *reading, uint64_t key, int frames) {
  struct link *link = link_of(reading, key);
  if (link) link->frames = frames != 0;
}

/* Whether octets are one whole data frame, masked, with its length in seven bits (section 5.2): text or binary, FIN. */
static int is_short_frame(const uint8_t *data, size_t size) {
  return size >= 6 && (data[0] == 0x81 || data[0] == 0x82) && data[1] >= 0x80 && (size_t)(data[1] - 0x80) == size - 6 &&
         data[1] < 0xfe;
}

static void unmask(uint8_t *into, const uint8_t *content, const uint8_t *mask, size_t size) {
  size_t at = 0;
  uint32_t word, key;
  memcpy(&key, mask, sizeof key);
  for (; at + sizeof word <= size; at += sizeof word) {
    memcpy(&word, content + at, sizeof word);
    word ^= key;
    memcpy(into + at, &word, sizeof word);
  }
  for (; at < size; at++) into[at] = content[at] ^ mask[at % 4];
}

/* Reads once from each socket that has something, as long as the arena has room. Returns how many records there are. */
int reading_go(struct reading *reading) {
  uint32_t at = 0;
  int number = 0;
  if (reading->next == reading->count) {
    reading->next = reading->count = 0;
    int most = reading->small <= 0 ? 0 : reading->left < EVENTS ? reading->left : EVENTS;
    int count = most > 0 ? epoll_wait(reading->epoll, reading->events, most, 0) : 0;
    if (count <= 0) return 0;
    reading->count = count;
    reading->left -= count;
  }
  while (reading->next < reading->count && reading->room - at >= 2 * reading->most) {
    const struct epoll_event *event = &reading->events[reading->next++];
    struct link *link = link_of(reading, event->data.u64);
    if (!link) continue; /* it was forgotten in this turn */
    struct record *record = &reading->records[number++];
    *record = (struct record){.key = event->data.u64, .begin = at, .first = UNCOMMON};
    if (event->events != EPOLLIN) continue; /* errors, too: whoever reads one takes it away */
    uint8_t *data = reading->arena + at;
    ssize_t got;
    do got = recv(link->from, data, reading->most, MSG_DONTWAIT);
    while (got < 0 && errno == EINTR);
    if (got < 0 && errno == EAGAIN) number--;
    if (got <= 0) continue;
    if ((uint32_t)got == reading->most) watch(reading, EPOLL_CTL_MOD, (int32_t)(uint32_t)event->data.u64);
    reading->small -= got;
    record->end = at + (uint32_t)got;
    record->first = BYTES;
    at += ((uint32_t)got + ALIGNED - 1) / ALIGNED * ALIGNED;
    if (link->frames && is_short_frame(data, (size_t)got)) {
      record->first = data[0];
      record->begin = at;
      record->end = at + (uint32_t)got - 6;
      unmask(reading->arena + at, data + 6, data + 2, (size_t)got - 6);
      at += ((uint32_t)got + ALIGNED - 1) / ALIGNED * ALIGNED;
    }
  }
  return number;
}

/* Sends pieces, each on its socket; they lie one behind the other. Returns how many were not taken whole; how much of each
   was is in `sent`. */
int reading_send(const int32_t *sockets, const uint32_t *sizes, int number, const uint8_t *data, uint32_t *sent) {
  int wrong = 0;
  for (int i = 0; i < number; i++) {
    ssize_t taken = send(sockets[i], data, sizes[i], MSG_DONTWAIT | MSG_NOSIGNAL);
    sent[i] = taken > 0 ? (uint32_t)taken : 0;
    wrong += sent[i] != sizes[i];
    data += sizes[i];
  }
  return wrong;
}
