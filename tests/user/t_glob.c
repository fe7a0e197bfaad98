/* SPDX-License-Identifier: MIT */
/* glob: what matches, in which order, and what is said when nothing does. */
#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "guest.h"

static char folder[] = "/tmp/globXXXXXX";

static void make_tree(void)
{
	static const char *const files[] = {"a.c", "b.c",     "c.h",  ".hidden",
					    "d*",  "sub/x.c", "sub/y"};

	strcpy(folder, "/tmp/globXXXXXX");
	REQUIRE(mkdtemp(folder) != NULL);
	REQUIRE_EQ(chdir(folder), 0);
	REQUIRE_EQ(mkdir("sub", 0755), 0);
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		int fd = open(files[i], O_CREAT | O_WRONLY, 0644);

		REQUIRE(fd >= 0);
		close(fd);
	}
}

static void remove_tree(void)
{
	char command[64];

	CHECK_EQ(chdir("/"), 0);
	snprintf(command, sizeof(command), "rm -r %s", folder);
	CHECK_EQ(system(command), 0);
}

/* What was found, with spaces between. */
static const char *found(const char *pattern, int flags)
{
	static char text[256];
	glob_t g = {0};
	int err = glob(pattern, flags, NULL, &g);

	snprintf(text, sizeof(text), "%s", err == GLOB_NOMATCH ? "none" : err ? "error" : "");
	for (size_t i = 0; !err && i < g.gl_pathc; i++) {
		if (i)
			strcat(text, " ");
		strcat(text, g.gl_pathv[i]);
	}
	if (!err)
		CHECK(g.gl_pathv[g.gl_pathc] == NULL);
	globfree(&g);
	return text;
}

TEST(patterns_match_names)
{
	make_tree();
	CHECK_STR(found("*.c", 0), "a.c b.c");
	CHECK_STR(found("[!a].?", 0), "b.c c.h");
	CHECK_STR(found("*", 0), "a.c b.c c.h d* sub");
	CHECK_STR(found(".h*", 0), ".hidden");
	CHECK_STR(found("*/*", 0), "sub/x.c sub/y");
	CHECK_STR(found("s*/x.c", 0), "sub/x.c");
	CHECK_STR(found("sub/", 0), "sub/");
	CHECK_STR(found("d\\*", 0), "d*");
	CHECK_STR(found("a.c/*", 0), "none");
	CHECK_STR(found("a.c", 0), "a.c");
	remove_tree();
}

TEST(flags_and_what_is_said_without_a_match)
{
	make_tree();
	CHECK_STR(found("*.z", 0), "none");
	CHECK_STR(found("z", 0), "none");
	CHECK_STR(found("*.z", GLOB_NOCHECK), "*.z");
	CHECK_STR(found("*b", GLOB_MARK), "sub/");
	CHECK_STR(found("d\\*", GLOB_NOESCAPE), "none");
	CHECK_STR(found("", 0), "none");
	remove_tree();
}

TEST(results_are_appended_behind_the_offset)
{
	glob_t g = {.gl_offs = 2};

	make_tree();
	REQUIRE_EQ(glob("*.h", GLOB_DOOFFS, NULL, &g), 0);
	REQUIRE_EQ(glob("*.c", GLOB_DOOFFS | GLOB_APPEND, NULL, &g), 0);
	REQUIRE_EQ(g.gl_pathc, 3);
	CHECK(g.gl_pathv[0] == NULL && g.gl_pathv[1] == NULL && g.gl_pathv[5] == NULL);
	CHECK_STR(g.gl_pathv[2], "c.h");
	CHECK_STR(g.gl_pathv[3], "a.c");
	CHECK_STR(g.gl_pathv[4], "b.c");
	globfree(&g);
	remove_tree();
}
