// SPDX-License-Identifier: Apache-2.0
/*
 * twilio_page.c - lists in pages, each with the addresses of its neighbours.
 *
 * Its clients follow next_page_url as it is, so what was asked for is in it.
 */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "api/twilio.h"

enum { PAGE_ASKED_MAX = 1000, PAGE_NUMBER_MAX = 1000000, PATH_BYTES = 256 };

/* --- the query ------------------------------------------------------------------------- */

static bool number(struct twilio_ask *q, const char *name, uint64_t most,
		   uint64_t *out)
{
	const char *text = web_query(q->r, name);

	if (!text || !*text || span_uint(span_of(text), most, out) == 0)
		return true;
	return twilio_no(q, "invalid_field", name, "it is no such number");
}

bool twilio_page_read(struct twilio_ask *q, struct twilio_page *out)
{
	const char *token = web_query(q->r, "PageToken");
	uint64_t size = TWILIO_PAGE, page = 0;

	if (!number(q, "PageSize", PAGE_ASKED_MAX, &size) ||
	    !number(q, "Page", PAGE_NUMBER_MAX, &page))
		return false;
	if (size == 0)
		return twilio_no(q, "invalid_field", "PageSize",
				 "a page has at least one item");
	out->size = size > TWILIO_PAGE_MAX ? TWILIO_PAGE_MAX : (size_t)size;
	out->number = (unsigned)page;
	if (token && strlen(token) >= sizeof(out->token))
		return twilio_no(q, "invalid_field", "PageToken",
				 "this is no token of ours");
	(void)snprintf(out->token, sizeof(out->token), "%s",
		       token ? token : "");
	return true;
}

/* Percent-encoded, but for what needs it nowhere. */
static void encode(struct buf *b, const char *text)
{
	for (; *text; text++) {
		if (isalnum((unsigned char)*text) || strchr("-._~", *text))
			buf_byte(b, (unsigned char)*text);
		else
			buf_printf(b, "%%%02X", (unsigned char)*text);
	}
}

bool twilio_page_keep(struct twilio_ask *q, struct twilio_page *p,
		      const struct twilio_filter *f, char *out, size_t size)
{
	const char *text = f->text;
	AUTO_BUF(all, TWILIO_FILTER_BYTES - 1);

	out[0] = '\0';
	if (!text || !*text)
		return true;
	buf_printf(&all, "%s&%s=", p->filters, f->name);
	encode(&all, text);
	if (all.err || strlen(text) >= size)
		return twilio_no(q, "invalid_field", f->name, "it is too long");
	(void)snprintf(out, size, "%s", text);
	(void)snprintf(p->filters, sizeof(p->filters), "%s", all.p);
	return true;
}

bool twilio_page_filter(struct twilio_ask *q, struct twilio_page *p,
			const char *name, char *out, size_t size)
{
	const struct twilio_filter f = {.name = name,
					.text = web_query(q->r, name)};

	return twilio_page_keep(q, p, &f, out, size);
}

bool twilio_page_time(struct twilio_ask *q, struct twilio_page *p,
		      const char *name, int64_t *out)
{
	char text[40];

	if (!twilio_page_filter(q, p, name, text, sizeof(text)))
		return false;
	if (!*text || clock_parse(text, out) == 0)
		return true;
	return twilio_no(q, "invalid_field", name,
			 "a time such as 2026-01-31T09:05:07Z");
}

/* --- the answer ---------------------------------------------------------------------------- */

static void write_page(struct buf *b, const struct twilio_ask *q,
		       const struct twilio_page *p, const char *path,
		       unsigned n)
{
	buf_printf(b, "%s%s?PageSize=%zu&Page=%u%s", q->base, path, p->size, n,
		   p->filters);
}

static void write_member(struct buf *b, const char *name, const struct buf *url)
{
	buf_printf(b, ",\"%s\":", name);
	if (url)
		buf_json(b, buf_view(url));
	else
		buf_str(b, "null");
}

void twilio_write_meta(struct buf *b, const struct twilio_ask *q,
		       const struct twilio_page *p, const char *key,
		       const char *path, const char *next)
{
	const size_t most = TWILIO_BASE_BYTES + TWILIO_FILTER_BYTES +
			    PATH_BYTES + 3 * TWILIO_TOKEN_BYTES;
	AUTO_BUF(first, most);
	AUTO_BUF(own, most);
	AUTO_BUF(further, most);
	AUTO_BUF(before, most);
	/* what lies behind a token cannot be gone back from */
	bool back = p->number > 0 && !p->token[0];

	write_page(&first, q, p, path, 0);
	write_page(&own, q, p, path, p->number);
	write_page(&further, q, p, path, p->number + 1);
	if (back)
		write_page(&before, q, p, path, p->number - 1);
	if (next && *next) {
		buf_str(&further, "&PageToken=");
		encode(&further, next);
	}
	buf_printf(b, ",\"meta\":{\"key\":\"%s\",\"page\":%u,\"page_size\":%zu",
		   key, p->number, p->size);
	write_member(b, "first_page_url", &first);
	write_member(b, "previous_page_url", back ? &before : NULL);
	write_member(b, "next_page_url", next ? &further : NULL);
	write_member(b, "url", &own);
	buf_byte(b, '}');
}

const char *twilio_page_of(const struct twilio_page *p, size_t count,
			   size_t *from, size_t *until)
{
	size_t begin = p->number * p->size;

	*from = begin < count ? begin : count;
	*until = count - *from > p->size ? *from + p->size : count;
	return *until < count ? "" : NULL;
}
