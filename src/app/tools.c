// SPDX-License-Identifier: Apache-2.0
/*
 * tools.c - commands that need no store: check-config, say, flow check,
 * version.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "app/app_priv.h"
#include "app/trunks.h"
#include "base/file.h"
#include "base/json.h"
#include "flow/flow.h"

enum { DEFAULTS_MAX = 256 << 10, WAV_MAX = 8 << 20 };

int app_version(int argc, char **argv)
{
	bool json = false;
	const struct app_option options[] = {{.name = "--json", .flag = &json},
					     {0}};

	if (!app_options("version", argc, argv, options, NULL, 0))
		return APP_USAGE;
	if (json)
		(void)printf("{\"version\":\"%s\"}\n", VOICEOTP_VERSION);
	else
		(void)printf("voiceotp %s\n", VOICEOTP_VERSION);
	return APP_FINE;
}

/* --- check-config ------------------------------------------------------------------ */

/* What an operator should know of what calls will say. */
static void show_scripts(const struct settings *s, const struct phrases *ph)
{
	for (size_t i = 0; i < s->languages.count; i++) {
		const char *language = s->languages.items[i];
		const char *name = phrases_name(ph, language);

		if (!name)
			(void)printf("%s: no scripts; calls speak English\n",
				     language);
		else if (!phrases_reviewed(ph, language))
			(void)printf("%s: no native speaker has reviewed the "
				     "script (%s)\n",
				     language, name);
	}
}

/* Everything that a start would read, and no more. */
static int check(const char *config, bool dev)
{
	AUTO(settings) *s = NULL;
	AUTO(phrases) *ph = NULL;
	AUTO(app_rules) *rules = NULL;
	AUTO(app_trunks) *trunks = NULL;
	char data[APP_PATH_MAX];
	struct diag d = {0};

	if (app_settings(config, dev, &s))
		return APP_FAILED;
	if (app_data_dir(s, data, &d) || app_phrases(data, &ph, &d) ||
	    app_voices_check(s, ph, &d) || app_trunks_new(s, &trunks, &d) ||
	    app_rules_new(s, data, &rules, &d))
		return app_fail(config, &d);
	show_scripts(s, ph);
	s = NULL;                      /* the rules' now */
	app_trunks_free(KEEP(trunks)); /* they borrowed from them */
	(void)printf("%s: fine\n", config ? config : "settings");
	return APP_FINE;
}

int app_check_config(int argc, char **argv)
{
	const char *config = NULL, *word = NULL;
	bool dev = false, defaults = false, manual = false;
	const struct app_option options[] = {
		{.name = "--config", .value = &config},
		{.name = "--dev", .flag = &dev},
		{.name = "--defaults", .flag = &defaults},
		{.name = "--manual", .flag = &manual},
		{0},
	};
	AUTO_BUF(text, DEFAULTS_MAX);

	if (!app_options("check-config", argc, argv, options, &word, 1))
		return APP_USAGE;
	if (!defaults && !manual)
		return check(word ? word : config, dev);
	if (defaults)
		settings_defaults(&text);
	else
		settings_manual(&text);
	(void)fwrite(text.p, 1, text.n, stdout);
	return APP_FINE;
}

/* --- say ------------------------------------------------------------------------------ */

static int write_out(const char *path, const struct buf *wav)
{
	struct diag d = {0};
	char why[96];
	int err;

	if (!path) {
		(void)fwrite(wav->p, 1, wav->n, stdout);
		return APP_FINE;
	}
	err = file_write(path, wav->p, wav->n, 0644);
	if (!err)
		return APP_FINE;
	(void)diag_set(&d, "%s", strerror_r(-err, why, sizeof(why)));
	return app_fail(path, &d);
}

static int utter(struct utterance *u, const char *text, struct diag *d)
{
	if (strncmp(text, "<speak", 6) == 0)
		return utterance_ssml(u, span_of(text), false, d);
	return utterance_text(u, span_of(text), false, d);
}

static int say(struct settings *s, const char *text, const char *language,
	       const char *out)
{
	AUTO(speech) *sp = NULL;
	AUTO(utterance) *u = utterance_new(language);
	AUTO(playlist) *p = NULL;
	AUTO(phrases) *ph = NULL;
	AUTO_BUF(wav, WAV_MAX);
	char data[APP_PATH_MAX];
	struct diag d = {0};

	if (utter(u, text, &d) || app_data_dir(s, data, &d) ||
	    app_phrases(data, &ph, &d) || app_speech(s, ph, &sp, &d) ||
	    speech_open(sp, language, &d) || speech_say(sp, u, &p, &d))
		return app_fail(NULL, &d);
	playlist_wav(p, &wav);
	return write_out(out, &wav);
}

