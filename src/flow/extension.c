// SPDX-License-Identifier: Apache-2.0
/*
 * extension.c - keys for the switchboard that answers first.
 *
 * They are sent before any node hears of the answer, so whatever a flow says,
 * and whichever node it begins with, comes behind them.  To the telephone they
 * are one more thing to play.
 */
#include "core/extension.h"

#include "flow/run_priv.h"

static int add(struct playlist *list, char c)
{
	unsigned pause = number_extension_pause_ms(c);
	int err;

	if (pause)
		return playlist_silence(list, pause);
	err = playlist_key(list, c, NUMBER_KEY_MS);
	return err ? err : playlist_silence(list, NUMBER_KEY_GAP_MS);
}

bool flow_extension_send(struct flow_run *run)
{
	AUTO(playlist) *list = NULL;
	int err = 0;

	if (!run->send_digits[0])
		return false;
	list = playlist_new();
	for (const char *c = run->send_digits; *c && !err; c++)
		err = add(list, *c);
	if (err)
		return false;
	run->leg.keys_id = ++run->play_id;
	if (tel_call_play(run->leg.call, list, run->play_id)) /* it ended */
		flow_run_out(run, "error", "no keys were sent", FLOW_SHOW_TEXT);
	return true;
}

bool flow_extension_sent(struct flow_run *run, uint32_t play_id)
{
	int64_t keys = 0;

	if (run->leg.keys_id == 0 || play_id != run->leg.keys_id)
		return false;
	run->leg.keys_id = 0;
	for (const char *c = run->send_digits; *c; c++)
		keys += number_extension_key(*c);
	flow_run_out_int(run, "keys_sent", keys);
	return true;
}
