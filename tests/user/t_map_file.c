/* SPDX-License-Identifier: MIT */
/* Files and shared memory in the address space, protection changes of what is there already. */
#include "guest.h"

#include <sys/mman.h>

#define RW (PROT_READ | PROT_WRITE)
#define ANON (MAP_PRIVATE | MAP_ANONYMOUS)

/* A scratch file of @pages pages and 100 bytes, page i filled with 'a' + i; open for reading and
 * writing. */
static int scratch_file(int pages)
{
	static char page[PAGE];
	int fd = open("mapped", O_RDWR | O_CREAT | O_TRUNC, 0600);

	for (int i = 0; fd >= 0 && i <= pages; i++) {
		memset(page, 'a' + i, PAGE);
		if (write(fd, page, i < pages ? PAGE : 100) < 0)
			return -1;
	}
	return fd;
}

TEST(private_mapping)
{
	char *p, c[2];
	int fd;

	REQUIRE(enter_scratch("/var/tmp"));
	fd = scratch_file(20);
	REQUIRE(fd >= 0);
	p = mmap(NULL, 21 * PAGE, RW, MAP_PRIVATE, fd, 0);
	REQUIRE(p != MAP_FAILED);
	for (int i = 0; i < 20; i++)
		CHECK(p[i * PAGE] == 'a' + i && p[i * PAGE + PAGE - 1] == 'a' + i);
	CHECK(p[20 * PAGE + 99] == 'a' + 20 && p[20 * PAGE + 100] == 0);
	p[3 * PAGE] = 'X';
	CHECK_EXIT(CHILD_STATUS({
			   CHILD_CHECK(p[3 * PAGE] == 'X' && p[4 * PAGE] == 'e');
			   p[4 * PAGE] = 'Y';
		   }),
		   0);
	CHECK_EQ(p[4 * PAGE], 'e');
	CHECK_EQ(pread(fd, c, 2, 3 * PAGE), 2);
	CHECK(c[0] == 'd' && c[1] == 'd');
	/* The file's own later writes are seen where the page is not a copy. */
	CHECK_EQ(pwrite(fd, "zz", 2, 7 * PAGE), 2);
	CHECK_EQ(p[7 * PAGE], 'z');
	CHECK_EQ(munmap(p, 21 * PAGE), 0);
	close(fd);
	leave_scratch("/var/tmp");
}

TEST(from_an_offset)
{
	char *p;
	int fd;

	REQUIRE(enter_scratch("/var/tmp"));
	fd = scratch_file(5);
	p = mmap(NULL, 2 * PAGE, PROT_READ, MAP_PRIVATE, fd, 2 * PAGE);
	REQUIRE(p != MAP_FAILED);
	CHECK(p[0] == 'c' && p[PAGE] == 'd');
	CHECK_KILLED(CHILD_STATUS(*(volatile char *)p = 1), SIGSEGV);
	CHECK_EQ(munmap(p, 2 * PAGE), 0);
	CHECK_ERRNO((long)mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, fd, 100), EINVAL);
	close(fd); /* a mapping outlives its descriptor, and the name */
	fd = open("mapped", O_RDONLY);
	p = mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, fd, PAGE);
	close(fd);
	unlink("mapped");
	REQUIRE(p != MAP_FAILED);
	CHECK_EQ(p[17], 'b');
	CHECK_EQ(munmap(p, PAGE), 0);
	leave_scratch("/var/tmp");
}

TEST(behind_the_end_is_a_bus_error)
{
	char *p;
	int fd;

	REQUIRE(enter_scratch("/var/tmp"));
	fd = scratch_file(1);
	p = mmap(NULL, 4 * PAGE, RW, MAP_PRIVATE, fd, 0);
	REQUIRE(p != MAP_FAILED);
	CHECK_EQ(p[PAGE + 99], 'b');
	CHECK_KILLED(CHILD_STATUS((void)*(volatile char *)(p + 2 * PAGE)), SIGBUS);
	CHECK_KILLED(CHILD_STATUS(*(volatile char *)(p + 3 * PAGE) = 1), SIGBUS);
	CHECK_ERRNO(write(fd, p + 2 * PAGE, 10), EFAULT);
	CHECK_EQ(munmap(p, 4 * PAGE), 0);
	close(fd);
	leave_scratch("/var/tmp");
}