int app_say(int argc, char **argv)
{
	const char *config = NULL, *text = NULL, *voice = NULL, *out = NULL;
	const char *language = "en";
	AUTO(settings) *s = NULL;
	const struct app_option options[] = {
		{.name = "--config", .value = &config},
		{.name = "--voice", .value = &voice},
		{.name = "--language", .value = &language},
		{.name = "-o", .value = &out},
		{0},
	};
	char map[SETTINGS_ITEM_MAX + 64];
	struct diag d = {0};

	if (!app_options("say", argc, argv, options, &text, 1))
		return APP_USAGE;
	if (!text)
		return app_usage("say", "what?");
	if (!out && isatty(STDOUT_FILENO))
		return app_usage("say", "sound is not for a terminal: -o "
					"FILE.wav, or a pipe");
	if (app_settings(config, !config, &s))
		return APP_FAILED;
	if (voice) {
		(void)snprintf(map, sizeof(map), "{%s: \"%s\"}", language,
			       voice);
		if (settings_set(s, "voices", map, &d))
			return app_fail(NULL, &d);
	}
	return say(s, text, language, out);
}

/* --- flow check -------------------------------------------------------------------------- */

static const char *const severities[] = {
	[FLOW_ERROR] = "error",
	[FLOW_WARNING] = "warning",
	[FLOW_INFO] = "info",
};

static void print_finding(const char *file, const struct flow_finding *f)
{
	(void)printf("%s: %s: %s: %s%s%s\n", file, severities[f->severity],
		     f->code, *f->node ? f->node : "", *f->node ? ": " : "",
		     f->message);
	if (*f->path)
		(void)printf("    at %s\n", f->path);
}

static void print_json(const char *file, const struct flow_findings *f)
{
	AUTO_JSON json_t *o = json_object();
	json_t *list = json_array();
	AUTO_FREE char *text = NULL;

	for (size_t i = 0; i < f->count; i++) {
		const struct flow_finding *x = &f->items[i];

		(void)json_array_append_new(
			list, json_pack("{ssssssssss}", "sev",
					severities[x->severity], "code",
					x->code, "node", x->node, "path",
					x->path, "msg", x->message));
	}
	(void)json_object_set_new(o, "file", json_string(file));
	(void)json_object_set_new(o, "findings", list);
	text = js_text(o);
	(void)printf("%s\n", text);
}

static int check_flow(const char *file, const struct phrases *ph, bool json)
{
	AUTO_BUF(text, FLOW_DOCUMENT_MAX);
	struct flow_findings found = {0};
	const struct flow_world world = {.phrases = ph};
	struct diag d = {0};
	char why[96];
	int err = file_read(file, &text);

	if (err) {
		(void)diag_set(&d, "%s",
			       err == -E2BIG
				       ? "is longer than a flow may be"
				       : strerror_r(-err, why, sizeof(why)));
		return app_fail(file, &d);
	}
	err = flow_load(buf_view(&text), &world, NULL, &found);
	if (json)
		print_json(file, &found);
	for (size_t i = 0; !json && i < found.count; i++)
		print_finding(file, &found.items[i]);
	if (!json && !err)
		(void)printf("%s: fine\n", file);
	flow_findings_free(&found);
	return err ? APP_FAILED : APP_FINE;
}

int app_flow_check(int argc, char **argv)
{
	enum { FILES_MAX = 256 };
	const char *files[FILES_MAX] = {NULL}, *config = NULL;
	bool json = false;
	const struct app_option options[] = {
		{.name = "--config", .value = &config},
		{.name = "--json", .flag = &json},
		{0},
	};
	AUTO(settings) *s = NULL;
	AUTO(phrases) *ph = NULL;
	char data[APP_PATH_MAX];
	struct diag d = {0};
	int res = APP_FINE;

	if (!app_options("flow check", argc, argv, options, files, FILES_MAX))
		return APP_USAGE;
	if (!files[0])
		return app_usage("flow check", "which file?");
	if (app_settings(config, !config, &s))
		return APP_FAILED;
	if (app_data_dir(s, data, &d) || app_phrases(data, &ph, &d))
		return app_fail(config, &d);
	for (size_t i = 0; i < FILES_MAX && files[i]; i++)
		if (check_flow(files[i], ph, json) != APP_FINE)
			res = APP_FAILED;
	return res;
}
