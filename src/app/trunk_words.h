// SPDX-License-Identifier: Apache-2.0
/*
 * trunk_words.h - the answers of trunks, in words.
 */
#pragma once

#include <stddef.h>

/* "forbidden"; for one that is not in the table, its class. */
const char *app_trunk_words_name(int sip_code);
/* What it means and what to look at; "" where there is nothing to look at. */
const char *app_trunk_words_advice(int sip_code);
/* Why nothing came at all, by the errno of whoever tried. */
const char *app_trunk_words_silence(int err);
