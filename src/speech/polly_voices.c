// SPDX-License-Identifier: Apache-2.0
/*
 * polly_voices.c - what languages the voices of Amazon Polly speak.
 *
 * A voice that is not here may be used all the same: Amazon has more of them
 * every year.  It is taken to speak the language that it is asked in.
 */
#include <string.h>

#include "base/mem.h"
#include "speech/polly_priv.h"

/* One line a language; those of voices with two are in both. */
static const struct {
	const char *code, *names;
} languages[] = {
	{"arb", "Zeina"},
	{"ar-AE", "Hala Zayd"},
	{"ca-ES", "Arlet"},
	{"cmn-CN", "Zhiyu"},
	{"cs-CZ", "Jitka"},
	{"cy-GB", "Gwyneth"},
	{"da-DK", "Naja Mads Sofie"},
	{"de-AT", "Hannah"},
	{"de-CH", "Sabrina"},
	{"de-DE", "Vicki Marlene Hans Daniel"},
	{"en-AU", "Nicole Russell Olivia"},
	{"en-GB", "Amy Emma Brian Arthur"},
	{"en-GB-WLS", "Geraint"},
	{"en-IE", "Niamh"},
	{"en-IN", "Raveena Aditi Kajal"},
	{"en-NZ", "Aria"},
	{"en-US", "Joanna Salli Kendra Kimberly Ivy Matthew Justin Joey Kevin "
		  "Ruth Stephen Gregory Danielle"},
	{"en-ZA", "Ayanda"},
	{"es-ES", "Conchita Enrique Lucia Sergio"},
	{"es-MX", "Mia Andres"},
	{"es-US", "Penelope Miguel Lupe Pedro"},
	{"fi-FI", "Suvi"},
	{"fr-BE", "Isabelle"},
	{"fr-CA", "Chantal Gabrielle Liam"},
	{"fr-FR", "Lea Celine Mathieu Remi"},
	{"hi-IN", "Aditi Kajal"},
	{"is-IS", "Dora Karl"},
	{"it-IT", "Carla Giorgio Bianca Adriano"},
	{"ja-JP", "Mizuki Takumi Kazuha Tomoko"},
	{"ko-KR", "Seoyeon"},
	{"nb-NO", "Liv Ida"},
	{"nl-BE", "Lisa"},
	{"nl-NL", "Lotte Ruben Laura"},
	{"pl-PL", "Ewa Maja Jacek Jan Ola"},
	{"pt-BR", "Vitoria Ricardo Camila Thiago"},
	{"pt-PT", "Ines Cristiano"},
	{"ro-RO", "Carmen"},
	{"ru-RU", "Tatyana Maxim"},
	{"sv-SE", "Astrid Elin"},
	{"tr-TR", "Filiz Burcu"},
	{"yue-CN", "Hiujin"},
};

static bool is_among(const char *names, const char *name, size_t n)
{
	struct span rest = span_of(names), one;

	while (rest.n > 0 && span_cut(&rest, ' ', &one))
		if (one.n == n && memcmp(one.p, name, n) == 0)
			return true;
	return false;
}

const char *speech_polly_code(const char *name, size_t n, const char *wanted)
{
	const char *found = NULL;

	for (size_t i = 0; i < COUNT_OF(languages); i++) {
		const char *code = languages[i].code;

		if (!is_among(languages[i].names, name, n))
			continue;
		if (!found || strncmp(code, wanted, strcspn(code, "-")) == 0)
			found = code;
	}
	return found;
}
