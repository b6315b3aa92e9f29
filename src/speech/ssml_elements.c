// SPDX-License-Identifier: Apache-2.0
/*
 * ssml_elements.c - the elements that we speak, their attributes and values.
 */
#include <errno.h>
#include <string.h>

#include "base/crypto.h"
#include "speech/ssml_priv.h"

enum {
	RATE_MIN = 20, /* percent of the voice's own */
	RATE_MAX = 200,
	PITCH_MAX = 50, /* percent up or down */
	VOLUME_MIN = -40,
	VOLUME_MAX = 6,  /* dB */
	SLOW_RATE = -10, /* from here on digits are said slowly too */
};

/* the same in thousandths */
static const int64_t rate_min = RATE_MIN * INT64_C(1000);
static const int64_t rate_max = RATE_MAX * INT64_C(1000);
static const int64_t pitch_max = PITCH_MAX * INT64_C(1000);

struct word {
	const char *name;
	int value;
};

static const struct word strengths[] = {
	{"none", 0},     {"x-weak", 100},    {"weak", 250}, {"medium", 400},
	{"strong", 700}, {"x-strong", 1000}, {NULL, 0},
};
static const struct word rates[] = {
	{"x-slow", -50}, {"slow", -25},  {"medium", 0}, {"fast", 25},
	{"x-fast", 60},  {"default", 0}, {NULL, 0},
};
static const struct word pitches[] = {
	{"x-low", -30}, {"low", -15},   {"medium", 0}, {"high", 15},
	{"x-high", 30}, {"default", 0}, {NULL, 0},
};
static const struct word volumes[] = {
	{"silent", SPEECH_SILENT},
	{"x-soft", -12},
	{"soft", -6},
	{"medium", 0},
	{"loud", 3},
	{"x-loud", 6},
	{"default", 0},
	{NULL, 0},
};
static const struct word levels[] = {
	{"strong", 0}, {"moderate", 0}, {"none", 0}, {"reduced", 0}, {NULL, 0},
};
static const struct word interpretations[] = {
	{"characters", 1}, {"spell-out", 1}, {"digits", 1},
	{"telephone", 1},  {"cardinal", 0},  {NULL, 0},
};
static const struct word versions[] = {{"1.0", 0}, {"1.1", 0}, {NULL, 0}};

static bool find_word(const struct word *words, const char *name, int *out)
{
	for (; words->name; words++) {
		if (strcmp(words->name, name) == 0) {
			*out = words->value;
			return true;
		}
	}
	return false;
}

static struct ssml_attribute *attribute(struct ssml *s, const char *name)
{
	for (size_t i = 0; i < s->attributes; i++)
		if (span_is(s->attribute[i].name, name))
			return &s->attribute[i];
	return NULL;
}

static int bad_value(struct ssml *s, const struct ssml_attribute *a,
		     const char *fmt)
{
	return ssml_fail_name(s, a->where, fmt, a->name);
}

/* "[+-]N[.N]unit" in thousandths; the sign in *sign (0: none). */
static bool read_number(const char *text, const char *unit, int *sign,
			int64_t *milli)
{
	struct span rest = span_of(text), whole;
	uint64_t n, part = 0;
	size_t unit_n = strlen(unit);
	unsigned scale = 1000;

	*sign = *text == '+' ? 1 : *text == '-' ? -1 : 0;
	if (*sign) {
		rest.p++;
		rest.n--;
	}
	if (rest.n < unit_n ||
	    memcmp(rest.p + rest.n - unit_n, unit, unit_n) != 0)
		return false;
	rest.n -= unit_n;
	if (!span_cut(&rest, '.', &whole) || span_uint(whole, 100000, &n))
		return false;
	if (rest.p && (rest.n > 3 || span_uint(rest, 999, &part)))
		return false;
	for (size_t i = 0; rest.p && i < rest.n; i++)
		scale /= 10;
	*milli = (int64_t)(n * 1000 + part * scale);
	return true;
}

static int clamp(int64_t v, int low, int high)
{
	return v < low ? low : v > high ? high : (int)v;
}

/* --- speak, emphasis ---------------------------------------------------------- */

static int open_speak(struct ssml *s, struct ssml_frame *f)
{
	struct ssml_attribute *a = attribute(s, "version");
	int ignored;
	size_t n;

	(void)f;
	if (a && !find_word(versions, a->value, &ignored))
		return bad_value(s, a, "% is 1.0 or 1.1");
	a = attribute(s, "xml:lang");
	if (!a || !*s->u->language)
		return 0;
	n = strcspn(a->value, "-");
	if (strlen(s->u->language) != n ||
	    strncasecmp(a->value, s->u->language, n) != 0)
		return bad_value(s, a, "% is not the language of this call");
	return 0;
}

