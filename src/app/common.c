// SPDX-License-Identifier: Apache-2.0
/*
 * common.c - what every command needs: options, settings, where things are.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "app/app_priv.h"
#include "base/file.h"
#include "base/mem.h"

#ifndef VOICEOTP_DATADIR
#define VOICEOTP_DATADIR "/usr/share/voiceotp"
#endif
#define USUAL_CONFIG "/etc/voiceotp/voiceotp.yaml"

int app_usage(const char *command, const char *fmt, ...)
{
	va_list ap;

	(void)fprintf(stderr, "voiceotp: %s: ", command);
	va_start(ap, fmt);
	(void)vfprintf(stderr, fmt, ap);
	va_end(ap);
	(void)fprintf(stderr, "\nTry `voiceotp %s --help`.\n", command);
	return APP_USAGE;
}

int app_fail(const char *file, const struct diag *d)
{
	char text[1024];

	diag_text(d, file, text, sizeof(text));
	(void)fprintf(stderr, "voiceotp: %s\n", text);
	return APP_FAILED;
}

static const struct app_option *find(const struct app_option *options,
				     const char *arg, size_t n)
{
	for (const struct app_option *o = options; o && o->name; o++)
		if (strlen(o->name) == n && strncmp(o->name, arg, n) == 0)
			return o;
	return NULL;
}

/* One option at argv[*i]; moves *i past its value. */
static bool take_option(const char *command, int argc, char **argv, int *i,
			const struct app_option *options)
{
	const char *arg = argv[*i];
	const char *equals = strchr(arg, '=');
	size_t n = equals ? (size_t)(equals - arg) : strlen(arg);
	const struct app_option *o = find(options, arg, n);

	if (!o) {
		(void)app_usage(command, "%.*s is not an option of it", (int)n,
				arg);
		return false;
	}
	if (o->flag) {
		if (equals)
			(void)app_usage(command, "%s takes no value", o->name);
		*o->flag = true;
		return !equals;
	}
	if (equals)
		*o->value = equals + 1;
	else if (*i + 1 < argc)
		*o->value = argv[++*i];
	else {
		(void)app_usage(command, "%s needs a value", o->name);
		return false;
	}
	return true;
}

bool app_options(const char *command, int argc, char **argv,
		 const struct app_option *options, const char **words,
		 size_t words_max)
{
	bool only_words = false;
	size_t n = 0;

	for (int i = 1; i < argc; i++) {
		if (!only_words && strcmp(argv[i], "--") == 0) {
			only_words = true;
			continue;
		}
		if (!only_words && argv[i][0] == '-' && argv[i][1]) {
			if (!take_option(command, argc, argv, &i, options))
				return false;
			continue;
		}
		if (n == words_max) {
			(void)app_usage(command, "what is \"%.40s\"?", argv[i]);
			return false;
		}
		words[n++] = argv[i];
	}
	return true;
}

/* --- settings ---------------------------------------------------------------- */

/* What --dev is: a server on this machine that calls nobody real. */
static int lay_dev_over(struct settings *s)
{
	static const char *const rows[][2] = {
		{"sandbox", "true"},
		{"sandbox_only", "true"},
		{"require_client_ip", "false"},
	};
	struct diag d = {0};
	int err = 0;

	for (size_t i = 0; !err && i < COUNT_OF(rows); i++)
		err = settings_set(s, rows[i][0], rows[i][1], &d);
	if (!err && !*s->brand)
		err = settings_set(s, "brand", "Acme", &d);
	if (!err && !*s->from)
		err = settings_set(s, "from", "+15671234567", &d);
	/* whoever tries webhooks has a receiver beside it */
	if (!err && s->outbound_allow.count == 0)
		err = settings_set(s, "outbound.allow",
				   "[localhost, 127.0.0.0/8, \"::1\"]", &d);
	return err;
}

int app_settings(const char *config, bool dev, struct settings **out)
{
	AUTO(settings) *s = NULL;
	struct diag d = {0};
	struct stat st;
	int err = 0;

	if (!config && !dev) {
		config = USUAL_CONFIG;
		if (stat(config, &st) != 0) {
			(void)fprintf(stderr,
				      "voiceotp: no settings: name a file with "
				      "--config, make " USUAL_CONFIG
				      ", or try --dev\n");
			return -ENOENT;
		}
	}
	if (config)
		err = settings_load(config, &s, &d);
	else
		s = settings_new();
	if (err) {
		(void)app_fail(config, &d);
		return err;
	}
	if (dev)
		err = lay_dev_over(s);
	if (!err)
		*out = KEEP(s);
	return err;
}

/* --- places -------------------------------------------------------------------- */

static bool has_prompts(const char *dir)
{
	char path[APP_PATH_MAX + 32];
	struct stat st;

	(void)snprintf(path, sizeof(path), "%s/prompts/en.yaml", dir);
	return stat(path, &st) == 0;
}

int app_data_dir(const struct settings *s, char out[APP_PATH_MAX],
		 struct diag *d)
{
	char exe[APP_PATH_MAX - 32];
	ssize_t n = readlink("/proc/self/exe", exe, sizeof(exe) - 1);
	char *slash;

	if (*s->data_dir) {
		(void)snprintf(out, APP_PATH_MAX, "%s", s->data_dir);
		if (has_prompts(out))
			return 0;
		(void)diag_field(d, "data_dir", "%s has no prompts/en.yaml",
				 s->data_dir);
		return -ENOENT;
	}
	if (n > 0) {
		exe[n] = 0;
		slash = strrchr(exe, '/');
		if (slash)
			*slash = 0;
		/* beside a build folder, as `make run` has it */
		(void)snprintf(out, APP_PATH_MAX, "%s/../packaging", exe);
		if (has_prompts(out))
			return 0;
	}
	(void)snprintf(out, APP_PATH_MAX, "%s", VOICEOTP_DATADIR);
	if (has_prompts(out))
		return 0;
	(void)diag_field(d, "data_dir",
			 "the program's data is not beside it and not in %s; "
			 "set it",
			 VOICEOTP_DATADIR);
	return -ENOENT;
}

/* "sqlite:var/voiceotp.db" wants var/ to be there. */
int app_store_dir(const struct settings *s, struct diag *d)
{
	const char *path = strchr(s->store, ':');
	AUTO_FREE char *dir = b_strdup(path ? path + 1 : s->store);
	char *slash = strrchr(dir, '/');
	char why[96];
	int err = 0;

	if (slash && slash != dir) {
		*slash = 0;
		err = file_make_dir(dir);
	}
	if (err)
		(void)diag_field(d, "store", "%s: %s", dir,
				 strerror_r(-err, why, sizeof(why)));
	return err;
}

void app_node(const struct settings *s, char *out, size_t n)
{
	if (*s->node) {
		(void)snprintf(out, n, "%s", s->node);
	} else if (gethostname(out, n)) {
		(void)snprintf(out, n, "node");
	}
	out[n - 1] = 0;
}

int app_phrases(const char *data_dir, struct phrases **out, struct diag *d)
{
	char dir[APP_PATH_MAX + 16];

	(void)snprintf(dir, sizeof(dir), "%s/prompts", data_dir);
	return phrases_load(dir, out, d);
}
