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
#include "speech/recordings.h"
#include "speech/speech.h"

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

struct kept {
	struct speech_credentials c;
	struct speech_polly polly;
	struct speech_choice *choices;
	char recordings[APP_PATH_MAX + 16];
};

static int make_params(const struct settings *s, const char *data,
		       const struct phrases *ph, struct kept *k,
		       struct speech_params *out, struct diag *d)
{
	const struct settings_map *m = &s->voices;
	int err = read_credentials(s, &k->c, d);

	k->polly = (struct speech_polly){
		.region = s->polly_region,
		.endpoint = *s->polly_endpoint ? s->polly_endpoint : NULL,
		.engine = s->polly_engine,
		.key_id = k->c.key_id,
		.secret = k->c.secret,
		.token = k->c.token,
	};
	k->choices = b_zero(m->count + 1, sizeof(*k->choices));
	for (size_t i = 0; i < m->count; i++)
		k->choices[i] =
			(struct speech_choice){m->keys[i], m->values[i]};
	(void)snprintf(k->recordings, sizeof(k->recordings), "%s/recordings",
		       data);
	*out = (struct speech_params){
		.cache_dir = *s->cache_dir ? s->cache_dir : NULL,
		.choices = k->choices,
		.phrases = ph,
		.clock = clock_real(),
		.polly = *k->c.key_id ? &k->polly : NULL,
		.recordings_dir = k->recordings,
		.warn = warn,
	};
	return err;
}

static void forget(struct kept *k)
{
	crypto_wipe(&k->c, sizeof(k->c));
	free(k->choices);
}

int app_speech(const struct settings *s, const struct phrases *ph,
	       struct speech **out, struct diag *d)
{
	struct speech_params params;
	char data[APP_PATH_MAX];
	struct kept k;
	int err = app_data_dir(s, data, d);

	if (err)
		return err;
	err = make_params(s, data, ph, &k, &params, d);
	if (!err)
		err = speech_new(&params, out, d);
	forget(&k);
	return err;
}

/* --- looking at voices ----------------------------------------------------------- */

static void print_finding(const char *what, void *ctx)
{
	size_t *n = ctx;

	(void)printf("  %s\n", what);
	(*n)++;
}

int app_voices_check(const struct settings *s, const struct phrases *ph,
		     struct diag *d)
{
	static const char prefix[] = "recordings:";
	struct speech_params params;
	char data[APP_PATH_MAX];
	struct kept k;
	int err = app_data_dir(s, data, d);

	if (err)
		return err;
	err = make_params(s, data, ph, &k, &params, d);
	for (size_t i = 0; !err && i < s->voices.count; i++) {
		const char *voice = s->voices.values[i];

		if (strncmp(voice, prefix, strlen(prefix)) == 0)
			err = speech_recordings_check(
				&params, voice + strlen(prefix), NULL, NULL, d);
		else if (strncmp(voice, "Polly.", 6) == 0 && !params.polly)
			(void)printf("%s: no credentials of Amazon's; a voice "
				     "of this machine speaks in its place\n",
				     voice);
		if (err)
			(void)snprintf(d->field, sizeof(d->field), "voices.%s",
				       s->voices.keys[i]);
	}
	forget(&k);
	return err;
}

static int check_folder(const struct settings *s, const char *folder)
{
	AUTO(phrases) *ph = NULL;
	struct speech_params params;
	char data[APP_PATH_MAX];
	struct diag d = {0};
	struct kept k;
	size_t n = 0;
	int err = app_data_dir(s, data, &d);

	if (!err)
		err = app_phrases(data, &ph, &d);
	if (err)
		return app_fail(NULL, &d);
	err = make_params(s, data, ph, &k, &params, &d);
	if (!err)
		err = speech_recordings_check(&params, folder, print_finding,
					      &n, &d);
	forget(&k);
	if (err)
		return app_fail(NULL, &d);
	if (n > 0)
		(void)printf("%s: fit to speak; its fallback says the %zu "
			     "above\n",
			     folder, n);
	else
		(void)printf("%s: fit to speak\n", folder);
	return APP_FINE;
}

int app_voice_check(int argc, char **argv)
{
	const char *config = NULL, *folder = NULL;
	AUTO(settings) *s = NULL;
	const struct app_option options[] = {
		{.name = "--config", .value = &config},
		{0},
	};

	if (!app_options("voice check", argc, argv, options, &folder, 1))
		return APP_USAGE;
	if (!folder)
		return app_usage("voice check", "which folder?");
	if (app_settings(config, !config, &s))
		return APP_FAILED;
	return check_folder(s, folder);
}
