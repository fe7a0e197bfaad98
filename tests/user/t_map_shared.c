/* SPDX-License-Identifier: MIT */
/*
 * Mapped files that change under the mapping: writes and reads beside it, shorter and longer files,
 * msync; shared memory objects; what programs may say about their memory.
 */
#include "guest.h"

#include <sys/mman.h>
#include <sys/resource.h>

#define RW (PROT_READ | PROT_WRITE)
#define ANON (MAP_PRIVATE | MAP_ANONYMOUS)

/* On a disk's file system and in memory. */
static const char *const folders[] = {"/var/tmp", "/tmp"};

#define FOR_EACH_FOLDER for (unsigned folder = 0; folder < ARRAY_LEN(folders); folder++)

static int scratch_file(int pages)
{
	static char page[PAGE];
	int fd = open("mapped", O_RDWR | O_CREAT | O_TRUNC, 0600);

	for (int i = 0; fd >= 0 && i < pages; i++) {
		memset(page, 'a' + i, PAGE);
		if (write(fd, page, PAGE) != PAGE)
			return -1;
	}
	return fd;
}

static void *volatile bus_address;
static volatile int bus_code;

static void on_bus(int sig, siginfo_t *info, void *context)
{
	(void)sig;
	(void)context;
	bus_address = info->si_addr;
	bus_code = info->si_code;
	_exit(info->si_code == BUS_ADRERR ? 77 : 78);
}

/* What a child gets that touches @p: 0, or 77 for a bus error. */
static int touched(volatile char *p, int write)
{
	return CHILD_STATUS({
		struct sigaction sa = {.sa_sigaction = on_bus, .sa_flags = SA_SIGINFO};

		sigaction(SIGBUS, &sa, NULL);
		if (write)
			*p = 1;
		else
			(void)*p;
	});
}

TEST(a_shorter_file_is_a_bus_error_for_all)
{
	FOR_EACH_FOLDER
	{
		char *shared, *private, c;
		int fd, ready[2], go[2];
		pid_t pid;

		REQUIRE(enter_scratch(folders[folder]));
		fd = scratch_file(6);
		shared = mmap(NULL, 6 * PAGE, RW, MAP_SHARED, fd, 0);
		private = mmap(NULL, 6 * PAGE, RW, MAP_PRIVATE, fd, 0);
		REQUIRE(shared != MAP_FAILED && private != MAP_FAILED);
		REQUIRE(pipe(ready) == 0 && pipe(go) == 0);
		/* Another process that has the pages in its tables, a copy of its own among them.
		 */
		pid = START({
			struct sigaction sa = {.sa_sigaction = on_bus, .sa_flags = SA_SIGINFO};

			CHILD_CHECK(shared[4 * PAGE] == 'e' && private[5 * PAGE] == 'f');
			shared[4 * PAGE] = 'E';
			private[5 * PAGE] = 'F';
			CHILD_CHECK(write(ready[1], "x", 1) == 1 && read(go[0], &c, 1) == 1);
			CHILD_CHECK(shared[PAGE] == 'b' && private[PAGE] == 'b');
			sigaction(SIGBUS, &sa, NULL);
			if (private[5 * PAGE])
				_exit(3);
			_exit(4);
		});
		REQUIRE_EQ(read(ready[0], &c, 1), 1);
		CHECK_EQ(shared[4 * PAGE], 'E');
		private[4 * PAGE + 1] = 'x';
		CHECK_EQ(ftruncate(fd, 2 * PAGE + 100), 0);
		CHECK_EQ(write(go[1], "x", 1), 1);
		CHECK_EXIT(wait_status(pid), 77);
		CHECK_EXIT(touched(shared + 3 * PAGE, 0), 77);
		CHECK_EXIT(touched(shared + 4 * PAGE, 1), 77);
		CHECK_EXIT(touched(private + 4 * PAGE, 0), 77);
		CHECK_EXIT(touched(shared + 2 * PAGE, 1), 0);
		CHECK_EQ(shared[2 * PAGE + 99], 'c');
		CHECK_EQ(shared[2 * PAGE + 100], 0);
		CHECK_ERRNO(write(fd, shared + 5 * PAGE, 10), EFAULT);
		/* Longer again: zeros, there at once. */
		CHECK_EQ(ftruncate(fd, 5 * PAGE), 0);
		CHECK_EQ(shared[4 * PAGE], 0);
		CHECK_EQ(private[4 * PAGE + 1], 0);
		CHECK_EQ(pwrite(fd, "new", 3, 4 * PAGE), 3);
		CHECK_MEM(shared + 4 * PAGE, "new", 3);
		CHECK_EXIT(touched(shared + 5 * PAGE, 0), 77);
		CHECK_EQ(munmap(shared, 6 * PAGE), 0);
		CHECK_EQ(munmap(private, 6 * PAGE), 0);
		close(fd);
		close(ready[0]);
		close(ready[1]);
		close(go[0]);
		close(go[1]);
		leave_scratch(folders[folder]);
	}
}

