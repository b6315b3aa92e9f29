// SPDX-License-Identifier: Apache-2.0
/*
 * scripted.h - a telephone that plays a person: the sandbox numbers, and the
 * tests' phone.
 *
 * It is given real frames and hears with them, on the loop's clock: a run of
 * frames that equals a known clip is that clip.  So a test that passes here has
 * had the right sound in the right order.  (What was started cannot change, so
 * it is taken apart when it starts and each digit is heard when its time has
 * come; a thousand calls cost no tick of 20 ms.)
 */
#pragma once

#include "base/random.h"
#include "tel/tel.h"

/* What a script does.  The sandbox numbers of the API map to these. */
enum tel_script {
	TEL_SCRIPT_LISTEN,    /* passes the human check, hears the code out */
	TEL_SCRIPT_TYPE,      /* and types the code on the keypad */
	TEL_SCRIPT_BUSY,      /* 486 */
	TEL_SCRIPT_NO_ANSWER, /* rings until the limit */
	TEL_SCRIPT_DECLINE,   /* 603 with a cause that speaks of the person */
	TEL_SCRIPT_MAILBOX,   /* answers; its greeting plays key tones */
	TEL_SCRIPT_LATE,      /* answers just before the ring limit */
	TEL_SCRIPT_HANG_UP,   /* hangs up during the first words */
	TEL_SCRIPT_FORWARDED, /* 181, then as LISTEN */
	TEL_SCRIPT_REPORT,    /* presses 9 */
	TEL_SCRIPT_SILENT,    /* answers and presses nothing */
	TEL_SCRIPT_WRONG,     /* presses a wrong triple each time */
	TEL_SCRIPT_REPEAT,    /* LISTEN, then 1, 2 and 1 after the code */
	TEL_SCRIPTS
};

/* A sound that the phone knows: a digit's clip in one language. */
struct tel_ear {
	char digit; /* '0'..'9' */
	struct clip *clip;
};

/* How a line at fault ends, in place of what the script says. */
struct tel_script_fault {
	int sip_code, q850; /* sip_code 0: nobody answers, TEL_UNREACHABLE */
	bool rings, early_media; /* before that */
};

struct tel_scripted_params {
	struct loop *loop;
	struct rng *rng; /* the mailbox's random keys */
	/* So many of them, spread over so long from the answer; 0: 15, 12 s. */
	unsigned mailbox_keys, mailbox_ms;
	const struct tel_ear *ears; /* copied; the clips are referenced */
	size_t ears_count;
	/* Which script a number has; NULL: the sandbox numbers.  Negative:
	 * this telephone does not serve it. */
	int (*script)(const char *to, void *ctx);
	/* Tests: every digit heard, as it ends; NULL in production.  Also what
	 * TEL_SCRIPT_TYPE types in place of the code it heard, when the caller
	 * of a `reverse` flow knows it; NULL: types what it heard. */
	void (*heard)(const char *call_id, char digit, void *ctx);
	const char *(*types)(const char *call_id, void *ctx);
	/* Tests: the keys of a sound that has ended.  To the person it is no
	 * speech: a switchboard heard it. */
	void (*keyed)(const char *call_id, const char *keys, void *ctx);
	unsigned types_max; /* so often; 0: three times */
	/* Tests of what stands for a trunk; NULL where nothing is special: the
	 * fault of a call that is dialled (NULL: none), the telephone's state,
	 * what TEL_ENDED's record says. */
	const struct tel_script_fault *(*fault)(const char *to, void *ctx);
	enum tel_state (*state)(void *ctx);
	const struct tel_record *(*record)(const struct tel_params *call,
					   void *ctx);
	void *ctx;
};

/* 0: *out serves the sandbox numbers except the page's. */
MUST_CHECK int tel_scripted_new(const struct tel_scripted_params *params,
				struct tel **out);
