// SPDX-License-Identifier: Apache-2.0
/*
 * recordings_priv.h - a manifest, between its reader and what loads the files.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"
#include "base/diag.h"
#include "base/span.h"
#include "speech/recordings.h"
#include "speech/voice_priv.h"

enum {
	RECORDINGS_FILE_MAX = 64 << 10, /* bytes of a manifest */
	RECORDINGS_PATH_MAX = 1024,
	RECORDINGS_ROWS_MAX = 512, /* phrases and texts */
	RECORDINGS_PARTS_MAX = 8,  /* files of one phrase */
};

/* A phrase, or a text of the operator's, and its files in order. */
struct recordings_row {
	char *name;
	char *files[RECORDINGS_PARTS_MAX];
	size_t count;
	int line, column;
};
struct recordings_rows {
	struct recordings_row *rows;
	size_t count;
};

struct recordings_manifest {
	char language[SPEECH_LANGUAGE_BYTES];
	char *name;     /* who speaks; for people */
	char *folder;   /* where the files are; NULL: beside the manifest */
	char *fallback; /* a voice; NULL: none */
	char *digits[2][10]; /* in a row; at its end, NULL: as in a row */
	struct recordings_rows phrases, texts;
};

MUST_CHECK int speech_manifest_read(struct span yaml,
				    struct recordings_manifest **out,
				    struct diag *d);
void speech_manifest_free(struct recordings_manifest *m); /* NULL is fine */
