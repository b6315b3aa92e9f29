// SPDX-License-Identifier: Apache-2.0
/*
 * flows.c - the flows that come with the program: documents of a folder, each
 * under its file's name, version 1.
 */
#include "service/flows.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/json.h"
#include "service/flows_priv.h"
#include "web/outbound.h"

enum { FLOW_VERSION = 1, PATH_BYTES = 4096 };

static bool has_voice(const char *language, void *ctx)
{
	const struct service *sv = ctx;
	char base[SPEECH_LANGUAGE_BYTES];

	(void)snprintf(base, sizeof(base), "%.*s", (int)strcspn(language, "-_"),
		       language);
	return speech_is_open(sv->p.speech, base);
}

static bool has_route(const char *route, void *ctx)
{
	const struct service *sv = ctx;

	for (size_t i = 0; i < sv->p.tels_count; i++)
		if (strcmp(sv->tels[i].route, route) == 0)
			return true;
	return strcmp(route, "default") == 0;
}

static int check_voice(const char *voice, void *ctx, struct diag *d)
{
	struct utterance *u = utterance_new("en");
	int err = utterance_voice(u, voice, d);

	(void)ctx;
	utterance_free(u);
	return err;
}

static int check_url(const char *url, void *ctx, struct diag *d)
{
	const struct service *sv = ctx;

	return outbound_check(sv->p.outbound, url, d);
}

struct flow_world service_flow_world(struct service *sv)
{
	return (struct flow_world){.phrases = sv->p.phrases,
				   .has_voice = has_voice,
				   .has_route = has_route,
				   .check_voice = check_voice,
				   .check_url = check_url,
				   .ctx = sv};
}

static int load_text(struct service *sv, struct span text,
		     struct service_flow **out, struct flow_findings *findings)
{
	const struct flow_world world = service_flow_world(sv);
	AUTO_JSON json_t *document = NULL;
	struct flow *flow = NULL;
	struct diag d;
	int err = flow_load(text, &world, &flow, findings);

	if (err)
		return err;
	err = js_parse(text, &document, &d);
	if (err) {
		flow_unref(flow);
		return err;
	}
	*out = service_flow_new("", FLOW_VERSION, flow);
	(*out)->text = flow_canonical(document);
	return 0;
}

static int load(struct service *sv, const char *path, const char *id,
		struct diag *d)
{
	AUTO_BUF(text, FLOW_DOCUMENT_MAX);
	struct flow_findings findings = {0};
	struct service_flow *f = NULL;
	int err = file_read(path, &text);

	if (err) {
		(void)diag_field(d, path, "cannot be read: %s",
				 strerrordesc_np(-err));
		return err;
	}
	err = load_text(sv, buf_view(&text), &f, &findings);
	if (err)
		(void)diag_field(d, path, "%s: %s",
				 findings.count ? findings.items[0].path : "",
				 findings.count ? findings.items[0].message
						: "is no flow");
	flow_findings_free(&findings);
	if (err)
		return err;
	(void)snprintf(f->id, sizeof(f->id), "%s", id);
	(void)map_put(sv->flows, id, f);
	return 0;
}

static int is_document(const struct dirent *e)
{
	const char *dot = strrchr(e->d_name, '.');
	size_t n = dot ? (size_t)(dot - e->d_name) : 0;

	return n > 0 && n < VERIFICATION_FLOW_BYTES &&
	       strcmp(dot, ".json") == 0;
}

static int load_entry(struct service *sv, const char *name, struct diag *d)
{
	char path[PATH_BYTES], id[VERIFICATION_FLOW_BYTES];

	(void)snprintf(path, sizeof(path), "%s/%s", sv->p.flows_dir, name);
	(void)snprintf(id, sizeof(id), "%.*s", (int)(strrchr(name, '.') - name),
		       name);
	return load(sv, path, id, d);
}

int service_flows_load(struct service *sv, struct diag *d)
{
	struct dirent **entries = NULL;
	int n = scandir(sv->p.flows_dir, &entries, is_document, alphasort);
	int err = n < 0 ? -errno : 0;

	if (err)
		(void)diag_field(d, sv->p.flows_dir, "cannot be read: %s",
				 strerrordesc_np(-err));
	for (int i = 0; i < n; i++) {
		if (!err)
			err = load_entry(sv, entries[i]->d_name, d);
		free(entries[i]);
	}
	free(entries);
	if (!err && n == 0) {
		(void)diag_field(d, sv->p.flows_dir, "has no flows");
		err = -ENOENT;
	}
	return err;
}

static void free_flow(const char *key, void *value, void *ctx)
{
	(void)key;
	(void)ctx;
	service_flow_unref(value);
}

void service_flows_free(struct service *sv)
{
	if (!sv->flows)
		return;
	map_each(sv->flows, free_flow, NULL);
	map_free(sv->flows);
	sv->flows = NULL;
}
