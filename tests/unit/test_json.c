/* SPDX-License-Identifier: MIT */
/*
 * Strings as JSON.
 * SOURCES: user/lib/json.c
 */
#include "test.h"

#include "../../user/lib/json.h"

static const char *json(const char *s)
{
	static char buf[80];

	size_t n = json_string(s, buf, sizeof(buf));

	CHECK_EQ(n, __builtin_strlen(buf));
	return buf;
}

TEST(plain_text_stays)
{
	CHECK_STR(json(""), "\"\"");
	CHECK_STR(json("mmu_update"), "\"mmu_update\"");
	CHECK_STR(json("a b~/'"), "\"a b~/'\"");
}

TEST(what_would_end_the_string_is_escaped)
{
	CHECK_STR(json("a\"b"), "\"a\\\"b\"");
	CHECK_STR(json("\\"), "\"\\\\\"");
	CHECK_STR(json("\n\t\x1b"), "\"\\u000a\\u0009\\u001b\"");
	CHECK_STR(json("\x7f\xc3\xff"), "\"\\u007f\\u00c3\\u00ff\"");
}

TEST(a_cut_leaves_a_whole_string)
{
	char small[8];

	CHECK_EQ(json_string("abcdefgh", small, sizeof(small)), 7);
	CHECK_STR(small, "\"abcde\"");
	CHECK_EQ(json_string("abc\n", small, sizeof(small)), 5);
	CHECK_STR(small, "\"abc\"");
	CHECK_EQ(json_string("abcd\"", small, sizeof(small)), 6);
	CHECK_STR(small, "\"abcd\"");
	CHECK_EQ(json_string("x", small, 3), 2);
	CHECK_STR(small, "\"\"");
}
