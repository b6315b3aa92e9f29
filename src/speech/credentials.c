// SPDX-License-Identifier: Apache-2.0
/*
 * credentials.c - read a file of AWS credentials.
 *
 * What is wrong is said by its line and name; a value is never repeated.  What
 * becomes part of a request's head may hold nothing that ends a line there.
 */
#include "speech/credentials.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "base/mem.h"

static bool printable(const char *s)
{
	for (; *s; s++)
		if (*s <= ' ' || *s > '~')
			return false;
	return true;
}

int speech_credentials_check(const struct speech_credentials *c, struct diag *d)
{
	const struct {
		const char *name, *value;
		bool required;
	} rows[] = {
		{"aws_access_key_id", c->key_id, true},
		{"aws_secret_access_key", c->secret, true},
		{"aws_session_token", c->token, false},
	};

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		if (rows[i].required && !*rows[i].value)
			return diag_set(d, "%s is missing", rows[i].name);
		if (!printable(rows[i].value))
			return diag_set(d,
					"%s has a blank or a character that "
					"no key has",
					rows[i].name);
	}
	return 0;
}

/* Where a name's value goes; NULL: another's. */
static char *place(struct speech_credentials *c, struct span name, size_t *room)
{
	*room = SPEECH_KEY_BYTES;
	if (span_is(name, "aws_access_key_id"))
		return c->key_id;
	if (span_is(name, "aws_secret_access_key"))
		return c->secret;
	*room = SPEECH_TOKEN_BYTES;
	return span_is(name, "aws_session_token") ? c->token : NULL;
}

static int read_line(struct span line, int number,
		     struct speech_credentials *out, struct diag *d)
{
	struct span name;
	size_t room;
	char *to;

	if (!memchr(line.p, '=', line.n)) /* it is not empty */
		return diag_at(d, number, 0, "is no `name = value`");
	(void)span_cut(&line, '=', &name);
	name = span_trim(name);
	line = span_trim(line);
	to = place(out, name, &room);
	if (!to)
		return 0;
	if (*to)
		return diag_at(d, number, 0, "%.*s is there twice", (int)name.n,
			       name.p);
	if (line.n >= room || (line.n > 0 && memchr(line.p, 0, line.n)))
		return diag_at(d, number, 0, "%.*s is no such thing",
			       (int)name.n, name.p);
	if (line.n > 0)
		memcpy(to, line.p, line.n);
	to[line.n] = '\0';
	return 0;
}

int speech_credentials_read(struct span ini, struct speech_credentials *out,
			    struct diag *d)
{
	bool ours = true; /* what stands before any section */
	struct span line;
	int number = 0, err = 0;

	memset(out, 0, sizeof(*out));
	if (ini.n > SPEECH_CREDENTIALS_MAX)
		return diag_set(d, "is too long");
	while (!err && ini.n > 0 && span_cut(&ini, '\n', &line)) {
		number++;
		line = span_trim(line);
		if (line.n == 0 || *line.p == '#' || *line.p == ';')
			continue;
		if (*line.p == '[')
			ours = span_is(line, "[default]");
		else if (ours)
			err = read_line(line, number, out, d);
	}
	return err ? err : speech_credentials_check(out, d);
}
