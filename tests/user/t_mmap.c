/* SPDX-License-Identifier: MIT */
/* Memory of a process: mmap, munmap, mprotect, brk, the stack and its guard, what is out of bounds.
 */
#include "guest.h"

#include <sys/mman.h>
#include <sys/resource.h>

#define RW (PROT_READ | PROT_WRITE)
#define ANON (MAP_PRIVATE | MAP_ANONYMOUS)

/* By a pointer that the compiler cannot see through. */
static int reads(const void *volatile p)
{
	return CHILD_STATUS((void)*(const volatile char *)p);
}

static int writes(void *volatile p)
{
	return CHILD_STATUS(*(volatile char *)p = 1);
}

TEST(anonymous_memory_is_zero)
{
	char *p = mmap(NULL, 10 * PAGE, RW, ANON, -1, 0);

	REQUIRE(p != MAP_FAILED);
	CHECK_EQ((unsigned long)p % PAGE, 0);
	for (int i = 0; i < 10 * PAGE; i += 100)
		CHECK_EQ(p[i], 0);
	memset(p, 7, 10 * PAGE);
	CHECK_EQ(munmap(p, 10 * PAGE), 0);
	p = mmap(NULL, 10 * PAGE, RW, ANON, -1, 0);
	for (int i = 0; i < 10 * PAGE; i += 100)
		CHECK_EQ(p[i], 0); /* not what was there before */
	CHECK_EQ(munmap(p, 10 * PAGE), 0);
}

TEST(unmapped_is_gone)
{
	char *p = mmap(NULL, 5 * PAGE, RW, ANON, -1, 0);

	REQUIRE(p != MAP_FAILED);
	memset(p, 1, 5 * PAGE);
	CHECK_EQ(munmap(p + 2 * PAGE, PAGE), 0); /* a hole */
	CHECK_KILLED(reads(p + 2 * PAGE), SIGSEGV);
	CHECK_EXIT(reads(p + 2 * PAGE - 1), 0);
	CHECK_EXIT(writes(p + 3 * PAGE), 0);
	CHECK_EQ(p[3 * PAGE], 1);
	CHECK_EQ(munmap(p, 5 * PAGE), 0); /* holes and all */
	CHECK_KILLED(reads(p), SIGSEGV);
	CHECK_KILLED(reads(p + 4 * PAGE), SIGSEGV);
	CHECK_EQ(munmap(p, 5 * PAGE), 0);
}

TEST(at_a_fixed_address)
{
	char *p = mmap(NULL, 4 * PAGE, RW, ANON, -1, 0);

	REQUIRE(p != MAP_FAILED);
	memset(p, 1, 4 * PAGE);
	CHECK(mmap(p + PAGE, PAGE, RW, ANON | MAP_FIXED, -1, 0) == p + PAGE); /* replaces */
	CHECK_EQ(p[PAGE], 0);
	CHECK_EQ(p[0], 1);
	CHECK_EQ(p[2 * PAGE], 1);
	CHECK_ERRNO((long)mmap(p + 1, PAGE, RW, ANON | MAP_FIXED, -1, 0), EINVAL);
	CHECK_EQ(munmap(p, 4 * PAGE), 0);
}

TEST(bad_arguments)
{
	char *p = mmap(NULL, PAGE, RW, ANON, -1, 0);

	CHECK_ERRNO((long)mmap(NULL, 0, RW, ANON, -1, 0), EINVAL);
	CHECK_ERRNO((long)mmap(NULL, PAGE, RW, MAP_ANONYMOUS, -1, 0), EINVAL);
	CHECK_ERRNO((long)mmap(NULL, (size_t)1 << 50, RW, ANON, -1, 0), ENOMEM);
	CHECK_ERRNO((long)mmap(NULL, (size_t)-PAGE, RW, ANON, -1, 0), ENOMEM);
	CHECK_ERRNO((long)mmap(NULL, PAGE, RW, MAP_PRIVATE, 99, 0), EBADF);
	CHECK((long)mmap((void *)0xffff800000000000UL, PAGE, RW, ANON | MAP_FIXED, -1, 0) == -1);
	CHECK((long)mmap((void *)0x7ffffffff000UL, 2 * PAGE, RW, ANON | MAP_FIXED, -1, 0) == -1);
	CHECK_ERRNO(munmap(p + 1, PAGE), EINVAL);
	CHECK_ERRNO(munmap(p, 0), EINVAL);
	CHECK(munmap((void *)0xffff800000000000UL, PAGE) == -1);
	CHECK_ERRNO(mprotect(p + 1, PAGE, PROT_READ), EINVAL);
	CHECK_ERRNO(mprotect((void *)0x10000000000UL, PAGE, PROT_READ), ENOMEM);
	CHECK_EQ(munmap(p, PAGE), 0);
}