TEST(shared_mapping_writes_the_file)
{
	char *p, *q, c;
	int fd;

	REQUIRE(enter_scratch("/var/tmp"));
	fd = scratch_file(4);
	p = mmap(NULL, 4 * PAGE, RW, MAP_SHARED, fd, 0);
	q = mmap(NULL, 4 * PAGE, PROT_READ, MAP_SHARED, fd, 0);
	REQUIRE(p != MAP_FAILED && q != MAP_FAILED);
	CHECK_EQ(p[PAGE], 'b');
	p[PAGE] = 'B';
	CHECK_EQ(q[PAGE], 'B');
	CHECK_EQ(pread(fd, &c, 1, PAGE), 1);
	CHECK_EQ(c, 'B');
	CHECK_EXIT(CHILD_STATUS(p[2 * PAGE + 5] = 'C'), 0);
	CHECK_EQ(q[2 * PAGE + 5], 'C');
	CHECK_EQ(fsync(fd), 0);
	p[PAGE + 1] = 'D'; /* after the page was written back */
	CHECK_EQ(munmap(p, 4 * PAGE), 0);
	CHECK_EQ(munmap(q, 4 * PAGE), 0);
	CHECK_EQ(pread(fd, &c, 1, PAGE + 1), 1);
	CHECK_EQ(c, 'D');
	close(fd);

	fd = open("mapped", O_RDONLY);
	CHECK_ERRNO((long)mmap(NULL, PAGE, RW, MAP_SHARED, fd, 0), EACCES);
	p = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 0);
	REQUIRE(p != MAP_FAILED);
	CHECK_ERRNO(mprotect(p, PAGE, RW), EACCES);
	CHECK_EQ(munmap(p, PAGE), 0);
	close(fd);
	leave_scratch("/var/tmp");
}

TEST(what_cannot_be_mapped)
{
	int fds[2], fd = open("/dev/null", O_RDWR);

	CHECK((long)mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, fd, 0) == -1);
	close(fd);
	fd = open("/", O_RDONLY);
	CHECK((long)mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, fd, 0) == -1);
	close(fd);
	REQUIRE_EQ(pipe(fds), 0);
	CHECK((long)mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, fds[0], 0) == -1);
	close(fds[0]);
	close(fds[1]);
}

TEST(no_access_keeps_contents_over_fork)
{
	char *p = mmap(NULL, 6 * PAGE, RW, ANON, -1, 0);

	REQUIRE(p != MAP_FAILED);
	for (int i = 0; i < 6; i++)
		p[i * PAGE] = (char)(i + 1);
	REQUIRE_EQ(mprotect(p + PAGE, 3 * PAGE, PROT_NONE), 0);
	CHECK_EXIT(CHILD_STATUS({
			   CHILD_CHECK(mprotect(p + PAGE, 3 * PAGE, RW) == 0);
			   for (int i = 0; i < 6; i++)
				   CHILD_CHECK(p[i * PAGE] == i + 1);
			   memset(p, 9, 6 * PAGE);
		   }),
		   0);
	CHECK_EQ(munmap(p + 2 * PAGE, PAGE), 0);
	CHECK_EQ(mprotect(p + PAGE, PAGE, PROT_READ), 0);
	CHECK_EQ(p[PAGE], 2);
	CHECK_KILLED(CHILD_STATUS(*(volatile char *)(p + PAGE) = 1), SIGSEGV);
	CHECK_EQ(mprotect(p + 3 * PAGE, PAGE, RW), 0);
	CHECK_EQ(p[3 * PAGE], 4);
	CHECK_ERRNO(mprotect(p, 6 * PAGE, RW), ENOMEM); /* a hole in it */
	CHECK_EQ(munmap(p, 6 * PAGE), 0);
}

TEST(shared_memory_in_pieces)
{
	char *p = mmap(NULL, 8 * PAGE, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	REQUIRE(p != MAP_FAILED);
	p[6 * PAGE] = 6;
	CHECK_EQ(munmap(p + 2 * PAGE, 2 * PAGE), 0); /* the rest keeps its place */
	CHECK_EXIT(CHILD_STATUS({
			   CHILD_CHECK(p[6 * PAGE] == 6);
			   p[7 * PAGE] = 7;
			   p[PAGE] = 1;
			   CHILD_CHECK(mprotect(p + 6 * PAGE, PAGE, PROT_NONE) == 0);
			   CHILD_CHECK(mprotect(p + 6 * PAGE, PAGE, RW) == 0);
			   CHILD_CHECK(p[6 * PAGE] == 6);
			   p[6 * PAGE]++;
		   }),
		   0);
	CHECK(p[7 * PAGE] == 7 && p[PAGE] == 1 && p[6 * PAGE] == 7);
	CHECK_EQ(munmap(p, 8 * PAGE), 0);
}

TEST(one_page_in_each_table)
{
	enum { N = 40 };
	const long step = 2 << 20;
	long before = free_pages();
	char *p = mmap(NULL, N * step, RW, ANON, -1, 0);

	if (p == MAP_FAILED) {
		CHECK_EQ(errno, ENOMEM);
		return;
	}
	for (long i = 0; i < N; i++)
		p[i * step] = (char)i;
	CHECK_EXIT(CHILD_STATUS({
			   for (long i = 0; i < N; i++) {
				   CHILD_CHECK(p[i * step] == i);
				   p[i * step]++;
			   }
		   }),
		   0);
	for (long i = 0; i < N; i++)
		CHECK_EQ(p[i * step], i);
	CHECK_EQ(munmap(p, N * step), 0);
	/* Tables stay until exit; the pages do not. */
	CHECK(before - free_pages() < N + 20);
}
