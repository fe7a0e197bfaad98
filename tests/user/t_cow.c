/* SPDX-License-Identifier: MIT */
/* Copy-on-write: after fork, each side sees its own memory, whoever writes it and by whatever way.
 */
#include "guest.h"

#include <sys/mman.h>

#define PAGES 64

static char area[PAGES * PAGE] __attribute__((aligned(PAGE)));

static void fill(unsigned seed)
{
	for (unsigned i = 0; i < PAGES; i++)
		memset(area + i * PAGE, (int)(seed + i), PAGE);
}

static bool filled(unsigned seed)
{
	for (unsigned i = 0; i < PAGES; i++)
		for (unsigned j = 0; j < PAGE; j += 97)
			if (area[i * PAGE + j] != (char)(seed + i))
				return false;
	return true;
}

TEST(child_writes_stay_in_the_child)
{
	fill(1);
	CHECK_EXIT(CHILD_STATUS({
			   CHILD_CHECK(filled(1));
			   fill(100);
			   CHILD_CHECK(filled(100));
		   }),
		   0);
	CHECK(filled(1));
}

TEST(parent_writes_stay_in_the_parent)
{
	int fds[2];
	char c = 0;
	pid_t pid;

	REQUIRE_EQ(pipe(fds), 0);
	fill(2);
	pid = START({
		CHILD_CHECK(read(fds[0], &c, 1) == 1);
		CHILD_CHECK(filled(2));
	});
	fill(50);
	CHECK_EQ(write(fds[1], "x", 1), 1);
	CHECK_EXIT(wait_status(pid), 0);
	CHECK(filled(50));
	close(fds[0]);
	close(fds[1]);
}

TEST(the_kernel_copies_too)
{
	int fds[2];

	/* read() writes into a shared page by the kernel's hand: it must break the sharing. */
	REQUIRE_EQ(pipe(fds), 0);
	fill(3);
	CHECK_EQ(write(fds[1], "hello", 5), 5);
	CHECK_EXIT(CHILD_STATUS(CHILD_CHECK(read(fds[0], area + 7 * PAGE + 10, 5) == 5)), 0);
	CHECK(filled(3));
	CHECK_EQ(write(fds[1], "HELLO", 5), 5);
	CHECK_EXIT(CHILD_STATUS({
			   struct stat st;

			   CHILD_CHECK(read(fds[0], area + 8 * PAGE - 2, 5) ==
				       5); /* across two pages */
			   CHILD_CHECK(memcmp(area + 8 * PAGE - 2, "HELLO", 5) == 0);
			   CHILD_CHECK(stat("/", (struct stat *)(area + 9 * PAGE)) == 0);
			   memcpy(&st, area + 9 * PAGE, sizeof(st));
			   CHILD_CHECK(S_ISDIR(st.st_mode));
		   }),
		   0);
	CHECK(filled(3));
	close(fds[0]);
	close(fds[1]);
}

TEST(three_generations)
{
	fill(4);
	CHECK_EXIT(CHILD_STATUS({
			   memset(area, 'c', PAGE);
			   int status = CHILD_STATUS({
				   CHILD_CHECK(area[5] == 'c' && area[PAGE] == 5);
				   memset(area, 'g', 2 * PAGE);
				   CHILD_CHECK(area[5] == 'g' && area[PAGE] == 'g');
			   });

			   CHILD_CHECK(status == 0);
			   CHILD_CHECK(area[5] == 'c' && area[PAGE] == 5);
		   }),
		   0);
	CHECK(filled(4));
}

TEST(many_siblings)
{
	pid_t pids[12];

	fill(5);
	for (size_t i = 0; i < ARRAY_LEN(pids); i++)
		pids[i] = START({
			for (unsigned round = 0; round < 4; round++) {
				fill((unsigned)i * 16 + round);
				sleep_ms(1);
				CHILD_CHECK(filled((unsigned)i * 16 + round));
			}
		});
	for (size_t i = 0; i < ARRAY_LEN(pids); i++)
		CHECK_EXIT(wait_status(pids[i]), 0);
	CHECK(filled(5));
}

static int on_stack(int depth)
{
	volatile char here[PAGE];

	memset((char *)here, depth, sizeof(here));
	if (depth > 0 && on_stack(depth - 1) != 0)
		return 1;
	for (size_t i = 0; i < sizeof(here); i += 61)
		if (here[i] != (char)depth)
			return 1;
	return 0;
}

TEST(the_stack_and_the_heap)
{
	volatile int local = 17;
	volatile int *heap = malloc(100000);

	REQUIRE(heap != NULL);
	heap[20000] = 18;
	CHECK_EQ(on_stack(50), 0);
	CHECK_EXIT(CHILD_STATUS({
			   CHILD_CHECK(local == 17 && heap[20000] == 18);
			   local = 1;
			   heap[20000] = 2;
			   CHILD_CHECK(on_stack(100) == 0);
		   }),
		   0);
	CHECK(local == 17 && heap[20000] == 18);
	free((void *)heap);
}

TEST(untouched_pages_stay_zero)
{
	char *fresh = mmap(NULL, 16 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
			   0);

	REQUIRE(fresh != MAP_FAILED);
	CHECK_EQ(fresh[3 * PAGE], 0); /* read first: may be one page of zeros for all */
	CHECK_EXIT(CHILD_STATUS({ memset(fresh, 1, 16 * PAGE); }), 0);
	for (int i = 0; i < 16 * PAGE; i += 512)
		CHECK_EQ(fresh[i], 0);
	CHECK_EQ(munmap(fresh, 16 * PAGE), 0);
}

TEST(protection_holds_after_fork)
{
	char *page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	REQUIRE(page != MAP_FAILED);
	page[0] = 1;
	REQUIRE_EQ(mprotect(page, PAGE, PROT_READ), 0);
	CHECK_KILLED(CHILD_STATUS(*(volatile char *)page = 2), SIGSEGV);
	CHECK_EQ(page[0], 1);
	/* Read-only at fork, writable later: must still be a copy. */
	CHECK_EXIT(CHILD_STATUS({
			   CHILD_CHECK(mprotect(page, PAGE, PROT_READ | PROT_WRITE) == 0);
			   page[0] = 3;
		   }),
		   0);
	CHECK_EQ(page[0], 1);
	munmap(page, PAGE);
}

TEST(shared_memory_is_shared)
{
	volatile int *shared = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE,
				    MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if ((void *)shared == MAP_FAILED) {
		test_note("no shared anonymous memory: errno %d", errno);
		return;
	}
	shared[0] = 1;
	CHECK_EXIT(CHILD_STATUS({
			   CHILD_CHECK(shared[0] == 1);
			   shared[0] = 2;
			   shared[PAGE / sizeof(int)] = 3; /* a page that neither has touched */
		   }),
		   0);
	CHECK_EQ(shared[0], 2);
	CHECK_EQ(shared[PAGE / sizeof(int)], 3);
	munmap((void *)shared, 2 * PAGE);
}
