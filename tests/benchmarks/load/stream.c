/* A connection's bytes, with or without TLS (-DTLS: with OpenSSL). */
#include "load.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#ifdef TLS
#include <openssl/err.h>
#include <openssl/ssl.h>

static SSL_CTX *context;
static SSL_SESSION *session;

static int keep(SSL *ssl, SSL_SESSION *fresh) {
  (void)ssl;
  SSL_SESSION_free(session); /* a ticket of TLS 1.3 is good for one connection: the latest counts */
  session = fresh;
  return 1;
}

void prepare_tls(const struct options *options) {
  if (!options->tls) return;
  context = SSL_CTX_new(TLS_client_method());
  SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION);
  SSL_CTX_set_verify(context, SSL_VERIFY_NONE, NULL);
  SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  SSL_CTX_set_read_ahead(context, 1);
  SSL_CTX_set_default_read_buffer_len(context, 1 << 16);
  if (options->resume) {
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(context, keep);
  }
}

static SSL *prepare(const struct options *options, int fd) {
  static const unsigned char http1[] = "\x08http/1.1";
  SSL *ssl = SSL_new(context);
  SSL_set_fd(ssl, fd);
  SSL_set_tlsext_host_name(ssl, "localhost");
  SSL_set_alpn_protos(ssl, http1, sizeof http1 - 1);
  if (options->resume && session) SSL_set_session(ssl, session);
  SSL_set_connect_state(ssl);
  return ssl;
}

bool resumed(const struct stream *stream) { return stream->ssl && SSL_session_reused(stream->ssl); }

static bool proceed(struct stream *stream) {
  int result = SSL_do_handshake(stream->ssl);
  if (result == 1) return true;
  int error = SSL_get_error(stream->ssl, result);
  if (error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE)
    die("TLS: %s", ERR_reason_error_string(ERR_get_error()));
  return false;
}

static long judge(const struct stream *stream, int result) {
  int error = SSL_get_error(stream->ssl, result);
  if (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE) return 0;
  ERR_clear_error();
  return -1;
}
#else
void prepare_tls(const struct options *options) {
  if (options->tls) die("this was compiled without TLS");
}

bool resumed(const struct stream *stream) {
  (void)stream;
  return false;
}
#endif

bool ready(struct stream *stream) {
#ifdef TLS
  if (stream->ssl) return proceed(stream);
#endif
  return stream->fd >= 0;
}

struct stream begin_stream(const struct options *options) {
  struct stream stream = {.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)options->port)};
  const int one = 1;
  if (stream.fd < 0) die("socket: %s", strerror(errno));
  if (inet_pton(AF_INET, options->host, &address.sin_addr) != 1) die("no IPv4 address: %s", options->host);
  if (connect(stream.fd, (struct sockaddr *)&address, sizeof address)) die("connect: %s", strerror(errno));
  setsockopt(stream.fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
#ifdef TLS
  if (options->tls) stream.ssl = prepare(options, stream.fd);
#endif
  fcntl(stream.fd, F_SETFL, O_NONBLOCK);
  return stream;
}

long receive(struct stream *stream, void *data, size_t size) {
  if (stream->rest_size) {
    int before = stream->rest_size;
    memcpy(data, stream->rest, (size_t)before); /* every caller has more room than that */
    stream->rest_size = 0;
    return before;
  }
#ifdef TLS
  if (stream->ssl) {
    int got = SSL_read(stream->ssl, data, (int)size);
    return got > 0 ? got : judge(stream, got);
  }
#endif
  ssize_t got = recv(stream->fd, data, size, 0);
  if (got > 0) return got;
  return got < 0 && (errno == EAGAIN || errno == EINTR) ? 0 : -1;
}

long transmit(struct stream *stream, const void *data, size_t size) {
#ifdef TLS
  if (stream->ssl) {
    int sent = SSL_write(stream->ssl, data, (int)size);
    return sent > 0 ? sent : judge(stream, sent);
  }
#endif
  ssize_t sent = send(stream->fd, data, size, MSG_NOSIGNAL);
  if (sent > 0) return sent;
  return sent < 0 && (errno == EAGAIN || errno == EINTR) ? 0 : -1;
}

void close_stream(struct stream *stream, bool reset) {
  const struct linger at_once = {1, 0};
#ifdef TLS
  if (stream->ssl) {
    SSL_set_quiet_shutdown(stream->ssl, 1);
    SSL_shutdown(stream->ssl);
    SSL_free(stream->ssl);
  }
#endif
  if (reset) setsockopt(stream->fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  close(stream->fd);
}

static void wait_for(const struct stream *stream, short event) {
  struct pollfd one = {.fd = stream->fd, .events = event};
  if (poll(&one, 1, 30000) <= 0) die("nothing happened for 30 s");
}

struct stream open_stream(const struct options *options) {
  struct stream stream = begin_stream(options);
  while (!ready(&stream)) wait_for(&stream, POLLIN);
  return stream;
}

void transmit_all(struct stream *stream, const void *data, size_t size) {
  for (size_t done = 0; done < size;) {
    long sent = transmit(stream, (const char *)data + done, size - done);
    if (sent < 0) die("the connection was closed");
    if (sent == 0) wait_for(stream, POLLOUT);
    done += (size_t)sent;
  }
}

size_t receive_some(struct stream *stream, void *data, size_t size) {
  for (;;) {
    long got = receive(stream, data, size);
    if (got > 0) return (size_t)got;
    if (got < 0) die("the connection was closed");
    wait_for(stream, POLLIN);
  }
}
