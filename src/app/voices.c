// SPDX-License-Identifier: Apache-2.0
/*
 * voices.c - the voices as the settings want them, and what opens Amazon's.
 *
 * Its credentials come from a file that only its owner may read, else from the
 * environment; they are in no setting, and so are never printed with them.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "app/app_priv.h"
#include "base/crypto.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "speech/credentials.h"

#define KEY_ID "AWS_ACCESS_KEY_ID"
#define SECRET "AWS_SECRET_ACCESS_KEY"
#define TOKEN "AWS_SESSION_TOKEN"

static const char credentials_field[] = "polly.credentials_file";

static int read_file(const char *path, struct speech_credentials *out,
		     struct diag *d)
{
	struct buf text = {.max = SPEECH_CREDENTIALS_MAX};
	struct diag why = {0};
	struct stat st;
	int err;

	if (stat(path, &st) == 0 && (st.st_mode & 077) != 0) {
		(void)diag_field(d, credentials_field,
				 "%s may be read by others: chmod 600 it",
				 path);
		return -EPERM;
	}
	err = file_read(path, &text);
	if (err) {
		(void)diag_field(d, credentials_field, "%s: %s", path,
				 strerrordesc_np(-err));
	} else {
		err = speech_credentials_read(buf_view(&text), out, &why);
		if (err && why.line)
			(void)diag_field(d, credentials_field, "%s:%d: %s",
					 path, why.line, why.message);
		else if (err)
			(void)diag_field(d, credentials_field, "%s: %s", path,
					 why.message);
	}
	if (text.p)
		crypto_wipe(text.p, text.n);
	buf_free(&text);
	return err;
}

/* Too long is as good as wrong: the check says so. */
static void from_environment(const char *name, char *to, size_t room)
{
	/* once, before there are threads */
	const char *given = getenv(name); // NOLINT(concurrency-mt-unsafe)

	(void)snprintf(to, room, "%s",
		       !given                 ? ""
		       : strlen(given) < room ? given
					      : " ");
}

static int read_environment(struct speech_credentials *out, struct diag *d)
{
	struct diag why = {0};
	int err;

	from_environment(KEY_ID, out->key_id, sizeof(out->key_id));
	from_environment(SECRET, out->secret, sizeof(out->secret));
	from_environment(TOKEN, out->token, sizeof(out->token));
	if (!*out->key_id && !*out->secret)
		return 0;
	err = speech_credentials_check(out, &why);
	if (err)
		(void)diag_field(d, KEY_ID, "and its like: %s", why.message);
	return err;
}

static int read_credentials(const struct settings *s,
			    struct speech_credentials *out, struct diag *d)
{
	memset(out, 0, sizeof(*out));
	if (*s->polly_credentials_file)
		return read_file(s->polly_credentials_file, out, d);
	return read_environment(out, d);
}

static void warn(const char *voice, const char *why, void *ctx)
{
	(void)ctx;
	log_warn("voice.replaced", "voice", LOG_S(voice), "why", LOG_S(why),
		 NULL);
}

int app_speech(const struct settings *s, const struct phrases *ph,
	       struct speech **out, struct diag *d)
{
	const struct settings_map *m = &s->voices;
	struct speech_choice *choices = b_zero(m->count + 1, sizeof(*choices));
	struct speech_credentials c;
	const struct speech_polly polly = {
		.region = s->polly_region,
		.endpoint = *s->polly_endpoint ? s->polly_endpoint : NULL,
		.engine = s->polly_engine,
		.key_id = c.key_id,
		.secret = c.secret,
		.token = c.token,
	};
	struct speech_params params = {
		.cache_dir = *s->cache_dir ? s->cache_dir : NULL,
		.choices = choices,
		.phrases = ph,
		.clock = clock_real(),
		.warn = warn,
	};
	int err = read_credentials(s, &c, d);

	for (size_t i = 0; i < m->count; i++)
		choices[i] = (struct speech_choice){m->keys[i], m->values[i]};
	if (!err) {
		params.polly = *c.key_id ? &polly : NULL;
		err = speech_new(&params, out, d);
	}
	crypto_wipe(&c, sizeof(c));
	free(choices);
	return err;
}

int app_voices_check(const struct settings *s, struct diag *d)
{
	struct speech_credentials c;
	int err = read_credentials(s, &c, d);

	crypto_wipe(&c, sizeof(c));
	return err;
}
