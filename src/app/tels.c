// SPDX-License-Identifier: Apache-2.0
/*
 * tels.c - see tels.h.
 */
#include "app/tels.h"

#include <errno.h>
#include <stdlib.h>

#include "base/crypto.h"
#include "base/mem.h"
#include "base/random.h"
#include "tel/scripted.h"

#define PAGE_NUMBER "+15555550100"

struct app_tels {
	struct loop *line;
	struct service *service; /* NULL: there is none yet */
	struct tel_browser *browser;
	struct tel *page, *script;
	char code[CODE_BYTES]; /* what a script was told last */
};

/* --- the sandbox -------------------------------------------------------------- */

/* What somebody who takes the call would have before them. */
static const char *types(const char *call_id, void *ctx)
{
	struct app_tels *t = ctx;

	if (!t->service || !service_sandbox_code(t->service, call_id, t->code))
		return NULL;
	return t->code;
}

/* The scripted phone hears with the clips that the voices made. */
static int open_script(struct app_tels *t, const struct app_tels_params *p)
{
	const struct settings_list *l = &p->settings->languages;
	struct tel_ear *ears = b_zero(l->count * 20 + 1, sizeof(*ears));
	struct tel_scripted_params params = {.loop = p->line,
					     .rng = rng_system(),
					     .ears = ears,
					     .types = types,
					     .ctx = t};
	size_t n = 0;
	int err;

	for (size_t i = 0; i < l->count; i++) {
		for (const char *c = "0123456789"; *c; c++) {
			for (int last = 0; last < 2; last++) {
				ears[n].digit = *c;
				ears[n++].clip = speech_digit(
					p->speech, l->items[i], *c, last);
			}
		}
	}
	params.ears_count = n;
	err = tel_scripted_new(&params, &t->script);
	free(ears);
	return err;
}

/* --- all of them ---------------------------------------------------------------- */

int app_tels_new(const struct app_tels_params *p, struct app_tels **out,
		 struct diag *d)
{
	AUTO(app_tels) *t = b_zero(1, sizeof(*t));
	int err = 0;

	t->line = p->line;
	if (p->settings->sandbox)
		err = open_script(t, p);
	if (!err && p->page)
		err = tel_browser_new(p->line, rng_system(), PAGE_NUMBER,
				      &t->browser, &t->page);
	if (err) {
		(void)diag_set(d, "no telephone: %d", err);
		return err;
	}
	*out = KEEP(t);
	return 0;
}

size_t app_tels_list(const struct app_tels *t,
		     struct service_tel out[SERVICE_TELS_MAX])
{
	size_t n = 0;

	if (t->page)
		out[n++] = (struct service_tel){"page", t->page, false};
	if (t->script)
		out[n++] = (struct service_tel){"sandbox", t->script, false};
	return n;
}

struct tel_browser *app_tels_browser(const struct app_tels *t)
{
	return t->browser;
}

void app_tels_serve(struct app_tels *t, struct service *sv)
{
	t->service = sv;
}

void app_tels_run(struct app_tels *t)
{
	loop_run(t->line);
}

void app_tels_free(struct app_tels *t)
{
	if (!t)
		return;
	tel_free(t->page);
	tel_free(t->script);
	crypto_wipe(t->code, sizeof(t->code));
	free(t);
}
