/* SPDX-License-Identifier: MIT */
/* Walks over trees (ftw, nftw) and linear searches. */
#include "guest.h"

#include <ftw.h>
#include <search.h>

static char seen[512];
static int stop_at;

static int each(const char *path, const struct stat *st, int type, struct FTW *where)
{
	static const char letters[] = {
		[FTW_F] = 'f',  [FTW_D] = 'd',  [FTW_DNR] = 'x', [FTW_NS] = '?',
		[FTW_SL] = 'l', [FTW_DP] = 'p', [FTW_SLN] = 'n'};

	(void)st;
	sprintf(seen + strlen(seen), "%c%d%s ", letters[type], where->level, path + where->base);
	return stop_at && --stop_at == 0 ? 42 : 0;
}

static int each_plain(const char *path, const struct stat *st, int type)
{
	(void)path;
	seen[type == FTW_D ? 0 : type == FTW_F ? 1 : 2]++;
	return S_ISDIR(st->st_mode) && type != FTW_D ? 7 : 0;
}

static const char *walked(int limit, int flags)
{
	seen[0] = 0;
	CHECK_EQ(nftw("top", each, limit, flags), 0);
	return seen;
}

TEST(trees)
{
	REQUIRE(enter_scratch("/tmp"));
	CHECK_EQ(mkdir("top", 0755), 0);
	CHECK_EQ(mkdir("top/d", 0755), 0);
	CHECK_EQ(mkdir("top/d/e", 0755), 0);
	CHECK(make_file("top/d/e/f", "", 0));
	CHECK_STR(walked(8, FTW_PHYS), "d0top d1d d2e f3f ");
	CHECK_STR(walked(1, FTW_PHYS), "d0top d1d d2e f3f ");
	CHECK_STR(walked(8, FTW_PHYS | FTW_DEPTH), "f3f p2e p1d p0top ");
	CHECK_STR(walked(1, FTW_DEPTH | FTW_MOUNT), "f3f p2e p1d p0top ");
	stop_at = 2;
	seen[0] = 0;
	CHECK_EQ(nftw("top/", each, 8, 0), 42);
	CHECK_STR(seen, "d0top d1d ");
	stop_at = 0;
	CHECK_EQ(unlink("top/d/e/f"), 0);
	CHECK_EQ(symlink("absent", "top/d/e/n"), 0);
	CHECK_STR(walked(8, 0), "d0top d1d d2e n3n ");
	CHECK_STR(walked(8, FTW_PHYS), "d0top d1d d2e l3n ");
	CHECK_EQ(unlink("top/d/e/n"), 0);
	CHECK_EQ(symlink("../../d", "top/d/e/up"), 0); /* no descent without end */
	CHECK_STR(walked(8, 0), "d0top d1d d2e ");
	CHECK_EQ(unlink("top/d/e/up"), 0);
	for (int i = 0; i < 20; i++) {
		char name[32];

		sprintf(name, "top/d/e/%d", i);
		CHECK(make_file(name, "", 0));
	}
	memset(seen, 0, sizeof(seen));
	CHECK_EQ(ftw("top", each_plain, 1), 0);
	CHECK_EQ(seen[0], 3);
	CHECK_EQ(seen[1], 20);
	CHECK_EQ(seen[2], 0);
	CHECK_ERRNO(nftw("absent", each, 8, 0), ENOENT);
	CHECK_ERRNO(nftw("", each, 8, 0), ENOENT);
	leave_scratch("/tmp");
}

static int same(const void *a, const void *b)
{
	return *(const int *)a != *(const int *)b;
}

TEST(searches)
{
	struct node {
		struct node *next, *prev;
	} a, b, c;
	int table[4] = {3, 1}, key = 1;
	size_t n = 2;

	CHECK(lfind(&key, table, &n, sizeof(int), same) == table + 1);
	key = 9;
	CHECK(lfind(&key, table, &n, sizeof(int), same) == NULL);
	CHECK(lsearch(&key, table, &n, sizeof(int), same) == table + 2);
	CHECK_EQ(n, 3);
	CHECK_EQ(table[2], 9);
	CHECK(lsearch(&key, table, &n, sizeof(int), same) == table + 2);
	CHECK_EQ(n, 3);
	insque(&a, NULL);
	insque(&c, &a);
	insque(&b, &a);
	CHECK(a.next == &b && b.next == &c && c.next == NULL);
	CHECK(c.prev == &b && b.prev == &a && a.prev == NULL);
	remque(&b);
	CHECK(a.next == &c && c.prev == &a);
}
