// SPDX-License-Identifier: Apache-2.0
/*
 * http.h - a client of few words, on loopback, for tests.
 *
 * Blocking, with a limit on every wait; what goes wrong fails the test.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/span.h"

enum { HTTP_WAIT_S = 10, HTTP_MAX = 4 << 20 };

struct http_answer {
	int status;      /* 0: the connection ended before one came */
	struct buf head; /* from the status line to the blank line */
	struct buf body; /* without its chunks */
};

int http_connect(unsigned port);
int http_connect_to(const char *address, unsigned port); /* also ::1 */
void http_send(int fd, const char *text);
void http_send_bytes(int fd, const void *p, size_t n);
/* The next answer on the connection; `head`: it was asked by HEAD. */
void http_read(int fd, bool head, struct http_answer *out);
/* Exactly what came so far and on, until `text` is in it. */
void http_read_until(int fd, const char *text, struct buf *out);
/* The body of an answer in chunks, without them, until `text` is in it; the
 * head was read before. */
void http_read_chunks_until(int fd, const char *text, struct buf *out);
bool http_closed(int fd); /* nothing more comes; waits for that */
/* Of the answer's head, in static memory; NULL if it is not there. */
const char *http_header(const struct http_answer *a, const char *name);
void http_answer_free(struct http_answer *a);

/* One request on a connection of its own.  `headers`: lines that end in CRLF,
 * may be ""; body NULL: none. */
void http_ask(unsigned port, const char *method, const char *path,
	      const char *headers, const char *body, struct http_answer *out);
