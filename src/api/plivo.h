// SPDX-License-Identifier: Apache-2.0
/*
 * plivo.h - Plivo's Verify sessions, by voice.
 *
 * A session is a verification with a label of this face, found by a UUID that
 * stands for its id.
 */
#pragma once

#include "api/vendor.h"

#define PLIVO_LABEL "plivo.verify"

enum {
	PLIVO_TEXT_BYTES = 512, /* of one field of a body */
	PLIVO_SENDS = 5,        /* calls of one session */
	PLIVO_CODE_MIN = 4,
	PLIVO_CODE_MAX = 8,
	PLIVO_LIST_MAX = 20, /* sessions of one page; also the default */
	PLIVO_OFFSET_MAX = 10000,
};

/* Rows of api_routes(): the paths end with "/", or not. */
web_handler_h plivo_create, plivo_validate, plivo_read, plivo_list;

/* The application that sessions belong to when no app_uuid is named, which is
 * the only one. */
void plivo_app_uuid(const struct api *a, const char *application,
		    char out[VENDOR_UUID_BYTES]);
/* "{"api_id":"<a fresh one>": what every answer begins with. */
void plivo_begin(struct buf *b);
/* "in-progress", "verified", "expired": they have no others. */
const char *plivo_status(enum outcome_status s);
