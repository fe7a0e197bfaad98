/* SPDX-License-Identifier: MIT */
/*
 * Names of /xen/store: which part is the node's, which are refused, paths from them.
 *
 * SOURCES: drivers/pvfront/storefs/names.c lib/string.c
 */
#include "test.h"

#include "../../drivers/pvfront/storefs/names.h"

#include <string.h>

static int split(const char *name, size_t *len)
{
	*len = strlen(name);
	return store_split(name, len);
}

TEST(endings_say_what_is_wanted)
{
	static const struct {
		const char *name;
		int kind;
		size_t len;
	} cases[] = {
		{"state", STORE_NODE, 5},     {"state.value", STORE_VALUE, 5},
		{".value", STORE_VALUE, 0},   {"a.perms", STORE_PERMS, 1},
		{".watch", STORE_WATCH, 0},   {"x.watch", STORE_WATCH, 1},
		{"x.dir", STORE_DIR, 1},      {".self", STORE_SELF, 5},
		{"value", STORE_NODE, 5},     {"x.self", -ENOENT, 0},
		{"x.values", -ENOENT, 0},     {"x.value.value", -ENOENT, 0},
		{"a.b", -ENOENT, 0},          {".", -ENOENT, 0},
		{"x.", -ENOENT, 0},           {"..value", -ENOENT, 0},
		{".value.watch", -ENOENT, 0},
	};

	for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
		size_t len;

		CHECK_EQ(split(cases[i].name, &len), cases[i].kind);
		if (cases[i].kind >= 0)
			CHECK_EQ(len, cases[i].len);
	}
}

TEST(names_of_nodes)
{
	CHECK(store_name_valid("device-misc_1@X", 15));
	CHECK(!store_name_valid("", 0));
	for (int c = 0; c < 256; c++) {
		char name = (char)c;
		bool good = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
			    (c >= 'A' && c <= 'Z') || c == '-' || c == '_' || c == '@';

		CHECK_EQ(store_name_valid(&name, 1), good);
	}
}

TEST(paths_up_and_down)
{
	static char buf[STORE_PATH_MAX + 1], long_path[STORE_PATH_MAX + 1];

	CHECK_EQ(store_join(buf, "/", "local", 5), 0);
	CHECK_STR(buf, "/local");
	CHECK_EQ(store_join(buf, "/local", "domain.value", 6), 0);
	CHECK_STR(buf, "/local/domain");
	CHECK_EQ(store_join(buf, "/", "x", 0), 0);
	CHECK_STR(buf, "/");
	CHECK_EQ(store_join(buf, "/a/b", NULL, 0), 0);
	CHECK_STR(buf, "/a/b");
	CHECK_EQ(store_parent("/a/b"), 2);
	CHECK_EQ(store_parent("/a"), 1);
	CHECK_EQ(store_parent("/"), 1);

	/* The longest path there may be, and one byte more. */
	memset(long_path, 'a', sizeof(long_path) - 1);
	long_path[0] = '/';
	long_path[STORE_PATH_MAX - 4] = 0;
	CHECK_EQ(store_join(buf, long_path, "xyz", 3), 0);
	CHECK_EQ(strlen(buf), STORE_PATH_MAX);
	CHECK_EQ(store_join(buf, long_path, "xyzz", 4), -ENAMETOOLONG);
}

TEST(numbers_leave_room_for_the_kind)
{
	CHECK_EQ(store_ino("/a") & 7, 0);
	CHECK(store_ino("/a") != store_ino("/b"));
	CHECK(store_ino("/ab") != store_ino("/ba"));
	CHECK(STORE_SELF < 8);
}
