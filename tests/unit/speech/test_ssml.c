// SPDX-License-Identifier: Apache-2.0
/*
 * test_ssml.c - is a document taken apart as its author meant, and is a mistake
 * shown where it is?
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "speech/utterance_priv.h"
#include "support/test.h"

/* Pieces as text: quoted, pauses as numbers, digits behind #; a style behind
 * its text. */
static void show(const struct utterance *u, struct buf *b)
{
	for (size_t i = 0; i < u->count; i++) {
		const struct speech_piece *p = &u->pieces[i];

		if (i > 0)
			buf_byte(b, ' ');
		if (p->kind == SPEECH_PIECE_PAUSE)
			buf_printf(b, "%u", p->ms);
		else if (p->kind == SPEECH_PIECE_DIGITS)
			buf_printf(b, "%s%s", p->pace ? "##" : "#", p->text);
		else
			buf_printf(b, "'%s'", p->text);
		if (p->style.rate)
			buf_printf(b, "r%d", p->style.rate);
		if (p->style.pitch)
			buf_printf(b, "p%d", p->style.pitch);
		if (p->style.volume)
			buf_printf(b, "v%d", p->style.volume);
	}
}

static void expect_pieces(const char *body, const char *pieces)
{
	AUTO(utterance) *u = utterance_new("en");
	AUTO_BUF(doc, 4096);
	AUTO_BUF(shown, 4096);
	struct diag d = {0};

	buf_printf(&doc, "<speak>%s</speak>", body);
	if (utterance_ssml(u, buf_view(&doc), true, &d))
		fail_msg("%s: %d:%d: %s", body, d.line, d.column, d.message);
	show(u, &shown);
	assert_string_equal(shown.n ? shown.p : "", pieces);
}

TEST(text_is_one_piece_with_single_blanks)
{
	expect_pieces("Hello.\n  This is\tAcme. ", "'Hello. This is Acme.'");
	expect_pieces("", "");
	expect_pieces(" . , ", "");
}

TEST(entities_and_comments_are_resolved)
{
	expect_pieces("a &amp; b &lt;c&gt; &quot;d&apos;", "'a & b <c> \"d''");
	expect_pieces("caf&#233; &#x20AC;", "'café €'");
	expect_pieces("one<!-- two <b> & -->, three", "'one, three'");
}

TEST(breaks_are_pauses)
{
	expect_pieces("a<break time=\"400ms\"/>b", "'a' 400 'b'");
	expect_pieces("a<break time='1.5s'/>", "'a' 1500");
	expect_pieces("<break/><break strength='none'/>", "400 0");
	expect_pieces("<break strength='weak' time='2s'></break>", "2000");
	expect_pieces("<break strength=\"x-strong\" />", "1000");
}

TEST(digits_that_are_said_one_by_one_are_clips)
{
	expect_pieces("It is <say-as interpret-as=\"digits\">482913</say-as>.",
		      "'It is' #482913");
	expect_pieces("<say-as interpret-as='spell-out'>482 913</say-as>",
		      "#482913");
	expect_pieces("<say-as interpret-as='characters'>0</say-as>", "#0");
	expect_pieces("<say-as interpret-as='telephone'>(415) 555-01.00"
		      "</say-as>",
		      "#4155550100");
	expect_pieces("<prosody rate='slow'><say-as interpret-as='digits'>12"
		      "</say-as></prosody>",
		      "##12");
}

TEST(other_things_that_are_said_one_by_one_are_spelled)
{
	expect_pieces("<say-as interpret-as='characters'>AB1</say-as>",
		      "'A, B, 1'");
	expect_pieces("<say-as interpret-as='telephone'>+14</say-as>",
		      "'+, 1, 4'");
	expect_pieces("<say-as interpret-as='spell-out'>é b</say-as>",
		      "'é, b'");
	expect_pieces("<say-as interpret-as='cardinal'>482</say-as> euros",
		      "'482 euros'");
}

TEST(substitutes_are_said_instead)
{
	expect_pieces("by <sub alias=\"World &amp; Web\">W3C</sub> today",
		      "'by World & Web today'");
}

TEST(a_style_ends_with_its_element)
{
	expect_pieces("a <prosody rate=\"slow\" pitch='+10%' volume='-6dB'>b"
		      "</prosody> c",
		      "'a' 'b'r-25p10v-6 'c'");
	expect_pieces("<prosody rate='50%'><prosody rate='80%'>a</prosody>"
		      "</prosody>",
		      "'a'r-60");
	expect_pieces("<prosody rate='20%'><prosody rate='20%'>a</prosody>"
		      "</prosody>",
		      "'a'r-80");
	expect_pieces("<prosody volume='silent'>a</prosody>", "'a'v-128");
	expect_pieces("<prosody rate='medium'>a</prosody> b", "'a b'");
	expect_pieces("a <emphasis level='strong'>b</emphasis> c", "'a b c'");
}

