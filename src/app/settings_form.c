// SPDX-License-Identifier: Apache-2.0
/*
 * settings_form.c - what a text must look like to be a name, an address, ...
 *
 * Checked where the text stands in the file, so that the error has its line
 * and column.  Nothing is resolved here.
 */
#include "app/settings_priv.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/net.h"
#include "web/outbound.h"

#define DIGITS_OF "0123456789"
#define LETTERS_OF                   \
	"abcdefghijklmnopqrstuvwxyz" \
	"ABCDEFGHIJKLMNOPQRSTUVWXYZ"

enum { PORT_MAX = 65535, E164_MIN = 7, E164_MAX = 15, WORD_BYTES = 256 };

static bool made_of(struct span text, const char *bytes)
{
	for (size_t i = 0; i < text.n; i++)
		if (!text.p[i] || !strchr(bytes, text.p[i]))
			return false;
	return text.n > 0;
}

/* A terminated copy; false: longer than anything that has a form. */
static bool word_of(struct span text, char out[WORD_BYTES])
{
	if (text.n >= WORD_BYTES || memchr(text.p, 0, text.n))
		return false;
	memcpy(out, text.p, text.n);
	out[text.n] = 0;
	return true;
}

/* --- hosts ----------------------------------------------------------------------- */

static bool is_domain(struct span text)
{
	return text.n <= 253 && text.p[0] != '.' && text.p[0] != '-' &&
	       made_of(text, LETTERS_OF DIGITS_OF "-._");
}

/* "192.0.2.1", "[2001:db8::1]" or a name; behind it nothing or ":PORT". */
static int read_host(struct span text, struct settings_uri *out, struct diag *d)
{
	struct sockaddr_storage a;
	struct span rest = text, host = {0};
	char word[WORD_BYTES];
	uint64_t port = 0;
	bool bracket = text.n > 0 && text.p[0] == '[';

	if (!word_of(text, word))
		return diag_set(d, "is no address");
	if (bracket) {
		if (net_address(word, 0, &a))
			return diag_set(d, "is no IPv6 address in brackets");
		(void)span_cut(&rest, ']', &host);
		host = span_make(host.p + 1, host.n - 1);
		if (rest.n > 0)
			rest = span_make(rest.p + 1, rest.n - 1);
	} else {
		(void)span_cut(&rest, ':', &host);
		if (host.n == 0 || !is_domain(host))
			return diag_set(d, "has no host");
	}
	if (rest.n == 0 && text.p[text.n - 1] != ':' && host.n > 0) {
		port = 0;
	} else if (span_uint(rest, PORT_MAX, &port) || port == 0) {
		return diag_set(d, "has no port from 1 to %d behind its colon",
				PORT_MAX);
	}
	(void)snprintf(out->host, sizeof(out->host), "%.*s", (int)host.n,
		       host.p);
	out->port = (unsigned)port;
	return 0;
}

static int read_parameters(struct span rest, struct settings_uri *out,
			   struct diag *d)
{
	struct span one;

	while (span_cut(&rest, ';', &one)) {
		if (span_is(one, "transport=udp"))
			out->tcp = false;
		else if (span_is(one, "transport=tcp"))
			out->tcp = true;
		else if (span_is(one, "transport=tls"))
			return diag_set(d, "transport=tls is not there yet: "
					   "udp or tcp");
		else
			return diag_set(d,
					"\";%.*s\" is unknown; there is "
					";transport=udp and ;transport=tcp",
					one.n < 40 ? (int)one.n : 40, one.p);
	}
	return 0;
}

int settings_uri(const char *text, struct settings_uri *out, struct diag *d)
{
	struct span rest = span_of(text), host = {0};
	struct settings_uri u = {.tcp = false};
	int err;

	if (span_starts(rest, "sips:"))
		return diag_set(d, "sips and TLS are not there yet: sip:HOST");
	if (span_starts(rest, "sip:"))
		rest = span_make(rest.p + 4, rest.n - 4);
	(void)span_cut(&rest, ';', &host);
	if (host.n == 0)
		return diag_set(d, "has no host");
	if (memchr(host.p, '@', host.n))
		return diag_set(d, "names a user: that is trunks.user or "
				   "trunks.from_user");
	err = read_host(host, &u, d);
	if (!err)
		err = read_parameters(rest, &u, d);
	if (!err)
		*out = u;
	return err;
}