TEST(opening_with_truncation_does_the_same)
{
	char *p;
	int fd;

	REQUIRE(enter_scratch("/var/tmp"));
	fd = scratch_file(2);
	p = mmap(NULL, 2 * PAGE, RW, MAP_SHARED, fd, 0);
	REQUIRE(p != MAP_FAILED);
	p[0] = 'x';
	close(open("mapped", O_WRONLY | O_TRUNC));
	CHECK_EXIT(touched(p, 0), 77);
	CHECK_EQ(munmap(p, 2 * PAGE), 0);
	close(fd);
	leave_scratch("/var/tmp");
}

TEST(behind_the_end_of_the_last_page_is_nothing)
{
	FOR_EACH_FOLDER
	{
		char *p, buf[200];
		int fd;

		REQUIRE(enter_scratch(folders[folder]));
		fd = open("mapped", O_RDWR | O_CREAT | O_TRUNC, 0600);
		CHECK_EQ(write(fd, "0123456789", 10), 10);
		p = mmap(NULL, PAGE, RW, MAP_SHARED, fd, 0);
		REQUIRE(p != MAP_FAILED);
		for (int i = 10; i < PAGE; i += 50)
			CHECK_EQ(p[i], 0);
		memset(p + 10, 'x', PAGE - 10);
		p[1] = 'I';
		CHECK_EQ(fsync(fd), 0);
		CHECK_EQ(lseek(fd, 0, SEEK_END), 10);
		memset(p + 10, 'y', PAGE - 10);
		/* What becomes part of the file is zeros, in each way to make it longer. */
		CHECK_EQ(pwrite(fd, "Z", 1, 50), 1);
		CHECK_EQ(pread(fd, buf, sizeof(buf), 0), 51);
		CHECK_EQ(buf[1], 'I');
		CHECK_EQ(buf[9], '9');
		for (int i = 10; i < 50; i++)
			CHECK_EQ(buf[i], 0);
		CHECK_EQ(buf[50], 'Z');
		memset(p + 51, 'y', 100);
		CHECK_EQ(ftruncate(fd, 150), 0);
		CHECK_EQ(pread(fd, buf, 99, 51), 99);
		for (int i = 0; i < 99; i++)
			CHECK_EQ(buf[i], 0);
		CHECK_EQ(munmap(p, PAGE), 0);
		close(fd);
		leave_scratch(folders[folder]);
	}
}

TEST(one_copy_for_reads_writes_and_mappings)
{
	FOR_EACH_FOLDER
	{
		char *p, *q, buf[32];
		int fd, other;

		REQUIRE(enter_scratch(folders[folder]));
		fd = scratch_file(3);
		other = open("mapped", O_RDONLY);
		p = mmap(NULL, 3 * PAGE, RW, MAP_SHARED, fd, 0);
		q = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, other, PAGE);
		REQUIRE(p != MAP_FAILED && q != MAP_FAILED);
		for (int i = 0; i < 50; i++) {
			unsigned at = test_random() % (3 * PAGE - 8);
			char text[9];

			snprintf(text, sizeof(text), "%08d", i);
			if (test_random() % 2)
				memcpy(p + at, text, 8);
			else
				CHECK_EQ(pwrite(fd, text, 8, at), 8);
			if (i % 7 == 0)
				CHECK_EQ(fsync(fd), 0); /* takes the write permission away */
			CHECK_MEM(p + at, text, 8);
			CHECK_EQ(pread(other, buf, 8, at), 8);
			CHECK_MEM(buf, text, 8);
			CHECK(memcmp(p + PAGE, q, PAGE) == 0);
		}
		CHECK_EQ(munmap(p, 3 * PAGE), 0);
		CHECK_EQ(munmap(q, PAGE), 0);
		close(fd);
		close(other);
		leave_scratch(folders[folder]);
	}
}

