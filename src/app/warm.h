// SPDX-License-Identifier: Apache-2.0
/*
 * warm.h - say all scripts once, before somebody waits for them.
 *
 * The first call of a fresh cache would spend two seconds rendering.  This
 * runs beside traffic, one language after the other, and whatever a call needs
 * first is rendered for it as ever.
 */
#pragma once

#include "app/settings.h"
#include "base/attr.h"
#include "base/loop.h"
#include "speech/speech.h"

struct app_warm;

/* Begins at once; done on the loop.  All are borrowed until app_warm_free(). */
struct app_warm *app_warm_new(struct speech *sp, const struct phrases *ph,
			      struct loop *loop, const struct settings *s);
/* After the speech was freed: nothing of it is rendered any more. */
void app_warm_free(struct app_warm *w); /* NULL is fine */