TEST(paragraphs_and_sentences_are_pieces)
{
	expect_pieces("<p><s>One.</s><s>Two.</s></p><p>Three.</p>",
		      "'One.' 'Two.' 'Three.'");
}

TEST(a_prolog_and_attributes_of_speak_are_understood)
{
	static const char doc[] =
		"<?xml version=\"1.0\"?>\n<!-- hi -->\n<speak version=\"1.1\" "
		"xmlns=\"http://www.w3.org/2001/10/synthesis\" "
		"xml:lang=\"en-US\">Hi</speak>\n";
	AUTO(utterance) *u = utterance_new("en");
	struct diag d = {0};

	assert_int_equal(utterance_ssml(u, span_of(doc), true, &d), 0);
	assert_int_equal(u->count, 1);
	assert_true(u->pieces[0].fixed);
}

static const struct {
	const char *doc;
	int line, column;
	const char *why;
} mistakes[] = {
	{"", 1, 1, "expected <speak>"},
	{"Hello", 1, 1, "expected <speak>"},
	{"<p>a</p>", 1, 1, "expected <speak>"},
	{"<speak>a", 1, 1, "<speak> is not closed"},
	{"<speak>\n <p>a</speak>", 2, 6, "expected </p>"},
	{"<speak></speak>x", 1, 16, "text behind </speak>"},
	{"<speak></speak><speak/>", 1, 16, "an element behind </speak>"},
	{"</speak>", 1, 1, "</speak> closes nothing"},
	{"<speak><voice name='x'>a</voice></speak>", 1, 8,
	 "no such element: <voice>"},
	{"<speak><Break/></speak>", 1, 8, "no such element: <Break>"},
	{"<speak><break tim='1s'/></speak>", 1, 15,
	 "no such attribute here: tim"},
	{"<speak>é\n<break time='1'/></speak>", 2, 14,
	 "time is like 400ms or 1.5s"},
	{"<speak>éé<break time='-1s'/></speak>", 1, 23,
	 "time is from 0 to 10s"},
	{"<speak><break time='11s'/></speak>", 1, 21, "time is from 0 to 10s"},
	{"<speak><break time='1s' time='1s'/></speak>", 1, 25,
	 "time is there twice"},
	{"<speak><break strength='big'/></speak>", 1, 25,
	 "strength is none, x-weak, weak, medium, strong or x-strong"},
	{"<speak><break>a</break></speak>", 1, 15, "<break> has no text"},
	{"<speak><prosody>a</prosody></speak>", 1, 8,
	 "expected rate, pitch or volume"},
	{"<speak><prosody rate='10%'>a</prosody></speak>", 1, 23,
	 "rate is from 20% to 200%"},
	{"<speak><prosody rate='+10%'>a</prosody></speak>", 1, 23,
	 "rate is x-slow, slow, medium, fast, x-fast, or like 80%"},
	{"<speak><prosody pitch='10%'>a</prosody></speak>", 1, 24,
	 "pitch is x-low, low, medium, high, x-high, or like +10%"},
	{"<speak><prosody pitch='+60%'>a</prosody></speak>", 1, 24,
	 "pitch is from -50% to +50%"},
	{"<speak><prosody volume='+9dB'>a</prosody></speak>", 1, 25,
	 "volume is from -40dB to +6dB"},
	{"<speak><prosody volume='11'>a</prosody></speak>", 1, 25,
	 "volume is silent, x-soft, soft, medium, loud, x-loud, or "
	 "like -6dB"},
	{"<speak><say-as>1</say-as></speak>", 1, 8, "expected interpret-as"},
	{"<speak><say-as interpret-as='date'>1</say-as></speak>", 1, 30,
	 "interpret-as is characters, spell-out, digits, telephone or "
	 "cardinal"},
	{"<speak><say-as interpret-as='digits'> </say-as></speak>", 1, 8,
	 "<say-as> is empty"},
	{"<speak><say-as interpret-as='digits'><p>1</p></say-as>"
	 "</speak>",
	 1, 38, "does not go inside <say-as>"},
	{"<speak><sub>a</sub></speak>", 1, 8, "expected alias"},
	{"<speak><emphasis level='x'>a</emphasis></speak>", 1, 25,
	 "level is strong, moderate, none or reduced"},
	{"<speak><s>a<p>b</p></s></speak>", 1, 12, "does not go inside <s>"},
	{"<speak><speak>a</speak></speak>", 1, 8, "does not go inside <speak>"},
	{"<speak>a & b</speak>", 1, 10,
	 "a & that begins no entity; write &amp;"},
	{"<speak>&nbsp;</speak>", 1, 8, "no such entity: &nbsp;"},
	{"<speak>&#0;</speak>", 1, 8, "no such entity: &#0;"},
	{"<speak>&#xD800;</speak>", 1, 8, "no such entity: &#xD800;"},
	{"<speak>&#x110000;</speak>", 1, 8, "no such entity: &#x110000;"},
	{"<speak>1 < 2</speak>", 1, 10, "a < that begins no tag; write &lt;"},
	{"<speak><!-- a</speak>", 1, 8, "a comment that does not end"},
	{"<speak><!", 1, 8, "declarations and CDATA are not understood"},
	{"<speak><![CDATA[x]]></speak>", 1, 8,
	 "declarations and CDATA are not understood"},
	{"<speak><?php ?></speak>", 1, 8,
	 "processing instructions are not understood"},
	{"<?xml version='1.0'", 1, 1, "<?xml that does not end"},
	{"<speak><break time=1s/></speak>", 1, 20, "expected a quoted value"},
	{"<speak><break time/></speak>", 1, 19,
	 "expected =\"...\" behind time"},
	{"<speak><break time='1s", 1, 21, "a value that does not end"},
	{"<speak><break time='<'/></speak>", 1, 21, "a < in a value"},
	{"<speak><break time='1s'strength='none'/></speak>", 1, 24,
	 "expected a blank"},
	{"<speak><break /", 1, 16, "expected >"},
	{"<speak><break ", 1, 15, "a tag that does not end"},
	{"<speak></speak", 1, 15, "expected >"},
	{"<speak version='2'/>", 1, 17, "version is 1.0 or 1.1"},
	{"<speak xml:lang='de'/>", 1, 18,
	 "xml:lang is not the language of this call"},
	{"<speak>\001</speak>", 1, 8, "a control character"},
	{"<speak>\377</speak>", 1, 1, "is not UTF-8"},
};