TEST(msync_and_its_errors)
{
	struct timespec soon = {0, 20000000};
	struct stat before, after;
	char *p;
	int fd;

	REQUIRE(enter_scratch("/var/tmp"));
	fd = scratch_file(4);
	p = mmap(NULL, 4 * PAGE, RW, MAP_SHARED, fd, 0);
	REQUIRE(p != MAP_FAILED);
	REQUIRE_EQ(fstat(fd, &before), 0);
	nanosleep(&soon, NULL);
	p[PAGE] = 'x';
	CHECK_EQ(msync(p, 4 * PAGE, MS_SYNC), 0);
	REQUIRE_EQ(fstat(fd, &after), 0);
	CHECK(after.st_mtim.tv_sec > before.st_mtim.tv_sec ||
	      after.st_mtim.tv_nsec > before.st_mtim.tv_nsec);
	p[PAGE] = 'y';
	CHECK_EQ(msync(p, 4 * PAGE, MS_ASYNC), 0);
	CHECK_EQ(msync(p + PAGE, 10, MS_SYNC | MS_INVALIDATE), 0);
	CHECK_EQ(p[PAGE], 'y');
	CHECK_ERRNO(msync(p + 1, PAGE, MS_SYNC), EINVAL);
	CHECK_ERRNO(msync(p, PAGE, MS_SYNC | MS_ASYNC), EINVAL);
	CHECK_ERRNO(msync(p, PAGE, 0x100), EINVAL);
	CHECK_EQ(munmap(p + PAGE, PAGE), 0);
	CHECK_ERRNO(msync(p, 4 * PAGE, MS_SYNC), ENOMEM);
	CHECK_ERRNO(msync((void *)0x7ffffffff000ul, PAGE, MS_SYNC), ENOMEM);
	CHECK_EQ(munmap(p, 4 * PAGE), 0);
	CHECK_EQ(fdatasync(fd), 0);
	CHECK_ERRNO(fdatasync(99), EBADF);
	close(fd);
	leave_scratch("/var/tmp");
}

TEST(what_mmap_refuses)
{
	int fd, wronly;

	REQUIRE(enter_scratch("/var/tmp"));
	fd = scratch_file(1);
	wronly = open("mapped", O_WRONLY);
	CHECK_ERRNO((long)mmap(NULL, PAGE, PROT_READ, MAP_SHARED, wronly, 0), EACCES);
	CHECK_ERRNO((long)mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, wronly, 0), EACCES);
	CHECK_ERRNO((long)mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, fd, 1), EINVAL);
	CHECK_ERRNO((long)mmap(NULL, 0, PROT_READ, MAP_PRIVATE, fd, 0), EINVAL);
	CHECK_ERRNO((long)mmap(NULL, PAGE, PROT_READ, 0, fd, 0), EINVAL);
	CHECK_ERRNO(
		(long)mmap(NULL, 4 * PAGE, PROT_READ, MAP_PRIVATE, fd, 0x7ffffffffffff000l - PAGE),
		EOVERFLOW);
	close(wronly);
	close(fd);
	fd = open("/", O_RDONLY);
	CHECK_ERRNO((long)mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, fd, 0), ENODEV);
	close(fd);
	leave_scratch("/var/tmp");
}

TEST(address_space_has_a_limit)
{
	CHECK_EXIT(CHILD_STATUS({
			   struct rlimit limit = {64 << 20, 64 << 20};
			   char *p;

			   CHILD_CHECK(setrlimit(RLIMIT_AS, &limit) == 0);
			   p = mmap(NULL, 100 << 20, PROT_READ, ANON, -1, 0);
			   CHILD_CHECK(p == MAP_FAILED && errno == ENOMEM);
			   p = mmap(NULL, 20 << 20, PROT_READ, ANON, -1, 0);
			   CHILD_CHECK(p != MAP_FAILED);
			   CHILD_CHECK(mmap(NULL, 50 << 20, PROT_READ, ANON, -1, 0) == MAP_FAILED);
			   CHILD_CHECK(munmap(p, 20 << 20) == 0);
			   CHILD_CHECK(mmap(NULL, 50 << 20, PROT_READ, ANON, -1, 0) != MAP_FAILED);
		   }),
		   0);
}