/* --- ports ------------------------------------------------------------------------ */

int settings_ports(const char *text, unsigned *min, unsigned *max,
		   struct diag *d)
{
	struct span rest = span_of(text), first;
	uint64_t a = 0, b = 0;

	if (!span_cut(&rest, '-', &first) || span_uint(first, PORT_MAX, &a) ||
	    span_uint(rest, PORT_MAX, &b) || a < 1024)
		return diag_set(d,
				"must be two ports from 1024 to %d, such "
				"as 16384-16639",
				PORT_MAX);
	if (a % 2 == 1)
		return diag_set(d, "must begin with an even port: RTP is on "
				   "even ones, RTCP one above");
	if (b % 2 == 0)
		return diag_set(d, "must end with an odd port: RTP is on "
				   "even ones, RTCP one above");
	if (b < a || b - a + 1 < SETTINGS_PORTS_MIN)
		return diag_set(d, "must be %d ports or more",
				SETTINGS_PORTS_MIN);
	*min = (unsigned)a;
	*max = (unsigned)b;
	return 0;
}

/* --- addresses of ours ------------------------------------------------------------- */

/* "192.0.2.1" or, where a port may stand, "192.0.2.1:5060". */
static int ours(const char *word, bool with_port, struct diag *d)
{
	struct sockaddr_storage a, b;

	if (net_address(word, 0, &a))
		return diag_set(d, "must be an address%s, such as 192.0.2.1%s",
				with_port ? " and port" : " without a port",
				with_port ? ":5060" : "");
	/* a port shows by the one that is taken in its absence */
	if (!with_port && (net_address(word, 1, &b) || net_port(&b) != 1))
		return diag_set(d, "must be an address without a port");
	if (net_is_any(&a))
		return diag_set(d, "must be one address of this machine: "
				   "trunks answer to it, and nobody can "
				   "answer to \"any\"");
	return 0;
}

static int listens(const char *word, bool with_port, struct diag *d)
{
	struct sockaddr_storage a;
	int err = ours(word, with_port, d);

	if (err || !with_port)
		return err;
	/* a port shows by the one that is taken in its absence */
	if (net_address(word, 1, &a) || net_port(&a) == 1)
		return diag_set(d, "must be an address and port, such as "
				   "192.0.2.1:5060");
	return 0;
}

static int shown(const char *word, bool with_port, struct diag *d)
{
	return strcmp(word, "auto") == 0 ? 0 : ours(word, with_port, d);
}

/* --- the web ----------------------------------------------------------------------- */

/* Things are put behind it, and browsers compare it with what they call the
 * page's origin: so it has one spelling. */
static int is_public_url(const char *word, struct diag *d)
{
	struct span rest = span_of(word), host = {0};
	struct settings_uri u = {0};
	unsigned usual = span_starts(rest, "https:") ? 443 : 80;

	if (span_starts(rest, "https://"))
		rest = span_make(rest.p + 8, rest.n - 8);
	else if (span_starts(rest, "http://"))
		rest = span_make(rest.p + 7, rest.n - 7);
	else
		return diag_set(d, "must begin with https:// or http://");
	(void)span_cut(&rest, '/', &host);
	if (host.n == 0)
		return diag_set(d, "has no host");
	if (read_host(host, &u, d))
		return -EINVAL;
	if (u.port == usual)
		return diag_set(d, "has port %u, which goes without saying",
				usual);
	for (const char *c = host.p; c < host.p + host.n; c++)
		if (*c >= 'A' && *c <= 'Z')
			return diag_set(d, "has a host with capitals: a "
					   "browser writes it without");
	if (rest.p && (!made_of(rest, LETTERS_OF DIGITS_OF "-._~/") ||
		       rest.p[0] == '/' || rest.p[rest.n - 1] == '/'))
		return diag_set(d, "must be https://HOST, perhaps with a port "
				   "and a path, and no slash behind it");
	return 0;
}

/* --- the forms -------------------------------------------------------------------------- */

