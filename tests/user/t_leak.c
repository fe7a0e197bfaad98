/* SPDX-License-Identifier: MIT */
/*
 * Nothing is lost: the same mix of work again and again leaves as many free pages as before. The
 * first rounds fill caches; after that the figure must not sink.
 */
#include "guest.h"

#include <sys/mman.h>

#define WARM_UP 3
#define ROUNDS 6

static void processes(void)
{
	pid_t pids[8];

	for (int i = 0; i < 8; i++)
		pids[i] = START({
			static char area[20 * PAGE];

			memset(area, i, sizeof(area));
			if (i % 2)
				execl("/bin/true", "true", (char *)NULL);
			if (i % 4 == 0)
				*(volatile char *)area =
					*(volatile char *volatile)(unsigned long)(16 + i);
		});
	for (int i = 0; i < 8; i++)
		wait_status(pids[i]);
}

static void memory(void)
{
	CHECK_EXIT(CHILD_STATUS({
			   for (int i = 0; i < 20; i++) {
				   char *p = mmap(NULL, (size_t)(i + 1) * 3 * PAGE,
						  PROT_READ | PROT_WRITE,
						  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

				   CHILD_CHECK(p != MAP_FAILED);
				   memset(p, 1, (size_t)(i + 1) * 3 * PAGE);
				   if (i % 3)
					   munmap(p + PAGE, PAGE);
				   if (i % 5 == 0 && fork() == 0) {
					   p[0] = 2;
					   _exit(0);
				   }
			   }
		   }),
		   0); /* grandchildren are init's to bury */
}

static void pipes(void)
{
	CHECK_EXIT(CHILD_STATUS({
			   for (int i = 0; i < 20; i++) {
				   int fds[2];

				   CHILD_CHECK(pipe(fds) == 0);
				   CHILD_CHECK(write(fds[1], "left in the pipe", 16) == 16);
				   if (i % 2)
					   close(fds[0]);
			   }
		   }),
		   0);
}

static void files_in(const char *place)
{
	static char block[5000];
	char name[32];

	if (!enter_scratch(place))
		return;
	for (int i = 0; i < 30; i++) {
		snprintf(name, sizeof(name), "f%d", i);
		make_file(name, block, sizeof(block));
		if (i % 3 == 0)
			rename(name, "other");
		else if (i % 3 == 1)
			unlink(name);
		else
			link(name, "second");
	}
	mkdir("dir", 0755);
	symlink("a/rather/long/target/that/does/not/fit/into/an/inode/because/it/is/longer/than/"
		"sixty",
		"s");
	(void)!open("missing", O_RDONLY);
	leave_scratch(place);
	sync();
}

static void signals(void)
{
	pid_t pid = START(for (;;) pause());

	kill(pid, SIGSTOP);
	kill(pid, SIGTERM);
	kill(pid, SIGKILL);
	wait_status(pid);
}

static long settled_pages(void)
{
	long best = 0;

	/* What died last may still be on its way out. */
	for (int i = 0; i < 10; i++) {
		long now = free_pages();

		best = now > best ? now : best;
		sleep_ms(10);
	}
	return best;
}

TEST(pages_come_back)
{
	long first = 0, last = 0;

	for (int round = 0; round < WARM_UP + ROUNDS; round++) {
		processes();
		memory();
		pipes();
		files_in("/tmp");
		files_in("/var/tmp");
		signals();
		last = settled_pages();
		if (round == WARM_UP - 1)
			first = last;
	}
	/* A page lost in every round, even one, is a leak; a stray page or two in a cache is not.
	 */
	CHECK_THAT(first - last < ROUNDS, "%ld free pages at first, %ld after %d rounds", first,
		   last, ROUNDS);
}