TEST(advice)
{
	char *p = mmap(NULL, 8 * PAGE, RW, ANON, -1, 0), *q;
	long before __attribute__((unused));
	int fd;

	REQUIRE(p != MAP_FAILED);
	memset(p, 7, 8 * PAGE);
	CHECK_EQ(mprotect(p + 3 * PAGE, PAGE, PROT_NONE), 0);
	before = free_pages();
	CHECK_EQ(madvise(p + PAGE, 6 * PAGE, MADV_DONTNEED), 0);
#ifdef __parvix__ /* elsewhere others use memory too */
	CHECK(free_pages() >= before + 4);
#endif
	CHECK_EQ(mprotect(p + 3 * PAGE, PAGE, RW), 0);
	for (int i = 0; i < 8; i++)
		CHECK_EQ(p[i * PAGE], i == 0 || i == 7 ? 7 : 0);
	CHECK_EQ(posix_madvise(p, 8 * PAGE, POSIX_MADV_DONTNEED), 0);
	CHECK_EQ(p[0], 7);
	CHECK_EQ(posix_madvise(p, 8 * PAGE, POSIX_MADV_WILLNEED), 0);
	CHECK_EQ(posix_madvise(p, 8 * PAGE, 99), EINVAL);
	CHECK_ERRNO(madvise(p + 1, PAGE, MADV_NORMAL), EINVAL);
	CHECK_ERRNO(madvise(p, PAGE, 12345), EINVAL);
	CHECK_EQ(munmap(p + PAGE, PAGE), 0);
	CHECK_ERRNO(madvise(p, 3 * PAGE, MADV_DONTNEED), ENOMEM);
	CHECK_EQ(posix_madvise(p, 3 * PAGE, POSIX_MADV_NORMAL), ENOMEM);
	CHECK_EQ(munmap(p, 8 * PAGE), 0);

	REQUIRE(enter_scratch("/var/tmp"));
	fd = scratch_file(4);
	p = mmap(NULL, 4 * PAGE, RW, MAP_PRIVATE, fd, 0);
	q = mmap(NULL, 4 * PAGE, RW, MAP_SHARED, fd, 0);
	REQUIRE(p != MAP_FAILED && q != MAP_FAILED);
	p[0] = 'X';
	q[PAGE] = 'Y';
	CHECK_EQ(madvise(p, 4 * PAGE, MADV_WILLNEED), 0);
	CHECK_EQ(madvise(p, 4 * PAGE, MADV_DONTNEED), 0);
	CHECK_EQ(madvise(q, 4 * PAGE, MADV_DONTNEED), 0);
	CHECK_EQ(p[0], 'a'); /* the file's again */
	CHECK_EQ(q[PAGE], 'Y');
	CHECK_EQ(munmap(p, 4 * PAGE), 0);
	CHECK_EQ(munmap(q, 4 * PAGE), 0);
	close(fd);
	leave_scratch("/var/tmp");
}

TEST(residence_and_locks)
{
	char *p = mmap(NULL, 8 * PAGE, RW, ANON, -1, 0), *q;
	unsigned char there[8];

	REQUIRE(p != MAP_FAILED);
	p[0] = p[5 * PAGE] = 1;
	CHECK_EQ(mincore(p, 8 * PAGE, there), 0);
	for (int i = 0; i < 8; i++)
		CHECK_EQ(there[i] & 1, i == 0 || i == 5);
	CHECK_EQ(mlock(p + PAGE + 5, PAGE), 0); /* parts of two pages */
	CHECK_EQ(mincore(p, 8 * PAGE, there), 0);
	CHECK(there[1] & 1 && there[2] & 1 && !(there[3] & 1));
	CHECK_EQ(munlock(p + PAGE + 5, PAGE), 0);
	CHECK_ERRNO(mincore(p + 1, PAGE, there), EINVAL);
	CHECK_ERRNO(mincore(p, PAGE, (void *)1), EFAULT);
	CHECK_EQ(munmap(p + 4 * PAGE, PAGE), 0);
	CHECK_ERRNO(mincore(p, 8 * PAGE, there), ENOMEM);
	CHECK_ERRNO(mlock(p, 8 * PAGE), ENOMEM);
	CHECK_ERRNO(munlock(p, 8 * PAGE), ENOMEM);
	CHECK_EQ(munmap(p, 8 * PAGE), 0);
	CHECK_ERRNO(mlockall(0), EINVAL);
	CHECK_ERRNO(mlockall(0x1000), EINVAL);
	CHECK_EXIT(CHILD_STATUS({
			   CHILD_CHECK(mlockall(MCL_CURRENT | MCL_FUTURE) == 0);
			   q = mmap(NULL, 8 * PAGE, RW, ANON, -1, 0);
			   CHILD_CHECK(q != MAP_FAILED && mincore(q, 8 * PAGE, there) == 0);
			   for (int i = 0; i < 8; i++)
				   CHILD_CHECK(there[i] & 1);
			   CHILD_CHECK(munlockall() == 0);
			   q = mmap(NULL, 8 * PAGE, RW, ANON, -1, 0);
			   CHILD_CHECK(q != MAP_FAILED && mincore(q, 8 * PAGE, there) == 0);
			   CHILD_CHECK(!(there[3] & 1));
		   }),
		   0);
}

