// SPDX-License-Identifier: Apache-2.0
/*
 * number_lib.cc - the only place where C++ is spoken: libphonenumber, in C.
 *
 * Nothing is thrown over the border, and the library's logger is put out: it
 * would print whole numbers to stderr (F1).
 */
#include <phonenumbers/logger.h>
#include <phonenumbers/phonenumberutil.h>

#include <cstring>
#include <string>

extern "C" {
#include "core/number_priv.h"
}

namespace
{

using i18n::phonenumbers::NullLogger;
using i18n::phonenumbers::PhoneNumber;
using i18n::phonenumbers::PhoneNumberUtil;
using Util = PhoneNumberUtil;

PhoneNumberUtil *open_util()
{
	PhoneNumberUtil *util = PhoneNumberUtil::GetInstance();

	util->SetLogger(new NullLogger()); /* the library owns it */
	return util;
}

const PhoneNumberUtil *the_util()
{
	static PhoneNumberUtil *const util = open_util();

	return util;
}

number_type type_of(Util::PhoneNumberType t)
{
	switch (t) {
	case Util::FIXED_LINE:
		return NUMBER_FIXED;
	case Util::MOBILE:
		return NUMBER_MOBILE;
	case Util::FIXED_LINE_OR_MOBILE:
		return NUMBER_FIXED_OR_MOBILE;
	case Util::TOLL_FREE:
		return NUMBER_TOLL_FREE;
	case Util::PREMIUM_RATE:
		return NUMBER_PREMIUM;
	case Util::SHARED_COST:
		return NUMBER_SHARED_COST;
	case Util::VOIP:
		return NUMBER_VOIP;
	case Util::PERSONAL_NUMBER:
		return NUMBER_PERSONAL;
	case Util::PAGER:
		return NUMBER_PAGER;
	case Util::UAN:
		return NUMBER_UAN;
	case Util::VOICEMAIL:
		return NUMBER_VOICEMAIL;
	case Util::UNKNOWN:
		break;
	}
	return NUMBER_UNKNOWN;
}

number_lib_verdict length_of(const PhoneNumberUtil *util, const PhoneNumber &n)
{
	switch (util->IsPossibleNumberWithReason(n)) {
	case Util::IS_POSSIBLE:
		return NUMBER_LIB_OK;
	case Util::IS_POSSIBLE_LOCAL_ONLY:
	case Util::TOO_SHORT:
		return NUMBER_LIB_SHORT;
	case Util::INVALID_COUNTRY_CODE:
		return NUMBER_LIB_NO_COUNTRY;
	case Util::TOO_LONG:
		return NUMBER_LIB_LONG;
	case Util::INVALID_LENGTH:
		break;
	}
	return NUMBER_LIB_BAD;
}

number_lib_verdict parse(const PhoneNumberUtil *util, const char *e164,
			 PhoneNumber *n)
{
	switch (util->Parse(e164, "ZZ", n)) {
	case Util::NO_PARSING_ERROR:
		return length_of(util, *n);
	case Util::INVALID_COUNTRY_CODE_ERROR:
		return NUMBER_LIB_NO_COUNTRY;
	case Util::TOO_SHORT_AFTER_IDD:
	case Util::TOO_SHORT_NSN:
		return NUMBER_LIB_SHORT;
	case Util::TOO_LONG_NSN:
		return NUMBER_LIB_LONG;
	case Util::NOT_A_NUMBER:
		break;
	}
	return NUMBER_LIB_BAD;
}

/*
 * No plan knows the number: whose is its country code?  1 and 7 belong to
 * several countries and prove nothing; others are shared with dependent
 * territories at most, whose plans are part of the owner's.
 */
std::string owner_of(const PhoneNumberUtil *util, int country_code)
{
	std::string region = "ZZ";

	if (country_code != 1 && country_code != 7)
		util->GetRegionCodeForCountryCode(country_code, &region);
	return region;
}

template <size_t size> bool copy(const std::string &from, char (&to)[size])
{
	if (from.size() >= size)
		return false;
	std::memcpy(to, from.c_str(), from.size() + 1);
	return true;
}

number_lib_verdict ask(const char *e164, number_lib_answer *out)
{
	const PhoneNumberUtil *util = the_util();
	std::string text, region;
	PhoneNumber n;
	number_lib_verdict verdict = parse(util, e164, &n);

	if (verdict != NUMBER_LIB_OK)
		return verdict;
	util->Format(n, Util::E164, &text);
	util->GetRegionCodeForNumber(n, &region);
	if (region == "ZZ")
		region = owner_of(util, n.country_code());
	if (!copy(text, out->e164) || !copy(region, out->region))
		return NUMBER_LIB_LONG;
	out->country_code = (unsigned)n.country_code();
	out->type = type_of(util->GetNumberType(n));
	/* what IsValidNumber() would find out again, for 13 us more */
	out->valid = out->type != NUMBER_UNKNOWN;
	return NUMBER_LIB_OK;
}

} // namespace

number_lib_verdict number_lib_ask(const char *e164, number_lib_answer *out)
{
	try {
		return ask(e164, out);
	} catch (...) {
		return NUMBER_LIB_BAD; /* no memory: nothing is called */
	}
}