static int open_emphasis(struct ssml *s, struct ssml_frame *f)
{
	struct ssml_attribute *a = attribute(s, "level");
	int ignored;

	(void)f;
	if (a && !find_word(levels, a->value, &ignored))
		return bad_value(s, a,
				 "% is strong, moderate, none or reduced");
	return 0;
}

/* --- break ---------------------------------------------------------------- */

static int open_break(struct ssml *s, struct ssml_frame *f)
{
	struct ssml_attribute *a = attribute(s, "strength");
	int ms = 400, sign = 0, err;
	int64_t milli;

	(void)f;
	if (a && !find_word(strengths, a->value, &ms))
		return bad_value(s, a,
				 "% is none, x-weak, weak, medium, "
				 "strong or x-strong");
	a = attribute(s, "time");
	if (a) {
		if (read_number(a->value, "ms", &sign, &milli))
			milli /= 1000;
		else if (!read_number(a->value, "s", &sign, &milli))
			return bad_value(s, a, "% is like 400ms or 1.5s");
		if (sign < 0 || milli > SPEECH_PAUSE_MAX)
			return bad_value(s, a, "% is from 0 to 10s");
		ms = (int)milli;
	}
	err = ssml_flush(s, 0);
	if (err)
		return err;
	if (utterance_pause(s->u, (unsigned)ms))
		return ssml_fail(s, s->at, "too many pieces");
	return 0;
}

/* --- prosody ---------------------------------------------------------------- */

static int prosody_rate(struct ssml *s, const struct ssml_attribute *a,
			struct speech_style *style)
{
	int change, sign;
	int64_t milli;

	if (!find_word(rates, a->value, &change)) {
		if (!read_number(a->value, "%", &sign, &milli) || sign)
			return bad_value(s, a,
					 "% is x-slow, slow, medium, "
					 "fast, x-fast, or like 80%");
		if (milli < rate_min || milli > rate_max)
			return bad_value(s, a, "% is from 20% to 200%");
		change = (int)(milli / 1000) - 100;
	}
	/* inside another <prosody> they multiply */
	style->rate =
		(int8_t)clamp((100 + style->rate) * (100 + change) / 100 - 100,
			      RATE_MIN - 100, RATE_MAX - 100);
	return 0;
}

static int prosody_pitch(struct ssml *s, const struct ssml_attribute *a,
			 struct speech_style *style)
{
	int change, sign;
	int64_t milli;

	if (!find_word(pitches, a->value, &change)) {
		if (!read_number(a->value, "%", &sign, &milli) || !sign)
			return bad_value(s, a,
					 "% is x-low, low, medium, high, "
					 "x-high, or like +10%");
		if (milli > pitch_max)
			return bad_value(s, a, "% is from -50% to +50%");
		change = sign * (int)(milli / 1000);
	}
	style->pitch =
		(int8_t)clamp(style->pitch + change, -PITCH_MAX, PITCH_MAX);
	return 0;
}

static int prosody_volume(struct ssml *s, const struct ssml_attribute *a,
			  struct speech_style *style)
{
	int change, sign;
	int64_t milli;

	if (!find_word(volumes, a->value, &change)) {
		if (!read_number(a->value, "dB", &sign, &milli) || !sign)
			return bad_value(s, a,
					 "% is silent, x-soft, soft, medium, "
					 "loud, x-loud, or like -6dB");
		change = sign * (int)(milli / 1000);
		if (change < VOLUME_MIN || change > VOLUME_MAX)
			return bad_value(s, a, "% is from -40dB to +6dB");
	}
	if (style->volume == SPEECH_SILENT || change == SPEECH_SILENT)
		style->volume = SPEECH_SILENT;
	else
		style->volume = (int8_t)clamp(style->volume + change,
					      VOLUME_MIN, VOLUME_MAX);
	return 0;
}

static int open_prosody(struct ssml *s, struct ssml_frame *f)
{
	static const struct {
		const char *name;
		int (*read)(struct ssml *s, const struct ssml_attribute *a,
			    struct speech_style *style);
	} parts[] = {{"rate", prosody_rate},
		     {"pitch", prosody_pitch},
		     {"volume", prosody_volume}};

	if (s->attributes == 0)
		return ssml_fail(s, f->where, "expected rate, pitch or volume");
	for (size_t i = 0; i < COUNT_OF(parts); i++) {
		struct ssml_attribute *a = attribute(s, parts[i].name);
		int err = a ? parts[i].read(s, a, &f->style) : 0;

		if (err)
			return err;
	}
	return 0;
}