TEST(mistakes_are_shown_where_they_are)
{
	for (size_t i = 0; i < COUNT_OF(mistakes); i++) {
		AUTO(utterance) *u = utterance_new("en");
		struct diag d = {0};
		int err = utterance_ssml(u, span_of(mistakes[i].doc), true, &d);

		if (err != -EINVAL)
			fail_msg("%s: %d", mistakes[i].doc, err);
		assert_string_equal(d.message, mistakes[i].why);
		if (d.line != mistakes[i].line ||
		    d.column != mistakes[i].column)
			fail_msg("%s: %d:%d", mistakes[i].doc, d.line,
				 d.column);
		assert_int_equal(u->count, 0);
	}
}

TEST(depth_and_size_have_limits)
{
	AUTO(utterance) *u = utterance_new("en");
	AUTO_BUF(doc, 8000);
	struct diag d = {0};

	buf_str(&doc, "<speak>");
	for (int i = 0; i < 16; i++)
		buf_str(&doc, "<emphasis>");
	assert_int_equal(utterance_ssml(u, buf_view(&doc), true, &d), -EINVAL);
	assert_string_equal(d.message, "nested too deeply");

	buf_reset(&doc);
	buf_str(&doc, "<speak>");
	for (int i = 0; i <= SPEECH_PIECES_MAX; i++)
		buf_str(&doc, "<break/>");
	assert_int_equal(utterance_ssml(u, buf_view(&doc), true, &d), -EINVAL);
	assert_string_equal(d.message, "too many pieces");

	buf_reset(&doc);
	for (int i = 0; i <= SPEECH_TEXT_MAX; i++)
		buf_byte(&doc, ' ');
	assert_int_equal(utterance_ssml(u, buf_view(&doc), true, &d), -E2BIG);
	assert_int_equal(u->count, 0);
}

TEST(a_check_counts_what_would_be_spoken)
{
	unsigned characters = 0;
	struct diag d = {0};

	assert_int_equal(
		speech_check_ssml(
			span_of("<speak>Né <break/><say-as "
				"interpret-as='digits'>12</say-as></speak>"),
			&characters, &d),
		0);
	assert_int_equal(characters, 4);
	assert_int_equal(speech_check_ssml(span_of("<speak>"), &characters, &d),
			 -EINVAL);
	assert_int_equal(characters, 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(text_is_one_piece_with_single_blanks),
		cmocka_unit_test(entities_and_comments_are_resolved),
		cmocka_unit_test(breaks_are_pauses),
		cmocka_unit_test(digits_that_are_said_one_by_one_are_clips),
		cmocka_unit_test(
			other_things_that_are_said_one_by_one_are_spelled),
		cmocka_unit_test(substitutes_are_said_instead),
		cmocka_unit_test(a_style_ends_with_its_element),
		cmocka_unit_test(paragraphs_and_sentences_are_pieces),
		cmocka_unit_test(
			a_prolog_and_attributes_of_speak_are_understood),
		cmocka_unit_test(mistakes_are_shown_where_they_are),
		cmocka_unit_test(depth_and_size_have_limits),
		cmocka_unit_test(a_check_counts_what_would_be_spoken),
	};

	return cmocka_run_group_tests_name("speech/ssml", tests, NULL, NULL);
}
