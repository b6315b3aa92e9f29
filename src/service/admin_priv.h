// SPDX-License-Identifier: Apache-2.0
/*
 * admin_priv.h - what the operator's commands share.
 */
#pragma once

#include "base/tlv.h"
#include "service/service_priv.h"

/* What was done, for the audit topic, in the change that does it. */
void service_audit(struct store_tx *tx, const char *what, const char *about);
/* Says what went wrong, if nobody did; returns err. */
int service_admin_failed(struct diag *d, int err);