/* --- sub, say-as ------------------------------------------------------------ */

static int open_sub(struct ssml *s, struct ssml_frame *f)
{
	struct ssml_attribute *a = attribute(s, "alias");
	int err;

	if (!a)
		return ssml_fail(s, f->where, "expected alias");
	s->depth--; /* the alias is said by what is around it */
	err = ssml_say(s, span_make(a->value, a->n));
	s->depth++;
	return err;
}

static int open_say_as(struct ssml *s, struct ssml_frame *f)
{
	struct ssml_attribute *a = attribute(s, "interpret-as");
	int spelled;

	if (!a)
		return ssml_fail(s, f->where, "expected interpret-as");
	if (!find_word(interpretations, a->value, &spelled))
		return bad_value(s, a,
				 "% is characters, spell-out, digits, "
				 "telephone or cardinal");
	f->spelled = spelled;
	s->held_n = 0;
	return 0;
}

/* "482 913" -> "482913"; -EINVAL if there is anything but digits and what
 * people put between them. */
static int only_digits(struct span text, char out[SPEECH_DIGITS_MAX + 1])
{
	size_t n = 0;

	for (size_t i = 0; i < text.n; i++) {
		if (strchr(" \t\r\n-.()/", text.p[i]))
			continue;
		if (text.p[i] < '0' || text.p[i] > '9' ||
		    n == SPEECH_DIGITS_MAX)
			return -EINVAL;
		out[n++] = text.p[i];
	}
	out[n] = '\0';
	return n > 0 ? 0 : -EINVAL;
}

/* "AB1" -> "A, B, 1": a voice says letters that stand alone. */
static int spell(struct ssml *s, struct span text)
{
	bool first = true;
	int err = 0;

	for (size_t i = 0; i < text.n && !err;) {
		size_t n = 1;

		while (i + n < text.n &&
		       ((unsigned char)text.p[i + n] & 0xc0) == 0x80)
			n++;
		if (!strchr(" \t\r\n", text.p[i])) {
			err = first ? 0 : ssml_say(s, span_of(", "));
			if (!err)
				err = ssml_say(s, span_make(text.p + i, n));
			first = false;
		}
		i += n;
	}
	return err;
}

int ssml_said_as(struct ssml *s, struct ssml_frame *f)
{
	struct span text = span_trim(span_make(s->held, s->held_n));
	enum speech_pace pace =
		f->style.rate <= SLOW_RATE ? SPEECH_SLOW : SPEECH_NORMAL;
	char digits[SPEECH_DIGITS_MAX + 1];
	int err;

	if (text.n == 0)
		return ssml_fail(s, f->where, "<say-as> is empty");
	if (!f->spelled)
		return ssml_say(s, text);
	if (only_digits(text, digits))
		return spell(s, text);
	err = ssml_flush(s, 0);
	if (!err && utterance_digits(s->u, digits, pace))
		err = ssml_fail(s, f->where, "too many pieces");
	crypto_wipe(digits, sizeof(digits));
	return err;
}

/* --- the table ---------------------------------------------------------------- */

#define IN(kind) (1U << (kind))
/* these hold text and nothing else */
#define IN_TEXT (IN(SSML_SAY_AS) | IN(SSML_SUB) | IN(SSML_BREAK))

static const struct ssml_element elements[] = {
	{"speak",
	 SSML_SPEAK,
	 ~0U,
	 {"version", "xmlns", "xml:lang", NULL},
	 open_speak},
	{"p", SSML_P, IN_TEXT | IN(SSML_P) | IN(SSML_S), {NULL}, NULL},
	{"s", SSML_S, IN_TEXT | IN(SSML_S), {NULL}, NULL},
	{"break", SSML_BREAK, IN_TEXT, {"time", "strength", NULL}, open_break},
	{"prosody",
	 SSML_PROSODY,
	 IN_TEXT,
	 {"rate", "pitch", "volume", NULL},
	 open_prosody},
	{"say-as", SSML_SAY_AS, IN_TEXT, {"interpret-as", NULL}, open_say_as},
	{"sub", SSML_SUB, IN_TEXT, {"alias", NULL}, open_sub},
	{"emphasis", SSML_EMPHASIS, IN_TEXT, {"level", NULL}, open_emphasis},
};

const struct ssml_element *ssml_element(struct span name)
{
	for (size_t i = 0; i < COUNT_OF(elements); i++)
		if (span_is(name, elements[i].name))
			return &elements[i];
	return NULL;
}

bool ssml_knows(const struct ssml_element *el, struct span attribute_name)
{
	for (const char *const *a = el->attributes; *a; a++)
		if (span_is(attribute_name, *a))
			return true;
	return false;
}
