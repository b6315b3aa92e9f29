// SPDX-License-Identifier: Apache-2.0
/*
 * fuzz_form.c - forms: what is accepted, escaped again and read again, says
 * the same; a refused one tells nobody anything.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "web/web.h"

enum { TEXT_MAX = 256 << 10 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct said {
	struct buf plain, escaped; /* pairs, terminated; a form of them */
	int pairs;
};

static void escape(struct buf *b, const char *s)
{
	for (; *s; s++)
		buf_printf(b, "%%%02x", (unsigned char)*s);
}

static int note(const char *name, const char *value, void *ctx)
{
	struct said *said = ctx;

	assert(span_utf8(span_of(name)) && span_utf8(span_of(value)));
	buf_add(&said->plain, name, strlen(name) + 1);
	buf_add(&said->plain, value, strlen(value) + 1);
	escape(&said->escaped, name);
	buf_byte(&said->escaped, '=');
	escape(&said->escaped, value);
	buf_byte(&said->escaped, '&');
	assert(++said->pairs <= WEB_FORM_MAX);
	return 0;
}

static void begin(struct said *said)
{
	*said = (struct said){0};
	buf_init(&said->plain, TEXT_MAX);
	buf_init(&said->escaped, TEXT_MAX);
}

static void end(struct said *said)
{
	buf_free(&said->plain);
	buf_free(&said->escaped);
}

static void says_the_same(const struct said *once)
{
	struct said again;
	bool same;
	int err;

	begin(&again);
	err = web_form(buf_view(&once->escaped), note, &again);
	same = !err && once->pairs == again.pairs &&
	       once->plain.n == again.plain.n &&
	       (once->plain.n == 0 ||
		memcmp(once->plain.p, again.plain.p, once->plain.n) == 0);
	assert(same);
	end(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct said once;

	if (size > WEB_BODY_MAX)
		return 0;
	begin(&once);
	if (web_form(span_make(data, size), note, &once) == 0)
		says_the_same(&once);
	else
		assert(once.pairs == 0);
	end(&once);
	return 0;
}
