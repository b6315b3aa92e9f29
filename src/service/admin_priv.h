// SPDX-License-Identifier: Apache-2.0
/*
 * admin_priv.h - what the operator's commands share.
 */
#pragma once

#include "base/tlv.h"
#include "service/service_priv.h"

/* What was done, for the audit topic, in the change that does it. */
void service_audit(struct store_tx *tx, const char *what, const char *about);
/* Another record for an application that exists: `set` changes what was read,
 * within the change, and `what` is noted.  d says that there is none. */
typedef void service_app_set_h(struct store_tx *tx, struct service_app *a,
			       void *ctx);
MUST_CHECK int service_app_change(const struct service_admin *a,
				  const char *name, const char *what,
				  service_app_set_h *set, void *ctx,
				  struct diag *d);
MUST_CHECK int service_app_read(const struct service_admin *a, const char *name,
				struct service_app *out, struct diag *d);
/* Says what went wrong, if nobody did; returns err. */
int service_admin_failed(struct diag *d, int err);
