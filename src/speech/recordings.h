// SPDX-License-Identifier: Apache-2.0
/*
 * recordings.h - a person's voice: a folder of WAV files and a manifest that
 * says which is what.  docs/voices.md has the format.
 *
 * What a script says and the recordings lack is never made up by another voice
 * unless the manifest names one.
 */
#pragma once

#include "base/attr.h"
#include "base/diag.h"
#include "speech/phrases.h"

struct speech_params;

/* One thing that is missing or wrong, in words. */
typedef void speech_finding_h(const char *what, void *ctx);

/*
 * Look at recordings: a name within params->recordings_dir, or a path.  0: fit
 * to speak; what was found is then said by the manifest's fallback.  -EINVAL:
 * not fit; d counts.  -ENOENT etc.: there is no such manifest.
 */
MUST_CHECK int speech_recordings_check(const struct speech_params *params,
				       const char *name,
				       speech_finding_h *found, void *ctx,
				       struct diag *d);