static int is_e164(struct span text, struct diag *d)
{
	size_t digits = text.n ? text.n - 1 : 0;

	if (text.n > 0 && text.p[0] == '+' && digits >= E164_MIN &&
	    digits <= E164_MAX && text.p[1] != '0' &&
	    made_of(span_make(text.p + 1, digits), DIGITS_OF))
		return 0;
	return diag_set(d, "must be E.164, such as +15671234567");
}

static int is_prefix(struct span text, struct diag *d)
{
	if (span_is(text, "+") ||
	    (text.n > 1 && text.p[0] == '+' &&
	     made_of(span_make(text.p + 1, text.n - 1), DIGITS_OF)))
		return 0;
	return diag_set(d, "must be \"+\" and the digits that numbers begin "
			   "with");
}

static int is_srtp(struct span text, struct diag *d)
{
	if (span_is(text, "off"))
		return 0;
	if (span_is(text, "prefer") || span_is(text, "require"))
		return diag_set(d, "\"%.*s\" is not there yet: off",
				(int)text.n, text.p);
	return diag_set(d, "must be off");
}

static int word_form(enum settings_form form, const char *word, struct diag *d)
{
	struct settings_uri u;
	struct net n;
	unsigned min, max;

	switch ((int)form) {
	case SETTINGS_URI:
		if (strncmp(word, "sip:", 4) != 0 &&
		    strncmp(word, "sips:", 5) != 0)
			return diag_set(d, "must begin with sip:");
		return settings_uri(word, &u, d);
	case SETTINGS_PEER:
		if (strchr(word, ';') || strncmp(word, "sip", 3) == 0)
			return diag_set(d, "must be HOST or HOST:PORT alone");
		return settings_uri(word, &u, d);
	case SETTINGS_PATH:
		if (word[0] != '/' || word[strlen(word) - 1] == '/' ||
		    strstr(word, "//") ||
		    !made_of(span_of(word), LETTERS_OF DIGITS_OF "/-_."))
			return diag_set(d, "must be a path such as /otp");
		return 0;
	case SETTINGS_NETWORK:
		return net_parse(word, &n, d);
	case SETTINGS_SIP_LISTEN:
		return listens(word, true, d);
	case SETTINGS_RTP_LISTEN:
		return listens(word, false, d);
	case SETTINGS_SIP_ADVERTISE:
		return shown(word, true, d);
	case SETTINGS_RTP_ADVERTISE:
		return shown(word, false, d);
	case SETTINGS_PORTS:
		return settings_ports(word, &min, &max, d);
	case SETTINGS_PUBLIC_URL:
		return is_public_url(word, d);
	case SETTINGS_REACHED:
		return outbound_rule(word, d);
	default:
		return 0;
	}
}

static int text_form(enum settings_form form, struct span text, struct diag *d)
{
	switch ((int)form) {
	case SETTINGS_NAME:
		if (!made_of(text, LETTERS_OF DIGITS_OF "-_"))
			return diag_set(d, "must be letters, digits, - and _");
		return 0;
	case SETTINGS_DOMAIN:
		if (!is_domain(text))
			return diag_set(d, "must be a domain or an address");
		return 0;
	case SETTINGS_USER:
		if (!made_of(text, LETTERS_OF DIGITS_OF "-_.!~*'()&=+$,?/#%@"))
			return diag_set(d, "holds what a SIP user cannot");
		return 0;
	case SETTINGS_NUMBER:
		return is_e164(text, d);
	case SETTINGS_PREFIX:
		return is_prefix(text, d);
	case SETTINGS_DIGITS:
		if (!made_of(text, DIGITS_OF))
			return diag_set(d, "must be digits");
		return 0;
	case SETTINGS_DIAL:
		if (!made_of(text, DIGITS_OF "*#+"))
			return diag_set(d, "must be digits, *, # and +");
		return 0;
	case SETTINGS_SRTP:
		return is_srtp(text, d);
	default:
		return 0;
	}
}

int settings_form(enum settings_form form, const char *field, struct span text,
		  struct diag *d)
{
	struct diag why = {0};
	char word[WORD_BYTES];
	int err = 0;

	if (form == SETTINGS_ANY)
		return 0;
	if (!word_of(text, word))
		return diag_field(d, field, "is too long");
	err = text_form(form, text, &why);
	if (!err)
		err = word_form(form, word, &why);
	if (err)
		(void)diag_field(d, field, "%s", why.message);
	return err ? -EINVAL : 0;
}
