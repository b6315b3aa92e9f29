// SPDX-License-Identifier: Apache-2.0
/*
 * twilio_amount.c - amounts as people write them.
 *
 * Its clients send one text with the currency somewhere in it; the code is
 * bound to an amount and a currency, which have to be the same whoever writes
 * them, so they are taken apart here.
 */
#include "api/twilio.h"

#include <stdio.h>
#include <string.h>

enum { CURRENCY_LETTERS = 3 };

/* The longer ones first: "R$" is no dollar. */
static const struct {
	const char *sign, *currency;
} signs[] = {
	{"R$", "BRL"}, {"zł", "PLN"},  {"Kč", "CZK"}, {"€", "EUR"},
	{"$", "USD"},  {"£", "GBP"},   {"¥", "JPY"},  {"₹", "INR"},
	{"₺", "TRY"},  {"₽", "RUB"}, {"₩", "KRW"},  {"₴", "UAH"},
};

static bool is_letters(struct span s)
{
	if (s.n < CURRENCY_LETTERS)
		return false;
	for (size_t i = 0; i < CURRENCY_LETTERS; i++)
		if (s.p[i] < 'A' || s.p[i] > 'Z')
			return false;
	return true;
}

/* Take what names a currency from the front. */
static bool take_front(struct span *s, char out[CURRENCY_LETTERS + 1])
{
	const char *name = is_letters(*s) ? s->p : NULL;
	size_t n = CURRENCY_LETTERS;

	for (size_t i = 0; i < COUNT_OF(signs) && !name; i++)
		if (span_starts(*s, signs[i].sign)) {
			name = signs[i].currency;
			n = strlen(signs[i].sign);
		}
	if (!name)
		return false;
	memcpy(out, name, CURRENCY_LETTERS);
	out[CURRENCY_LETTERS] = '\0';
	*s = span_trim(span_make(s->p + n, s->n - n));
	return true;
}

static bool is_figure(char c)
{
	return (c >= '0' && c <= '9') || c == '.';
}

/* ... or from the end, where nothing else may be. */
static bool take_end(struct span *s, char out[CURRENCY_LETTERS + 1])
{
	size_t n = 0;
	struct span end;

	while (n < s->n && is_figure(s->p[n]))
		n++;
	end = span_trim(span_make(s->p + n, s->n - n));
	s->n = n;
	return end.n == 0 || (take_front(&end, out) && end.n == 0);
}

bool twilio_amount_read(struct span text,
			char amount[VERIFICATION_AMOUNT_BYTES],
			char currency[4])
{
	struct span s = span_trim(text);
	char name[CURRENCY_LETTERS + 1] = "";
	int64_t micro;

	if (!take_front(&s, name) && !take_end(&s, name))
		return false;
	if (s.n >= VERIFICATION_AMOUNT_BYTES || prices_amount(s, &micro) != 0)
		return false;
	(void)snprintf(amount, VERIFICATION_AMOUNT_BYTES, "%.*s", (int)s.n,
		       s.p);
	memcpy(currency, name, sizeof(name));
	return true;
}

void twilio_amount_write(const char *amount, const char *currency,
			 char out[TWILIO_AMOUNT_BYTES])
{
	const char *sign = NULL;

	for (size_t i = 0; i < COUNT_OF(signs) && !sign; i++)
		if (strcmp(signs[i].currency, currency) == 0)
			sign = signs[i].sign;
	if (sign)
		(void)snprintf(out, TWILIO_AMOUNT_BYTES, "%s%s", sign, amount);
	else
		(void)snprintf(out, TWILIO_AMOUNT_BYTES, "%s%s%s", amount,
			       *currency ? " " : "", currency);
}
