/* SPDX-License-Identifier: MIT */
/*
 * Words of the kernel's command line.
 * SOURCES: kernel/bootarg.c
 */
#include "test.h"

#include <bootarg.h>
#include <machine.h>

struct boot_info boot_info;

TEST(finds_a_word_and_its_value)
{
	char buf[16];

	CHECK_STR(bootarg_find("quiet loglevel=7 root=ram0", "loglevel", buf, sizeof(buf)), "7");
	CHECK_STR(bootarg_find("quiet loglevel=7", "quiet", buf, sizeof(buf)), "");
	CHECK(bootarg_find("quieter", "quiet", buf, sizeof(buf)) == 0);
	CHECK(bootarg_find("", "quiet", buf, sizeof(buf)) == 0);
}

TEST(the_last_one_counts)
{
	char buf[16];

	CHECK_STR(bootarg_find("a=1 b=2 a=3", "a", buf, sizeof(buf)), "3");
}

TEST(words_behind_two_dashes_are_for_init)
{
	char buf[16];

	CHECK(bootarg_find("a=1 -- exec", "exec", buf, sizeof(buf)) == 0);
	CHECK(bootarg_find("-- exec", "exec", buf, sizeof(buf)) == 0);
	CHECK_STR(bootarg_find("--x=1 a", "a", buf, sizeof(buf)), "");
}

TEST(long_values_are_cut)
{
	char buf[4];

	CHECK_STR(bootarg_find("name=abcdef", "name", buf, sizeof(buf)), "abc");
}

TEST(init_gets_what_stands_behind_two_dashes)
{
	char buf[64], *argv[4];

	boot_info.cmdline = "quiet a=-- -- exec  now";
	REQUIRE_EQ(boot_init_args(buf, sizeof(buf), argv, 4), 2);
	CHECK_STR(argv[0], "exec");
	CHECK_STR(argv[1], "now");
	boot_info.cmdline = "quiet";
	CHECK_EQ(boot_init_args(buf, sizeof(buf), argv, 4), 0);
	boot_info.cmdline = "-- 1 2 3 4 5";
	CHECK_EQ(boot_init_args(buf, sizeof(buf), argv, 4), 4);
	CHECK_EQ(boot_init_args(buf, 4, argv, 4), 2);
}

TEST(flags_can_be_switched_off)
{
	boot_info.cmdline = "a b=1 c=0 d=no e=off";
	CHECK(boot_flag("a"));
	CHECK(boot_flag("b"));
	CHECK(!boot_flag("c"));
	CHECK(!boot_flag("d"));
	CHECK(!boot_flag("e"));
	CHECK(!boot_flag("f"));
}
