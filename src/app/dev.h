// SPDX-License-Identifier: Apache-2.0
/*
 * dev.h - what `serve --dev` shows: the page's address, a key, a ready curl.
 */
#pragma once

#include <stddef.h>

#include "app/settings.h"
#include "base/attr.h"
#include "base/diag.h"
#include "service/service.h"

/* A fresh one-time token for the page: shown at once, or, before the server
 * listens, kept for the welcome. */
void app_dev_keep_link(const char *token);
void app_dev_show_link(unsigned port, const struct settings *s,
		       const char *token);

/* Make or find the key of application "dev": before there is a service, which
 * reads the keys when it is made and knows this one from the first request. */
MUST_CHECK int app_dev_key(const struct service_admin *admin, struct diag *d);
/* Print how to begin. */
MUST_CHECK int app_dev_welcome(struct service *service, unsigned port,
			       const struct settings *s, struct diag *d);
