// SPDX-License-Identifier: Apache-2.0
/*
 * tels.h - the telephones of a server: the page, the sandbox's scripted
 * people, and the trunks with their SIP and their pump.
 */
#pragma once

#include "app/settings.h"
#include "base/attr.h"
#include "base/diag.h"
#include "base/loop.h"
#include "service/service.h"
#include "speech/speech.h"
#include "tel/browser.h"

struct app_tels;

struct app_tels_params {
	struct loop *line;
	const struct settings *settings; /* needed while it is made */
	struct speech *speech;           /* the clips that scripts hear with */
	bool page;                       /* a page in the browser is a phone */
};
MUST_CHECK int app_tels_new(const struct app_tels_params *p,
			    struct app_tels **out, struct diag *d);
/* Returns how many; in the order in which they are asked. */
size_t app_tels_list(const struct app_tels *t,
		     struct service_tel out[SERVICE_TELS_MAX]);
struct tel_browser *app_tels_browser(const struct app_tels *t); /* or NULL */
/* Who is told what the telephones learn; before the line runs. */
void app_tels_serve(struct app_tels *t, struct service *sv);
/* The line's thread: until loop_stop(). */
void app_tels_run(struct app_tels *t);
/* Stopped, and the service is gone; NULL is fine.  The loop stays. */
/* Any thread: calls whose end the far end has not confirmed. */
unsigned app_tels_unsaid(const struct app_tels *t);
void app_tels_free(struct app_tels *t);

CLEANUP(app_tels, app_tels_free)