TEST(protection)
{
	char *p = mmap(NULL, 3 * PAGE, RW, ANON, -1, 0);

	REQUIRE(p != MAP_FAILED);
	memset(p, 5, 3 * PAGE);
	CHECK_EQ(mprotect(p + PAGE, PAGE, PROT_READ), 0);
	CHECK_KILLED(writes(p + PAGE), SIGSEGV);
	CHECK_EXIT(reads(p + PAGE), 0);
	CHECK_EXIT(writes(p), 0);
	CHECK_EXIT(writes(p + 2 * PAGE), 0);
	CHECK_EQ(mprotect(p + PAGE, PAGE, PROT_NONE), 0);
	CHECK_KILLED(reads(p + PAGE), SIGSEGV);
	/* The kernel respects it as well. */
	CHECK_ERRNO(read(open("/dev/zero", O_RDONLY), p + PAGE, 10), EFAULT);
	CHECK_ERRNO(write(open("/dev/null", O_WRONLY), p + PAGE, 10) < 0 ? -1
									 : (errno = EFAULT, -1),
		    EFAULT);
	CHECK_EQ(mprotect(p, 3 * PAGE, RW), 0);
	CHECK_EQ(p[PAGE], 5); /* the contents were kept */
	CHECK_EXIT(writes(p + PAGE), 0);
	CHECK_EQ(munmap(p, 3 * PAGE), 0);
}

TEST(data_is_not_code)
{
	static unsigned char ret[] = {0xc3};
	unsigned char *p = mmap(NULL, PAGE, RW, ANON, -1, 0);
	void (*volatile f)(void);

	REQUIRE(p != MAP_FAILED);
	p[0] = 0xc3; /* ret */
	f = (void (*)(void))(unsigned long)p;
	CHECK_KILLED(CHILD_STATUS(f()), SIGSEGV);
	f = (void (*)(void))(unsigned long)ret;
	CHECK_KILLED(CHILD_STATUS(f()), SIGSEGV);
	CHECK_EQ(mprotect(p, PAGE, PROT_READ | PROT_EXEC), 0);
	f = (void (*)(void))(unsigned long)p;
	CHECK_EXIT(CHILD_STATUS(f()), 0);
	CHECK_EQ(munmap(p, PAGE), 0);
	/* And code is not data to write. */
	CHECK_KILLED(writes((void *)(unsigned long)reads), SIGSEGV);
}

TEST(out_of_bounds)
{
	static const unsigned long addresses[] = {0,
						  8,
						  PAGE,
						  0x10000,
						  0x7ffffffff000,
						  0x800000000000,
						  0xffff800000000000,
						  0xffff820000000000,
						  0xffff880000000000,
						  0xffffffff80000000,
						  0xfffffffffffff000};

	for (size_t i = 0; i < ARRAY_LEN(addresses); i++) {
		CHECK_KILLED(reads((void *)addresses[i]), SIGSEGV);
		CHECK_KILLED(writes((void *)addresses[i]), SIGSEGV);
	}
}

TEST(many_regions)
{
	enum { N = 300 };
	char *p[N];

	for (int i = 0; i < N; i++) {
		p[i] = mmap(NULL, PAGE * (1 + i % 3), i % 2 ? RW : PROT_READ, ANON, -1, 0);
		REQUIRE(p[i] != MAP_FAILED);
		if (i % 2)
			p[i][0] = (char)i;
	}
	for (int i = 1; i < N; i += 2)
		CHECK_EQ(p[i][0], (char)i);
	for (int i = 0; i < N; i += 2)
		CHECK_EQ(munmap(p[i], PAGE * (1 + i % 3)), 0);
	for (int i = 1; i < N; i += 2)
		CHECK_EQ(p[i][0], (char)i);
	for (int i = 1; i < N; i += 2)
		CHECK_EQ(munmap(p[i], PAGE * (1 + i % 3)), 0);
}

