/* SPDX-License-Identifier: MIT */
/*
 * Exhaustion: processes, memory, descriptors, disk. Each ends in an error for whoever asked, or in
 * the death of a chosen process, and leaves everything as it was.
 */
#include "hostile.h"

#include <sys/resource.h>
#include <sys/statvfs.h>

static void check_given_back(long before, const char *what)
{
	long lost = 0;

	for (int i = 0; i < 40; i++) {
		lost = before - free_pages();
		if (lost <= 16)
			return;
		sleep_ms(50);
	}
	CHECK_THAT(lost <= 16, "after %s %ld pages are missing", what, lost);
}

/* Every process forks as long as it can. The shell of whoever watches is still there afterwards. */
TEST(fork_bomb)
{
	long before = free_pages();
	pid_t bomb;
	int status;

	fflush(stdout);
	bomb = fork();
	REQUIRE(bomb >= 0);
	if (bomb == 0) {
		setpgid(0, 0);
		alarm(20);
		for (;;)
			if (fork() < 0)
				pause();
	}
	setpgid(bomb, bomb);
	sleep_ms(1500);
	CHECK_EQ(kill(-bomb, SIGKILL), 0);
	/* Some may have been on their way into being. */
	for (int i = 0; i < 50 && kill(-bomb, SIGKILL) == 0; i++)
		sleep_ms(20);
	CHECK_EQ(waitpid(bomb, &status, 0), bomb);
	CHECK_EXIT(CHILD_STATUS(_exit(3)), 3);
	check_given_back(before, "a fork bomb");
}

TEST(all_memory_asked_for_and_touched)
{
	long before = free_pages();
	int status = CHILD_STATUS({
		for (long n = 0;; n++) {
			char *p = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE,
				       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

			if (p == MAP_FAILED)
				_exit(errno == ENOMEM ? 42 : 43);
			for (int i = 0; i < 1 << 20; i += PAGE)
				p[i] = 1;
		}
	});

	CHECK_THAT((WIFEXITED(status) && WEXITSTATUS(status) == 42) ||
			   (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL),
		   "%s", status_text(status));
	check_given_back(before, "taking all memory");
}

TEST(many_processes_fight_for_memory)
{
	long before = free_pages();
	pid_t pids[8];
	int status;

	for (size_t i = 0; i < ARRAY_LEN(pids); i++)
		pids[i] = START({
			for (int n = 0; n < 200; n++) {
				char *p = sbrk(1 << 20);

				if (p == (void *)-1)
					_exit(0);
				memset(p, 1, 1 << 20);
			}
		});
	for (size_t i = 0; i < ARRAY_LEN(pids); i++) {
		CHECK_EQ(waitpid(pids[i], &status, 0), pids[i]);
		CHECK_THAT(WIFEXITED(status) || WTERMSIG(status) == SIGKILL, "%s",
			   status_text(status));
	}
	check_given_back(before, "a fight for memory");
}

TEST(endless_recursion)
{
	long before = free_pages();
	int status = CHILD_STATUS({
		/* Down through the stack, as a recursion would go. */
		__asm__ volatile("1: push %%rax; jmp 1b" ::: "memory");
	});

	CHECK_KILLED(status, SIGSEGV);
	check_given_back(before, "a recursion");
}

TEST(all_descriptors)
{
	long before = free_pages();

	CHECK_EXIT(CHILD_STATUS({
			   int n = 0;

			   while (open("/dev/null", O_RDONLY) >= 0)
				   n++;
			   CHILD_CHECK(errno == EMFILE);
			   CHILD_CHECK(n > 10);
			   int fds[2];
			   CHILD_CHECK(pipe(fds) == -1 && errno == EMFILE);
			   CHILD_CHECK(dup(0) == -1 && errno == EMFILE);
			   close(3);
			   CHILD_CHECK(open("/dev/null", O_RDONLY) == 3);
		   }),
		   0);
	check_given_back(before, "taking all descriptors");
}

/* Fills the file system of @dir; the errors are ENOSPC, and removing gives every block back. */
static void fill(const char *dir)
{
	struct statvfs st;
	char path[64];
	static char block[65536];
	long before_blocks, n;
	int fd;

	snprintf(path, sizeof(path), "%s/fill", dir);
	REQUIRE_EQ(statvfs(dir, &st), 0);
	before_blocks = (long)st.f_bfree;
	memset(block, 0x5a, sizeof(block));
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	REQUIRE(fd >= 0);
	errno = 0;
	while ((n = write(fd, block, sizeof(block))) > 0)
		;
	CHECK_THAT(n == -1 && errno == ENOSPC, "write: %ld, errno %d", n, errno);
	close(fd);
	CHECK_EQ(statvfs(dir, &st), 0);
	CHECK_THAT(st.f_bavail < 64, "%ld blocks are still free", (long)st.f_bavail);
	/* With nothing left, names and folders fail with an error too, or still find room. */
	snprintf(path, sizeof(path), "%s/more", dir);
	if (mkdir(path, 0700) == 0)
		rmdir(path);
	else
		CHECK_EQ(errno, ENOSPC);
	snprintf(path, sizeof(path), "%s/fill", dir);
	CHECK_EQ(unlink(path), 0);
	sync();
	CHECK_EQ(statvfs(dir, &st), 0);
	CHECK_EQ((long)st.f_bfree, before_blocks);
}

TEST(disk_full)
{
	mkdir("/var/tmp", 0777);
	fill("/var/tmp");
}

TEST(no_inodes_left)
{
	struct statvfs st;
	char path[64];
	long n, made, before;

	mkdir("/var/many", 0700);
	REQUIRE_EQ(statvfs("/var/many", &st), 0);
	before = (long)st.f_ffree;
	for (made = 0; made < before + 10; made++) {
		snprintf(path, sizeof(path), "/var/many/%ld", made);
		int fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0600);

		if (fd < 0)
			break;
		close(fd);
	}
	CHECK_EQ(errno, ENOSPC);
	CHECK(made <= before);
	for (n = 0; n < made; n++) {
		snprintf(path, sizeof(path), "/var/many/%ld", n);
		CHECK_EQ(unlink(path), 0);
	}
	CHECK_EQ(rmdir("/var/many"), 0);
	sync();
	REQUIRE_EQ(statvfs("/var", &st), 0);
	CHECK((long)st.f_ffree >= before);
}
