// SPDX-License-Identifier: Apache-2.0
/*
 * twilio_counters.c - which counters a verification takes: those of the rate
 * limits that it names, each for the value that it gives.
 *
 * What is counted by is an address or the name of a user, so that it stands in
 * a counter's name as a keyed hash.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/twilio.h"
#include "base/crypto.h"
#include "base/json.h"
#include "base/mem.h"

enum { VALUE_MAX = 256, SECOND_MS = 1000, HASH_SHOWN = 8 };

/* --- documents --------------------------------------------------------------------------- */

bool twilio_limit_of(const struct service_profile *p, struct twilio_limit *out)
{
	AUTO_JSON json_t *o = NULL;
	struct diag d;
	const char *unique = "", *description = "";

	*out = (struct twilio_limit){.created_ms = p->created_ms,
				     .updated_ms = p->updated_ms};
	if (js_parse(span_of(p->json), &o, &d) != 0 ||
	    js_get_text(o, "unique_name", TWILIO_UNIQUE_BYTES - 1, &unique,
			&d) ||
	    js_get_text(o, "description", TWILIO_DESCRIPTION_BYTES - 1,
			&description, &d))
		return false;
	(void)snprintf(out->sid, sizeof(out->sid), "%.*s",
		       (int)sizeof(out->sid) - 1, p->id);
	(void)snprintf(out->unique, sizeof(out->unique), "%s", unique);
	(void)snprintf(out->description, sizeof(out->description), "%s",
		       description);
	return true;
}

bool twilio_bucket_of(const struct service_profile *p,
		      struct twilio_bucket *out)
{
	AUTO_JSON json_t *o = NULL;
	struct diag d;
	const char *limit = "";

	*out = (struct twilio_bucket){.created_ms = p->created_ms,
				      .updated_ms = p->updated_ms};
	if (js_parse(span_of(p->json), &o, &d) != 0 ||
	    js_get_text(o, "rate_limit", sizeof(out->limit) - 1, &limit, &d) ||
	    js_get_int(o, "max", 1, TWILIO_BUCKET_MAX, &out->max, &d) ||
	    js_get_int(o, "interval", 1, TWILIO_BUCKET_INTERVAL_MAX,
		       &out->interval, &d))
		return false;
	(void)snprintf(out->sid, sizeof(out->sid), "%.*s",
		       (int)sizeof(out->sid) - 1, p->id);
	(void)snprintf(out->limit, sizeof(out->limit), "%s", limit);
	return true;
}

/* --- counters ---------------------------------------------------------------------------- */

struct counting {
	struct twilio_ask *q;
	twilio_counters_h *done;
	json_t *values; /* by a rate limit's unique name, then by its id */
	json_t *by_id;
	struct twilio_counter at[SERVICE_LIMITS_MAX];
	size_t count;
};

static void end(struct counting *c, bool refused)
{
	c->done(c->q, refused, c->at, c->count);
	json_decref(c->values);
	json_decref(c->by_id);
	free(c);
}

/* True: it was. */
static bool refused(struct counting *c, const struct service_refusal *no)
{
	if (!no || !no->code || !*no->code)
		return false;
	c->q->no = *no;
	end(c, true);
	return true;
}

static void refuse(struct counting *c, const char *why)
{
	(void)twilio_no(c->q, "invalid_field", "RateLimits", why);
	end(c, true);
}

static void name_counter(const struct twilio_ask *q, const char *bucket,
			 const char *value, char out[POLICY_RULE_BYTES])
{
	uint8_t hash[VENDOR_ALIAS_BYTES];
	char hex[2 * HASH_SHOWN + 1];

	service_alias(q->a->p.service, "twilio.counted", value, hash);
	crypto_hex(hash, HASH_SHOWN, hex);
	(void)snprintf(out, POLICY_RULE_BYTES, "twilio:%s:%s", bucket, hex);
}

static void found_buckets(const struct service_refusal *no,
			  const struct service_profile *p, size_t count,
			  void *ctx)
{
	struct counting *c = ctx;
	struct twilio_bucket b;

	if (refused(c, no))
		return;
	for (size_t i = 0; i < count; i++) {
		const char *value = twilio_bucket_of(&p[i], &b)
					    ? json_string_value(json_object_get(
						      c->by_id, b.limit))
					    : NULL;

		if (!value)
			continue;
		if (c->count == COUNT_OF(c->at)) {
			refuse(c, "the rate limits that are named have more "
				  "than 4 buckets together");
			return;
		}
		name_counter(c->q, b.sid, value, c->at[c->count].name);
		c->at[c->count].limit = b.max;
		c->at[c->count].window_ms = b.interval * SECOND_MS;
		c->count++;
	}
	end(c, false);
}

static void found_limits(const struct service_refusal *no,
			 const struct service_profile *p, size_t count,
			 void *ctx)
{
	struct counting *c = ctx;
	struct twilio_limit l;

	if (refused(c, no))
		return;
	for (size_t i = 0; i < count; i++) {
		json_t *value = twilio_limit_of(&p[i], &l)
					? json_object_get(c->values, l.unique)
					: NULL;

		if (value)
			json_object_set(c->by_id, l.sid, value);
	}
	if (json_object_size(c->by_id) != json_object_size(c->values))
		refuse(c, "the service has no rate limit of such a name");
	else
		service_profile_list(c->q->a->p.service, &c->q->who,
				     TWILIO_BUCKET, c->q->service,
				     found_buckets, c);
}

/* An object of texts; a number counts as its text. */
static json_t *read_values(const char *text)
{
	AUTO_JSON json_t *o = NULL;
	json_t *values;
	struct diag d;
	const char *key;
	json_t *value;
	char word[VALUE_MAX + 1];

	if (js_parse(span_of(text), &o, &d) != 0 || !json_is_object(o))
		return NULL;
	values = json_object();
	json_object_foreach(o, key, value)
	{
		if (!vendor_text(o, key, word, sizeof(word)) || !*word) {
			json_decref(values);
			return NULL;
		}
		json_object_set_new(values, key, json_string(word));
	}
	return values;
}

void twilio_counters(struct twilio_ask *q, const char *text,
		     twilio_counters_h *done)
{
	json_t *values = *text ? read_values(text) : json_object();
	struct counting *c;

	if (!values) {
		(void)twilio_no(q, "invalid_field", "RateLimits",
				"the JSON text of an object of texts");
		done(q, true, NULL, 0);
		return;
	}
	c = b_zero(1, sizeof(*c));
	c->q = q;
	c->done = done;
	c->values = values;
	c->by_id = json_object();
	if (json_object_size(values) == 0)
		end(c, false);
	else
		service_profile_list(q->a->p.service, &q->who, TWILIO_LIMIT,
				     q->service, found_limits, c);
}
