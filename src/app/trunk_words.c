// SPDX-License-Identifier: Apache-2.0
/*
 * trunk_words.c - see trunk_words.h.
 */
#include "app/trunk_words.h"

#include <errno.h>

#include "base/attr.h"

static const struct row {
	int code;
	const char *name, *sentence;
} rows[] = {
#define ANSWER(code, name, sentence) {code, name, sentence},
#include "app/trunk_words.def"
#undef ANSWER
};

static const struct row *find(int code)
{
	for (size_t i = 0; i < COUNT_OF(rows); i++)
		if (rows[i].code == code)
			return &rows[i];
	return NULL;
}

const char *app_trunk_words_name(int sip_code)
{
	const struct row *r = find(sip_code);

	if (r)
		return r->name;
	if (sip_code >= 200 && sip_code < 300)
		return "OK";
	if (sip_code >= 300 && sip_code < 400)
		return "redirected";
	if (sip_code >= 400 && sip_code < 500)
		return "refused";
	if (sip_code >= 500 && sip_code < 600)
		return "a fault of the trunk";
	return "refused everywhere";
}

const char *app_trunk_words_advice(int sip_code)
{
	const struct row *r = find(sip_code);

	if (r)
		return r->sentence;
	if (sip_code >= 500 && sip_code < 600)
		return "It has a fault of its own.";
	return "";
}

const char *app_trunk_words_silence(int err)
{
	switch (err) {
	case -ENOENT:
		return "Its name does not resolve: look at trunks.uri and at "
		       "this machine's name server.";
	case -ECONNREFUSED:
		return "Nothing listens there: look at the port and the "
		       "transport in trunks.uri.";
	case -EHOSTUNREACH:
	case -ENETUNREACH:
	case -EADDRNOTAVAIL:
		return "There is no way there from sip.listen: look at its "
		       "address and at this machine's routes.";
	case -EPERM:
	case -EACCES:
		return "This machine's own firewall keeps it from leaving.";
	default:
		return "Look at the address, the port and the transport in "
		       "trunks.uri, at firewalls on the way, at sip.advertise "
		       "behind NAT, and whether the trunk knows our address: "
		       "many say nothing to strangers.";
	}
}
