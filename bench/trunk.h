// SPDX-License-Identifier: Apache-2.0
/*
 * trunk.h - the program's telephone with one trunk: whoever listens on a port
 * of loopback.
 */
#pragma once

#include "base/diag.h"
#include "media/pump.h"
#include "tel/sip.h"

struct bench_trunk {
	struct pump *pump;
	struct tel_sip *sip;
	struct tel *tel; /* without limits, as tel_limit() has them */
};

/* 0 or -errno; d says what.  Run it by tel_sip_run(). */
MUST_CHECK int bench_trunk_open(struct loop *l, unsigned port,
				unsigned priority, struct bench_trunk *out,
				struct diag *d);
