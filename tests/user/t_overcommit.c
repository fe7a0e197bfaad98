/* SPDX-License-Identifier: MIT */
/*
 * Memory that is promised, and what becomes of the promise: docs/memory.md has the policy. And
 * limits of files in memory.
 */
#include "guest.h"

#if defined(__parvix__)
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/statvfs.h>

#define RW (PROT_READ | PROT_WRITE)
#define ANON (MAP_PRIVATE | MAP_ANONYMOUS)

static long all_pages(void)
{
	struct sysinfo info;

	return sysinfo(&info) < 0 ? 0 : (long)info.pages_total;
}

static char *reserve(long pages, int prot)
{
	return mmap(NULL, (size_t)pages * PAGE, prot, ANON, -1, 0);
}

static void touch(char *p, long pages)
{
	for (long i = 0; i < pages; i++)
		p[i * PAGE] = 1;
}

TEST(reservations)
{
	long total = all_pages();
	char *p[5];

	REQUIRE(total > 0);
	CHECK(reserve(total + 1, RW) == MAP_FAILED);
	CHECK_EQ(errno, ENOMEM);
	p[0] = reserve(1 << 24, PROT_NONE); /* 64 GiB of addresses: no memory is promised */
	CHECK(p[0] != MAP_FAILED);
	munmap(p[0], (size_t)1 << 36);
	for (int i = 0; i < 5; i++) {
		p[i] = reserve(total / 4 * 3, RW);
		CHECK(p[i] != MAP_FAILED);
		p[i][0] = 1;
	}
	for (int i = 0; i < 5; i++)
		munmap(p[i], (size_t)(total / 4 * 3) * PAGE);
	CHECK_ERRNO((long)sbrk((long)(total + 1) * PAGE), ENOMEM);
}

TEST(fork_of_a_large_process)
{
	long before = free_pages(), size = before * 6 / 10;

	/* Three of them would have far more than there is, if they used it. */
	CHECK_EXIT(CHILD_STATUS({
			   char *p = reserve(size, RW);
			   pid_t pids[3];

			   CHILD_CHECK(p != MAP_FAILED);
			   touch(p, size);
			   for (int i = 0; i < 3; i++) {
				   pids[i] = fork();
				   if (pids[i] == 0) {
					   touch(p, 100);
					   _exit(p[(size - 1) * PAGE] - 1);
				   }
				   CHILD_CHECK(pids[i] > 0);
			   }
			   for (int i = 0; i < 3; i++)
				   CHILD_CHECK(wait_status(pids[i]) == 0);
		   }),
		   0);
	for (int i = 0; i < 40 && before - free_pages() > 16; i++)
		sleep_ms(50);
	CHECK(before - free_pages() <= 16);
}

TEST(the_largest_is_the_victim)
{
	long before = free_pages(), large = before * 55 / 100, small = before / 2;
	pid_t first, second;
	int ready[2];
	char c;

	REQUIRE_EQ(pipe(ready), 0);
	first = START({
		char *p = reserve(large, RW);

		CHILD_CHECK(p != MAP_FAILED);
		touch(p, large);
		CHILD_CHECK(write(ready[1], "x", 1) == 1);
		for (;;)
			pause();
	});
	REQUIRE_EQ(read(ready[0], &c, 1), 1);
	second = START({
		char *p = reserve(small, RW);

		CHILD_CHECK(p != MAP_FAILED);
		touch(p, small);
	});
	CHECK_EXIT(wait_status(second), 0);
	CHECK_KILLED(wait_status(first), SIGKILL);
	close(ready[0]);
	close(ready[1]);
	for (int i = 0; i < 40 && before - free_pages() > 16; i++)
		sleep_ms(50);
	CHECK(before - free_pages() <= 16);
}

TEST(files_in_memory_have_limits)
{
	long before = free_pages();
	char buf[PAGE], name[16];
	struct statvfs st;
	long n = 0;
	int fd;

	REQUIRE(enter_scratch("/tmp"));
	REQUIRE_EQ(mkdir("m", 0755), 0);
	REQUIRE_EQ(mount("none", "m", "tmpfs", 0, "size=256k,nr_inodes=20"), 0);
	REQUIRE_EQ(chdir("m"), 0);
	REQUIRE_EQ(statvfs(".", &st), 0);
	CHECK_EQ(st.f_blocks * st.f_frsize, 256 * 1024);
	CHECK_EQ(st.f_files, 20);
	fd = open("f", O_RDWR | O_CREAT, 0600);
	memset(buf, 1, PAGE);
	while (write(fd, buf, PAGE) == PAGE)
		n++;
	CHECK_EQ(errno, ENOSPC);
	CHECK_EQ(n, 64);
	/* A mapping of a hole finds no room either, and says so the only way it can. */
	CHECK_EQ(ftruncate(fd, 80 * PAGE), 0);
	CHECK_KILLED(CHILD_STATUS({
			     char *p = mmap(NULL, 80 * PAGE, RW, MAP_SHARED, fd, 0);

			     CHILD_CHECK(p != MAP_FAILED);
			     p[70 * PAGE] = 1;
		     }),
		     SIGBUS);
	CHECK_EQ(ftruncate(fd, 0), 0);
	CHECK_EQ(pwrite(fd, buf, PAGE, 1 << 30), PAGE); /* holes cost nothing */
	close(fd);
	for (n = 1; n < 100; n++) {
		snprintf(name, sizeof(name), "%ld", n);
		fd = open(name, O_WRONLY | O_CREAT | O_EXCL, 0600);
		if (fd < 0)
			break;
		close(fd);
	}
	CHECK_EQ(errno, ENOSPC);
	CHECK_EQ(n, 19); /* with the directory itself 20 */
	CHECK_EQ(unlink("1"), 0);
	CHECK_EQ(mkdir("1", 0700), 0);
	REQUIRE_EQ(chdir(".."), 0);
	CHECK_EQ(umount("m"), 0);
	CHECK_ERRNO(mount("none", "m", "tmpfs", 0, "nr_inodes=x"), EINVAL);
	leave_scratch("/tmp");
	CHECK(before - free_pages() <= 16);
}
#else
TEST(linux_has_its_own_policy)
{
}
#endif