TEST(shared_memory_objects)
{
	char name[64], *p, *q;
	int fd;

	snprintf(name, sizeof(name), "/test-%d", (int)getpid());
	CHECK_ERRNO(shm_open(name, O_RDWR, 0), ENOENT);
	fd = shm_open(name, O_RDWR | O_CREAT | O_EXCL, 0600);
	REQUIRE(fd >= 0);
	CHECK_ERRNO(shm_open(name, O_RDWR | O_CREAT | O_EXCL, 0600), EEXIST);
	CHECK_EQ(fcntl(fd, F_GETFD), FD_CLOEXEC);
	CHECK_EQ(ftruncate(fd, 2 * PAGE), 0);
	p = mmap(NULL, 2 * PAGE, RW, MAP_SHARED, fd, 0);
	REQUIRE(p != MAP_FAILED);
	CHECK_EQ(p[PAGE], 0);
	CHECK_EXIT(CHILD_STATUS({
			   int other = shm_open(name, O_RDWR, 0);

			   CHILD_CHECK(other >= 0);
			   q = mmap(NULL, 2 * PAGE, RW, MAP_SHARED, other, 0);
			   CHILD_CHECK(q != MAP_FAILED);
			   strcpy(q + PAGE, "from the child");
		   }),
		   0);
	CHECK_STR(p + PAGE, "from the child");
	CHECK_EQ(shm_unlink(name), 0);
	CHECK_ERRNO(shm_unlink(name), ENOENT);
	CHECK_ERRNO(shm_open(name, O_RDWR, 0), ENOENT);
	CHECK_STR(p + PAGE, "from the child"); /* lives on */
	CHECK_EQ(munmap(p, 2 * PAGE), 0);
	close(fd);
	CHECK_ERRNO(shm_open("/a/b", O_RDWR | O_CREAT, 0600), EINVAL);
	CHECK_ERRNO(shm_open("/", O_RDWR | O_CREAT, 0600), EINVAL);
}

/* Everybody writes his own bytes, some make the file shorter and longer; the kernel lives, and what
 * is in the file at the end was written by somebody. */
TEST(truncation_against_faults)
{
	enum { WORKERS = 4, PAGES = 16 };
	pid_t pids[WORKERS];
	char *p;
	int fd;

	REQUIRE(enter_scratch("/var/tmp"));
	fd = scratch_file(PAGES);
	for (int w = 0; w < WORKERS; w++) {
		unsigned long branch = test_random();

		pids[w] = START({
			test_random_branch(branch);
			p = mmap(NULL, PAGES * PAGE, RW, w % 2 ? MAP_SHARED : MAP_PRIVATE, fd, 0);
			CHILD_CHECK(p != MAP_FAILED);
			for (int i = 0; i < 300; i++) {
				unsigned at = test_random() % (PAGES * PAGE);
				struct sigaction sa = {.sa_sigaction = on_bus,
						       .sa_flags = SA_SIGINFO};
				struct stat st;

				if (w == 3) {
					CHILD_CHECK(ftruncate(fd, at) == 0);
				} else if (i % 50 == 49) {
					fsync(fd);
				} else if (test_random() % 4 == 0) {
					pid_t pid = fork();

					if (pid == 0) {
						sigaction(SIGBUS, &sa, NULL);
						p[at] = 'w';
						_exit(0);
					}
					waitpid(pid, NULL, 0);
				} else {
					/* The kernel touches it: EFAULT instead of a signal. */
					CHILD_CHECK(fstat(fd, &st) == 0);
					CHILD_CHECK(pread(fd, p + at, 1, 0) >= -1);
				}
			}
		});
	}
	for (int w = 0; w < WORKERS; w++)
		CHECK_EXIT(wait_status(pids[w]), 0);
	CHECK_EQ(ftruncate(fd, PAGE), 0);
	CHECK_EQ(fsync(fd), 0);
	close(fd);
	leave_scratch("/var/tmp");
}
