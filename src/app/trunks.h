// SPDX-License-Identifier: Apache-2.0
/*
 * trunks.h - from the settings of trunks to what tel/sip.h and core/routing.h
 * take: uris taken apart, networks parsed, passwords read.
 */
#pragma once

#include "app/settings.h"
#include "base/attr.h"
#include "base/diag.h"
#include "core/routing.h"
#include "tel/sip.h"

enum {
	APP_PASSWORD_MAX = 255,
	APP_PASSWORD_VARIABLE_BYTES = 64,
};

struct app_trunks {
	struct tel_sip_trunk *trunks; /* borrow from the settings, and: */
	struct settings_uri *uris;
	char **passwords;
	const char *usual_from; /* the caller id of a trunk without one */
	size_t count;
};

/* The settings must outlive it.  d names the trunk's place in the file. */
MUST_CHECK int app_trunks_new(const struct settings *s, struct app_trunks **out,
			      struct diag *d);
void app_trunks_free(struct app_trunks *t); /* wipes; NULL is fine */

/* "main-1" -> "VOICEOTP_TRUNK_MAIN_1_PASSWORD" */
void app_trunks_variable(const char *name,
			 char out[APP_PASSWORD_VARIABLE_BYTES]);

/* The routes; without any, every trunk in order serves every number. */
MUST_CHECK int app_trunks_routing(const struct settings *s,
				  struct routing **out, struct diag *d);

CLEANUP(app_trunks, app_trunks_free)
