// SPDX-License-Identifier: Apache-2.0
/*
 * rules.c - from settings to what the service goes by.
 *
 * The files that settings name are read here, so that a bad one is found by
 * check-config and at the start, and a reload with a bad one changes nothing.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "app/app_priv.h"
#include "app/trunks.h"
#include "base/file.h"
#include "base/mem.h"

/* A file's trouble under the setting that names it. */
static int file_trouble(struct diag *d, const char *setting, const char *path,
			int err)
{
	char why[96];

	(void)diag_field(d, setting, "%s: %s", path,
			 strerror_r(-err, why, sizeof(why)));
	return err;
}

/* "prices" + "3:1: not a price" -> "prices: etc/prices.csv:3:1: not a price" */
static int inside(struct diag *d, const char *setting, const char *path)
{
	struct diag inner = *d;
	char text[512];

	inner.field[0] = 0;
	diag_text(&inner, path, text, sizeof(text));
	*d = (struct diag){0};
	return diag_field(d, setting, "%s", text);
}

static int load_prices(struct app_rules *r, struct diag *d)
{
	const struct settings *s = r->settings;
	AUTO_BUF(text, PRICES_FILE_MAX);
	int err;

	if (!*s->prices)
		return 0;
	err = file_read(s->prices, &text);
	if (err)
		return file_trouble(d, "prices", s->prices, err);
	err = prices_parse(buf_view(&text), s->currency, &r->rules.prices, d);
	if (err)
		return inside(d, "prices", s->prices);
	r->rules.policy.prices = r->rules.prices;
	return 0;
}

static int load_overlay(struct app_rules *r, const char *data_dir,
			struct diag *d)
{
	const char *set = r->settings->number_overlay;
	char own[APP_PATH_MAX + 32];
	AUTO_BUF(text, 1 << 20);
	int err;

	(void)snprintf(own, sizeof(own), "%s/numbers.csv", data_dir);
	if (!*set)
		set = own;
	err = file_read(set, &text);
	if (err)
		return file_trouble(d, "number_overlay", set, err);
	err = number_plan_parse(buf_view(&text), &r->rules.plan, d);
	return err ? inside(d, "number_overlay", set) : 0;
}

static int set_types(struct app_rules *r, struct diag *d)
{
	const struct settings_list *l = &r->settings->number_types;
	struct policy *p = &r->rules.policy;

	memset(p->types, 0, sizeof(p->types));
	for (size_t i = 0; i < l->count; i++) {
		enum number_type t = NUMBER_UNKNOWN;

		if (number_type_parse(l->items[i], &t))
			return diag_field(d, "number_types",
					  "\"%.40s\" is not a type of number",
					  l->items[i]);
		p->types[t] = true;
	}
	p->types[NUMBER_SANDBOX] = true;
	return 0;
}

static int set_countries(struct app_rules *r, struct diag *d)
{
	const struct settings_list *l = &r->settings->countries;
	struct diag why = {0};

	for (size_t i = 0; i < l->count; i++)
		if (policy_allow(&r->rules.policy, l->items[i], &why))
			return diag_field(d, "countries", "%s", why.message);
	return 0;
}

static struct policy_limit every(int64_t count, int64_t seconds)
{
	return (struct policy_limit){count, seconds * 1000};
}

static void set_limits(struct policy *p, const struct settings *s)
{
	enum { HOUR = 3600, DAY = 24 * HOUR };

	p->number[0] = every(s->limit_number_30s, 30);
	p->number[1] = every(s->limit_number_10min, 600);
	p->number[2] = every(s->limit_number_day, DAY);
	p->client = every(s->limit_client_hour, HOUR);
	p->key = every(s->limit_key_hour, HOUR);
	p->prefix[0] = every(s->limit_prefix4_hour, HOUR);
	p->prefix[1] = every(s->limit_prefix5_hour, HOUR);
	p->prefix[2] = every(s->limit_prefix6_hour, HOUR);
	p->prefix[3] = every(s->limit_prefix7_hour, HOUR);
	p->prefix[4] = every(s->limit_prefix8_hour, HOUR);
	p->country = every(s->limit_country_hour, HOUR);
	p->prefix_calls = s->limit_prefix_calls;
}

static void set_policy(struct policy *p, const struct settings *s)
{
	policy_defaults(p);
	p->sandbox = s->sandbox;
	p->sandbox_only = s->sandbox_only;
	p->kill_switch = s->kill_switch;
	p->deny_forwarded = s->deny_forwarded;
	set_limits(p, s);
	p->cap_call = s->cap_call;
	p->cap_hour = s->cap_hour;
	p->cap_day = s->cap_day;
	p->cap_app_hour = s->cap_app_hour;
	p->cap_app_day = s->cap_app_day;
	p->reserved_percent = (unsigned)s->cap_reserved;
	p->quiet_from_min = s->quiet_from < 0 ? 0 : s->quiet_from;
	p->quiet_to_min = s->quiet_to < 0 ? 0 : s->quiet_to;
}

static void set_rest(struct service_rules *r, const struct settings *s)
{
	r->brand = s->brand;
	r->callback = s->callback;
	r->from = s->from;
	r->ttl_ms = s->code_ttl_s * 1000;
	r->code_length = (unsigned)s->code_length;
	r->min_code_length = (unsigned)s->code_min_length;
	r->code_even = s->code_even;
	r->wrong_max = (unsigned)s->code_wrong_checks;
	r->require_client_ip = s->require_client_ip;
	r->ring_ms = (unsigned)s->call_ring_s * 1000;
	r->max_calls = (unsigned)s->call_max_calls;
	r->retention_ms = s->retention_days * 24 * 3600 * 1000;
}

int app_rules_new(struct settings *s, const char *data_dir,
		  struct app_rules **out, struct diag *d)
{
	AUTO(app_rules) *r = b_zero(1, sizeof(*r));
	int err = 0;

	r->settings = s;
	set_policy(&r->rules.policy, s);
	set_rest(&r->rules, s);
	if (!*s->brand)
		err = diag_field(d, "brand",
				 "must be set: it is what a call says first");
	if (!err)
		err = set_countries(r, d);
	if (!err)
		err = set_types(r, d);
	if (!err)
		err = load_prices(r, d);
	if (!err)
		err = load_overlay(r, data_dir, d);
	if (!err)
		err = app_trunks_routing(s, &r->routing, d);
	r->rules.routing = r->routing;
	if (err) {
		r->settings = NULL; /* still the caller's */
		return err;
	}
	*out = KEEP(r);
	return 0;
}

void app_rules_free(struct app_rules *r)
{
	if (!r)
		return;
	policy_end(&r->rules.policy);
	prices_free(r->rules.prices);
	number_plan_free(r->rules.plan);
	routing_free(r->routing);
	settings_free(r->settings);
	free(r);
}