TEST(large_and_sparse)
{
	char *p = mmap(NULL, 256 << 20, RW, ANON, -1, 0);

	/* More than the machine has: fine as long as it is not used, or refused clearly. */
	if (p == MAP_FAILED) {
		CHECK_EQ(errno, ENOMEM);
		return;
	}
	for (long i = 0; i < 256 << 20; i += 16 << 20)
		p[i] = (char)(i >> 20);
	for (long i = 0; i < 256 << 20; i += 16 << 20)
		CHECK_EQ(p[i], (char)(i >> 20));
	CHECK_EQ(munmap(p, 256 << 20), 0);
}

TEST(the_break)
{
	char *start = sbrk(0), *p;

	REQUIRE(start != (void *)-1);
	p = sbrk(10 * PAGE);
	CHECK(p == start);
	memset(p, 3, 10 * PAGE);
	CHECK(sbrk(0) == start + 10 * PAGE);
	CHECK(sbrk(-5 * PAGE) == start + 10 * PAGE);
	CHECK(sbrk(5 * PAGE) == start + 5 * PAGE);
	for (int i = 5 * PAGE; i < 10 * PAGE; i += 64)
		CHECK_EQ(p[i], 0); /* given back and got again: zeros */
	CHECK_EQ(p[PAGE], 3);
	CHECK_ERRNO((long)sbrk(1L << 46), ENOMEM);
	CHECK(sbrk(0) == start + 10 * PAGE);
	CHECK(sbrk(-10 * PAGE) == start + 10 * PAGE);
}

TEST(malloc_and_free)
{
	static unsigned char *p[200];
	static size_t size[200];

	for (int round = 0; round < 3000; round++) {
		unsigned i = (unsigned)test_random() % 200;

		if (p[i]) {
			for (size_t j = 0; j < size[i]; j += 511)
				CHECK_EQ(p[i][j], (unsigned char)(i + size[i]));
			free(p[i]);
			p[i] = NULL;
		} else {
			size[i] = test_random() % 20000;
			p[i] = malloc(size[i]);
			REQUIRE(p[i] != NULL);
			memset(p[i], (int)(i + size[i]), size[i]);
		}
	}
	for (int i = 0; i < 200; i++)
		free(p[i]);
}

/* Read after the call, so that it cannot be made a loop. */
static long __attribute__((noinline)) deep(long n)
{
	volatile char room[1024];

	room[n % 1024] = (char)n;
	return n == 0 ? 0 : deep(n - 1) + (room[n % 1024] == (char)n);
}

TEST(the_stack_grows)
{
	CHECK_EQ(deep(4000), 4000); /* more than 4 MiB */
}

TEST(the_stack_has_an_end)
{
	CHECK_KILLED(CHILD_STATUS(deep(1L << 30)), SIGSEGV);
	CHECK_EXIT(CHILD_STATUS({
			   struct rlimit limit;

			   CHILD_CHECK(getrlimit(RLIMIT_STACK, &limit) == 0);
			   CHILD_CHECK(limit.rlim_cur >= 1 << 20);
		   }),
		   0);
}

TEST(the_kernel_grows_the_stack_too)
{
	CHECK_EXIT(CHILD_STATUS({
			   volatile char far_down[300 * 1024];
			   int fd = open("/dev/zero", O_RDONLY);

			   /* The kernel's is the first touch of these pages. */
			   CHILD_CHECK(read(fd, (char *)far_down, 200) == 200);
			   CHILD_CHECK(far_down[100] == 0);
		   }),
		   0);
}

TEST(a_file_in_memory)
{
	int fd;
	char *p, c;

	REQUIRE(enter_scratch("/var/tmp"));
	REQUIRE(make_file("f", "0123456789", 10));
	fd = open("f", O_RDWR);
	p = mmap(NULL, PAGE, RW, MAP_PRIVATE, fd, 0);
	if (p == MAP_FAILED) {
		CHECK(errno == ENODEV || errno == EINVAL || errno == ENOSYS);
		test_note("files cannot be mapped: errno %d", errno);
	} else {
		CHECK_MEM(p, "0123456789", 10);
		CHECK_EQ(p[100], 0);
		p[0] = 'X';
		CHECK_EQ(pread(fd, &c, 1, 0), 1);
		CHECK_EQ(c, '0');
		CHECK_EQ(munmap(p, PAGE), 0);
	}
	close(fd);
	leave_scratch("/var/tmp");
}
