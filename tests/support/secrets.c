// SPDX-License-Identifier: Apache-2.0
/*
 * secrets.c - what nobody may find, in many forms.
 */
#include "support/secrets.h"

#include <assert.h>
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/crypto.h"
#include "base/file.h"
#include "base/mem.h"
#include "support/test.h"

enum {
	TEXT_BYTES = 128,
	LEAST = 8, /* characters */
	FORMS_MAX = 24,
	FORM_BYTES = 4 * TEXT_BYTES,
	SECRETS_MAX = 256,
	BASE64_BITS = 6,
	BYTE_BITS = 8,
	GROUP = 3,
	FILE_BYTES = 64 << 20,
	PATH_BYTES = 1024,
};

struct form {
	char p[FORM_BYTES];
	size_t n;
};

struct secret {
	char what[32];
	struct form forms[FORMS_MAX];
	size_t forms_count;
};

struct secrets {
	struct secret *all;
	size_t count;
};

struct secrets *secrets_new(void)
{
	struct secrets *s = b_zero(1, sizeof(*s));

	s->all = b_zero(SECRETS_MAX, sizeof(*s->all));
	return s;
}

void secrets_free(struct secrets *s)
{
	if (!s)
		return;
	free(s->all);
	free(s);
}

size_t secrets_count(const struct secrets *s)
{
	return s->count;
}

/* --- forms ------------------------------------------------------------------------ */

static void add_form(struct secret *s, const void *p, size_t n)
{
	struct form *f;

	assert(s->forms_count < FORMS_MAX && n <= FORM_BYTES);
	f = &s->forms[s->forms_count++];
	memcpy(f->p, p, n);
	f->n = n;
}

static void add_spaced(struct secret *s, const char *text, size_t group,
		       char between)
{
	char out[FORM_BYTES];
	size_t n = 0;

	for (size_t i = 0; text[i]; i++) {
		if (i > 0 && i % group == 0)
			out[n++] = between;
		out[n++] = text[i];
	}
	add_form(s, out, n);
}

static void add_hex(struct secret *s, const char *text)
{
	char out[FORM_BYTES];
	size_t n = strlen(text);

	crypto_hex(text, n, out);
	add_form(s, out, 2 * n);
	for (size_t i = 0; i < 2 * n; i++)
		if (out[i] >= 'a')
			out[i] = (char)(out[i] - 'a' + 'A');
	add_form(s, out, 2 * n);
}

/* Only the characters that depend on nothing else than the secret. */
static void add_base64(struct secret *s, const char *text, size_t offset)
{
	char in[TEXT_BYTES + 2] = {0}, out[FORM_BYTES];
	size_t n = strlen(text);
	size_t first = (offset * BYTE_BITS + BASE64_BITS - 1) / BASE64_BITS;
	size_t end = (offset + n) * BYTE_BITS / BASE64_BITS;
	bool marks = false;

	for (size_t i = 0; i < n; i++)
		in[offset + i] = text[i];
	crypto_base64url(in, offset + n, out);
	add_form(s, out + first, end - first);
	for (size_t i = first; i < end; i++) {
		marks |= out[i] == '-' || out[i] == '_';
		if (out[i] == '-')
			out[i] = '+';
		else if (out[i] == '_')
			out[i] = '/';
	}
	if (marks)
		add_form(s, out + first, end - first);
}

static void add_integer(struct secret *s, const char *text)
{
	char *end;
	uint64_t value = strtoull(text, &end, 10);
	uint8_t little[sizeof(value)], big[sizeof(value)];
	size_t n = 0;

	if (*end || value >> 32 == 0)
		return; /* no number, or found by chance */
	while (value >> (BYTE_BITS * n) && n < sizeof(value)) {
		little[n] = (uint8_t)(value >> (BYTE_BITS * n));
		n++;
	}
	for (size_t i = 0; i < n; i++)
		big[n - 1 - i] = little[i];
	add_form(s, little, n);
	add_form(s, big, n);
}

void secrets_add(struct secrets *s, const char *what, const char *text)
{
	struct secret *one = &s->all[s->count++];
	size_t n = strlen(text);

	assert(s->count <= SECRETS_MAX);
	assert(n >= LEAST && n < TEXT_BYTES);
	(void)snprintf(one->what, sizeof(one->what), "%s", what);
	add_form(one, text, n);
	add_spaced(one, text, 1, ' ');
	add_spaced(one, text, 1, '-');
	add_spaced(one, text, GROUP, ' ');
	add_spaced(one, text, GROUP, '-');
	add_hex(one, text);
	for (size_t offset = 0; offset < GROUP; offset++)
		add_base64(one, text, offset);
	add_integer(one, text);
}

bool secrets_form(const struct secrets *s, size_t nth, size_t i,
		  struct span *out)
{
	const struct secret *one = &s->all[nth];

	if (i >= one->forms_count)
		return false;
	*out = span_make(one->forms[i].p, one->forms[i].n);
	return true;
}

/* --- the search ---------------------------------------------------------------------- */

unsigned secrets_find(const struct secrets *s, size_t nth, const char *where,
		      struct span hay)
{
	const struct secret *one = &s->all[nth];
	unsigned found = 0;

	for (size_t i = 0; i < one->forms_count; i++) {
		if (!hay.n ||
		    !memmem(hay.p, hay.n, one->forms[i].p, one->forms[i].n))
			continue;
		found++;
		print_message("%s: %s, in form %zu\n", where, one->what, i);
	}
	return found;
}

unsigned secrets_in(const struct secrets *s, const char *where, struct span hay)
{
	unsigned found = 0;

	for (size_t i = 0; i < s->count; i++)
		found += secrets_find(s, i, where, hay);
	return found;
}

static unsigned in_file(const struct secrets *s, const char *path)
{
	AUTO_BUF(bytes, FILE_BYTES);
	/* a neighbour's may go away meanwhile */
	int err = file_read(path, &bytes);

	if (err)
		print_message("%s: not read, %d\n", path, err);
	return secrets_in(s, path, buf_view(&bytes)) +
	       secrets_in(s, path, span_of(path));
}

unsigned secrets_in_folder(const struct secrets *s, const char *folder,
			   unsigned *files)
{
	DIR *d = opendir(folder);
	struct dirent *e;
	unsigned found = 0;

	*files = 0;
	assert_non_null(d);
	/* one thread reads this folder: NOLINTNEXTLINE(concurrency-mt-unsafe) */
	while ((e = readdir(d)) != NULL) {
		char path[PATH_BYTES];

		if (e->d_type != DT_REG)
			continue;
		(void)snprintf(path, sizeof(path), "%s/%s", folder, e->d_name);
		found += in_file(s, path);
		++*files;
	}
	(void)closedir(d);
	return found;
}
