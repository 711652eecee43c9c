/* Time: a clock, a histogram with 32 steps to each power of two, and the processor time of other processes. */
#include "load.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static uint64_t read_clock(clockid_t clock) {
  struct timespec spec;
  if (clock_gettime(clock, &spec) != 0) return 0; /* the process has ended */
  return (uint64_t)spec.tv_sec * 1000000000u + (uint64_t)spec.tv_nsec;
}

uint64_t now(void) { return read_clock(CLOCK_MONOTONIC); }

uint64_t used_here(void) { return read_clock(CLOCK_PROCESS_CPUTIME_ID); }

uint64_t used_by(const struct options *options) {
  uint64_t used = 0;
  for (int i = 0; i < options->pid_count; i++) {
    clockid_t clock;
    if (clock_getcpuclockid(options->pids[i], &clock) == 0) used += read_clock(clock);
  }
  return used;
}

long resident(const struct options *options) {
  long pages = 0;
  for (int i = 0; i < options->pid_count; i++) {
    char path[64];
    long size = 0, here = 0;
    snprintf(path, sizeof path, "/proc/%d/statm", options->pids[i]);
    FILE *file = fopen(path, "r");
    if (!file) continue;
    if (fscanf(file, "%ld %ld", &size, &here) == 2) pages += here;
    fclose(file);
  }
  return pages * sysconf(_SC_PAGESIZE);
}

void note(struct histogram *histogram, uint64_t value) {
  unsigned power = 63u - (unsigned)__builtin_clzll(value | 32);
  unsigned slot = power * 32 + (unsigned)((value >> (power - 5)) & 31);
  histogram->slots[slot]++;
  histogram->count++;
  if (value > histogram->most) histogram->most = value;
}

static double at(const struct histogram *histogram, double share) {
  uint64_t wanted = (uint64_t)(share * (double)histogram->count), seen = 0;
  for (unsigned slot = 0; slot < 64 * 32; slot++) {
    seen += histogram->slots[slot];
    if (seen > wanted) return (double)((32ull + slot % 32) << (slot / 32)) / 32 / 1000;
  }
  return (double)histogram->most / 1000;
}

void say_latency(const struct histogram *histogram) {
  printf(", \"latency_us\": {\"p50\": %.1f, \"p90\": %.1f, \"p99\": %.1f, \"p999\": %.1f, \"most\": %.1f}",
         at(histogram, 0.5), at(histogram, 0.9), at(histogram, 0.99), at(histogram, 0.999),
         (double)histogram->most / 1000);
}

struct span begin(const struct options *options) {
  return (struct span){.began = now(), .used = used_by(options), .own = used_here()};
}

void say_span(const struct options *options, struct span span, uint64_t done) {
  double wall = (double)(now() - span.began), own = (double)(used_here() - span.own);
  double each = done ? (double)done : 1;
  printf("\"count\": %llu, \"seconds\": %.4f, \"per_second\": %.1f", (unsigned long long)done, wall / 1e9,
         (double)done / wall * 1e9);
  if (options->pid_count) {
    double used = (double)(used_by(options) - span.used);
    printf(", \"server_us\": %.3f, \"server_share\": %.3f", used / each / 1000, used / wall);
    printf(", \"server_rss\": %ld", resident(options));
  }
  printf(", \"own_us\": %.3f, \"own_share\": %.3f", own / each / 1000, own / wall);
}

void die(const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  fprintf(stderr, "load: ");
  vfprintf(stderr, format, arguments);
  fprintf(stderr, "\n");
  va_end(arguments);
  exit(1);
}
