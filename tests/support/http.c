// SPDX-License-Identifier: Apache-2.0
/*
 * http.c - a client of few words, on loopback, for tests.
 */
#include "support/http.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "support/test.h"

int http_connect_to(const char *address, unsigned port)
{
	struct timeval limit = {.tv_sec = HTTP_WAIT_S};
	struct sockaddr_in four = {.sin_family = AF_INET,
				   .sin_port = htons((uint16_t)port)};
	struct sockaddr_in6 six = {.sin6_family = AF_INET6,
				   .sin6_port = htons((uint16_t)port)};
	bool is_six = strchr(address, ':') != NULL;
	int fd = socket(is_six ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC,
			0);
	int one = 1, rc;

	assert_true(fd >= 0);
	if (is_six) {
		assert_int_equal(inet_pton(AF_INET6, address, &six.sin6_addr),
				 1);
		rc = connect(fd, (struct sockaddr *)&six, sizeof(six));
	} else {
		assert_int_equal(inet_pton(AF_INET, address, &four.sin_addr),
				 1);
		rc = connect(fd, (struct sockaddr *)&four, sizeof(four));
	}
	if (rc < 0) {
		(void)close(fd);
		return -errno;
	}
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	(void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	return fd;
}

int http_connect(unsigned port)
{
	int fd = http_connect_to("127.0.0.1", port);

	assert_true(fd >= 0);
	return fd;
}

void http_send_bytes(int fd, const void *p, size_t n)
{
	const char *at = p;

	while (n > 0) {
		ssize_t sent = send(fd, at, n, MSG_NOSIGNAL);

		/* the server may have had enough: its answer tells */
		if (sent <= 0)
			return;
		at += sent;
		n -= (size_t)sent;
	}
}

void http_send(int fd, const char *text)
{
	http_send_bytes(fd, text, strlen(text));
}

/* A child that ends may interrupt it. */
static ssize_t receive(int fd, void *p, size_t n)
{
	ssize_t got;

	do
		got = recv(fd, p, n, 0);
	while (got < 0 && errno == EINTR);
	return got;
}

/* One byte at a time where what follows must stay in the socket. */
static bool read_byte(int fd, struct buf *out)
{
	char c;
	ssize_t n = receive(fd, &c, 1);

	if (n < 0 && errno == EAGAIN)
		fail_msg("nothing came for %d s", HTTP_WAIT_S);
	if (n <= 0)
		return false;
	buf_byte(out, (unsigned char)c);
	assert_int_equal(out->err, 0);
	return true;
}

static bool ends_with(const struct buf *b, const char *text)
{
	size_t n = strlen(text);

	return b->n >= n && memcmp(b->p + b->n - n, text, n) == 0;
}

static bool read_line_end(int fd, const char *end, struct buf *out)
{
	do {
		if (!read_byte(fd, out))
			return false;
	} while (!ends_with(out, end));
	return true;
}

static void read_n(int fd, size_t n, struct buf *out)
{
	char piece[8192];

	while (n > 0) {
		ssize_t got = receive(fd, piece,
				      n < sizeof(piece) ? n : sizeof(piece));

		if (got <= 0)
			fail_msg("the body ends %zu bytes early", n);
		buf_add(out, piece, (size_t)got);
		n -= (size_t)got;
	}
	assert_int_equal(out->err, 0);
}

/* One chunk; its size. */
static size_t read_chunk(int fd, struct buf *out)
{
	AUTO_BUF(line, 128);
	size_t n;

	assert_true(read_line_end(fd, "\r\n", &line));
	n = strtoul(line.p, NULL, 16);
	read_n(fd, n, out);
	buf_reset(&line);
	assert_true(read_line_end(fd, "\r\n", &line));
	return n;
}

void http_read_chunks_until(int fd, const char *text, struct buf *out)
{
	size_t from = 0, n = strlen(text);

	while (out->n < n || !memmem(out->p + from, out->n - from, text, n)) {
		from = out->n > n ? out->n - n : 0;
		if (read_chunk(fd, out) == 0)
			fail_msg("it ended before: %s", text);
	}
}

const char *http_header(const struct http_answer *a, const char *name)
{
	static _Thread_local char value[4096];
	size_t n = strlen(name);

	for (const char *l = a->head.p; l && *l; l = strchr(l, '\n')) {
		const char *end;

		l += *l == '\n';
		if (strncasecmp(l, name, n) != 0 || l[n] != ':')
			continue;
		l += n + 1;
		l += *l == ' ';
		end = strchr(l, '\r');
		assert_non_null(end);
		(void)snprintf(value, sizeof(value), "%.*s", (int)(end - l), l);
		return value;
	}
	return NULL;
}

static void read_rest(int fd, struct buf *out)
{
	while (read_byte(fd, out))
		;
}

void http_read(int fd, bool head, struct http_answer *out)
{
	const char *length, *coding;

	memset(out, 0, sizeof(*out));
	buf_init(&out->head, HTTP_MAX);
	buf_init(&out->body, HTTP_MAX);
	do { /* 100 Continue is no answer */
		buf_reset(&out->head);
		if (!read_line_end(fd, "\r\n\r\n", &out->head))
			return;
		assert_true(span_starts(buf_view(&out->head), "HTTP/1."));
		out->status = (int)strtol(out->head.p + 9, NULL, 10);
	} while (out->status == 100);
	if (head || out->status == 204)
		return;
	coding = http_header(out, "Transfer-Encoding");
	if (coding && strcmp(coding, "chunked") == 0) {
		while (read_chunk(fd, &out->body) > 0)
			;
		return;
	}
	length = http_header(out, "Content-Length");
	if (length)
		read_n(fd, strtoul(length, NULL, 10), &out->body);
	else
		read_rest(fd, &out->body);
}

void http_read_until(int fd, const char *text, struct buf *out)
{
	while (!ends_with(out, text))
		if (!read_byte(fd, out))
			fail_msg("it ended before: %s", text);
}

bool http_closed(int fd)
{
	char piece[4096];
	ssize_t n;

	do {
		n = receive(fd, piece, sizeof(piece));
	} while (n > 0);
	if (n < 0 && errno != ECONNRESET)
		print_error("%s\n", strerrordesc_np(errno));
	return n == 0 || errno == ECONNRESET;
}

void http_answer_free(struct http_answer *a)
{
	buf_free(&a->head);
	buf_free(&a->body);
}

void http_ask(unsigned port, const char *method, const char *path,
	      const char *headers, const char *body, struct http_answer *out)
{
	AUTO_BUF(request, HTTP_MAX);
	int fd = http_connect(port);

	buf_printf(&request, "%s %s HTTP/1.1\r\nHost: 127.0.0.1\r\n%s", method,
		   path, headers);
	if (body)
		buf_printf(&request, "Content-Length: %zu\r\n", strlen(body));
	buf_str(&request, "\r\n");
	if (body)
		buf_str(&request, body);
	http_send_bytes(fd, request.p, request.n);
	http_read(fd, strcmp(method, "HEAD") == 0, out);
	(void)close(fd);
}
