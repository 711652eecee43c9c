/* load KIND --port N …: puts load on a server on this machine and prints one line of JSON. */
#define OPTIONS                                                                                                       \
  "load KIND --port N [options]      one line of JSON about it\n\n"                                                   \
  "KIND  echo     WebSocket messages to and fro, each echo compared with what was sent\n"                             \
  "      once     opening handshakes, each on a connection of its own\n"                                              \
  "      get      requests on connections that stay\n"                                                                \
  "      idle     WebSockets that do nothing, opened in steps\n"                                                      \
  "      streams  echoes on WebSockets that are streams of HTTP/2 connections (prior knowledge)\n"                    \
  "      serve    an echo server; prints its port (--port 0: any)\n\n"                                                \
  "--host 127.0.0.1  --path /ws (get: /plain)  --name HOST-FIELD  --connections 64 (once, get: 32)\n"                  \
  "--size 32 (bytes of a message)  --in-flight 1 (messages under way on each connection; streams: 50, one on each)  --text (else binary)\n"     \
  "--seconds 3  --warm 0.3 (before it counts)  --pid N (processes whose processor time and memory are told)\n"        \
  "--steps 100,10000 (idle)  --touch (idle: one message each)  --hold (idle: until standard input ends)\n"            \
  "--close reset|fin|frame (once)  --offer EXTENSIONS  --protocol SUBPROTOCOLS  --tls  --resume\n"

#include "load.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int numbers(const char *text, int *into, int room) {
  int count = 0;
  for (char *at = (char *)text; *at && count < room; at += *at == ',') into[count++] = (int)strtol(at, &at, 10);
  return count;
}

static void read_options(struct options *options, int count, char **words) {
  static const struct option known[] = {
      {"host", 1, 0, 'h'},  {"path", 1, 0, 'p'},    {"name", 1, 0, 'n'},     {"connections", 1, 0, 'c'},
      {"size", 1, 0, 's'},  {"in-flight", 1, 0, 'i'}, {"text", 0, 0, 't'},   {"seconds", 1, 0, 'd'},
      {"warm", 1, 0, 'w'},  {"pid", 1, 0, 'q'},     {"steps", 1, 0, 'e'},    {"touch", 0, 0, 'o'},
      {"hold", 0, 0, 'k'},  {"close", 1, 0, 'x'},   {"offer", 1, 0, 'f'},    {"protocol", 1, 0, 'b'},
      {"tls", 0, 0, 'l'},   {"resume", 0, 0, 'r'},  {"port", 1, 0, 'P'},     {0, 0, 0, 0}};
  for (int found; (found = getopt_long(count, words, "", known, NULL)) != -1;) switch (found) {
      case 'h': options->host = optarg; break;
      case 'p': options->path = optarg; break;
      case 'n': options->name = optarg; break;
      case 'c': options->connections = atoi(optarg); break;
      case 's': options->size = strtoul(optarg, NULL, 10); break;
      case 'i': options->in_flight = atoi(optarg); break;
      case 't': options->text = true; break;
      case 'd': options->seconds = atof(optarg); break;
      case 'w': options->warm = atof(optarg); break;
      case 'q': options->pid_count += numbers(optarg, options->pids + options->pid_count, MAX_PIDS - options->pid_count); break;
      case 'e': options->step_count = numbers(optarg, options->steps, MAX_STEPS); break;
      case 'o': options->touch = true; break;
      case 'k': options->hold = true; break;
      case 'x': options->close = optarg; break;
      case 'f': options->offer = optarg; break;
      case 'b': options->protocol = optarg; break;
      case 'l': options->tls = true; break;
      case 'r': options->resume = true; break;
      case 'P': options->port = atoi(optarg); break;
      default: die("what is that?\n\n" OPTIONS);
    }
}

int main(int count, char **words) {
  static const struct {
    const char *name, *path;
    int connections, in_flight;
    int (*run)(const struct options *);
  } kinds[] = {{"echo", "/ws", 64, 1, run_echo}, {"once", "/ws", 32, 1, run_once},
               {"get", "/plain", 32, 1, run_get}, {"idle", "/ws", 0, 1, run_idle},
               {"streams", "/ws", 1, 50, run_streams}, {"serve", "", 0, 1, run_serve}};
  struct options options = {.host = "127.0.0.1", .name = "127.0.0.1", .close = "reset", .port = -1,
                            .size = 32, .seconds = 3, .warm = 0.3, .steps = {100, 10000}, .step_count = 2};
  for (size_t i = 0; count > 1 && i < sizeof kinds / sizeof *kinds; i++) {
    if (strcmp(words[1], kinds[i].name)) continue;
    options.path = kinds[i].path;
    options.connections = kinds[i].connections;
    options.in_flight = kinds[i].in_flight;
    read_options(&options, count - 1, words + 1);
    if (options.port < 0) die("--port is missing");
    prepare_tls(&options);
    return kinds[i].run(&options);
  }
  die("which KIND?\n\n" OPTIONS);
}
