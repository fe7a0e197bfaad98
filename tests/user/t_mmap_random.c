/* SPDX-License-Identifier: MIT */
/*
 * Random mapping, unmapping, protecting, writing and forking, beside a model: for a few places in
 * every page it is known what must be there. A page is private or shared, nobody's or a file's.
 * The model of private pages is itself private memory, so that each process goes on with its own;
 * that of shared pages is shared. Reads and writes go by the processor and by the kernel (through a
 * pipe), which must refuse what the processor would fault on.
 */
#include "guest.h"

#include <sys/mman.h>

#define PAGES 48
#define SPOTS 3
#define ROUNDS 3000
#define DEPTH 2

enum kind { NOTHING, ANON, ANON_SHARED, FILE_PRIVATE, FILE_SHARED, KINDS };

struct page_model {
	enum kind kind;
	int prot;
	unsigned spot[SPOTS]; /* of private pages */
};

static const unsigned spots[SPOTS] = {0, 2044, 4092};
static struct page_model model[PAGES];
static unsigned (*shared_model)[SPOTS]; /* of shared pages */
static char *area;
static int file_private, file_shared, channel[2];

static bool is_shared(int i)
{
	return model[i].kind == ANON_SHARED || model[i].kind == FILE_SHARED;
}

static unsigned *wanted(int i, int s)
{
	return is_shared(i) ? &shared_model[i][s] : &model[i].spot[s];
}

static unsigned *place(int i, int s)
{
	return (unsigned *)(area + i * PAGE + spots[s]);
}

static unsigned in_file(int i, int s)
{
	return (unsigned)(i * 1000 + s + 7);
}

/* By the kernel's hand: false if it could not. */
static bool kernel_reads(int i, int s, unsigned *out)
{
	if (write(channel[1], place(i, s), 4) != 4) {
		CHILD_CHECK(errno == EFAULT);
		return false;
	}
	CHILD_CHECK(read(channel[0], out, 4) == 4);
	return true;
}

static bool kernel_writes(int i, int s, unsigned value)
{
	unsigned back;

	CHILD_CHECK(write(channel[1], &value, 4) == 4);
	if (read(channel[0], place(i, s), 4) == 4)
		return true;
	CHILD_CHECK(errno == EFAULT);
	CHILD_CHECK(read(channel[0], &back, 4) == 4 && back == value);
	return false;
}

static void look(int i, bool by_kernel)
{
	bool may = model[i].kind != NOTHING && model[i].prot != PROT_NONE;
	unsigned is;

	for (int s = 0; s < SPOTS; s++) {
		if (by_kernel || !may)
			CHILD_CHECK(kernel_reads(i, s, &is) == may);
		else
			is = *(volatile unsigned *)place(i, s);
		if (may && is != *wanted(i, s)) {
			dprintf(1, "# page %d of kind %d, place %d: %u, wanted %u\n", i,
				model[i].kind, s, is, *wanted(i, s));
			_exit(112);
		}
	}
}

static void put(int i, bool by_kernel)
{
	bool may = model[i].kind != NOTHING && (model[i].prot & PROT_WRITE);
	int s = (int)(test_random() % SPOTS);
	unsigned value = (unsigned)test_random();

	if (by_kernel || !may)
		CHILD_CHECK(kernel_writes(i, s, value) == may);
	else
		*(volatile unsigned *)place(i, s) = value;
	if (may)
		*wanted(i, s) = value;
}

static void map(int at, int n, enum kind kind)
{
	static const int flags[KINDS] = {0, MAP_PRIVATE | MAP_ANONYMOUS, MAP_SHARED | MAP_ANONYMOUS,
					 MAP_PRIVATE, MAP_SHARED};
	int fd = kind == FILE_PRIVATE ? file_private : kind == FILE_SHARED ? file_shared : -1;
	unsigned value;

	if (kind == NOTHING)
		CHILD_CHECK(munmap(area + at * PAGE, (size_t)n * PAGE) == 0);
	else
		CHILD_CHECK(mmap(area + at * PAGE, (size_t)n * PAGE, PROT_READ | PROT_WRITE,
				 flags[kind] | MAP_FIXED, fd,
				 fd < 0 ? 0 : (off_t)at * PAGE) != MAP_FAILED);
	for (int i = at; i < at + n; i++) {
		model[i].kind = kind;
		model[i].prot = PROT_READ | PROT_WRITE;
		for (int s = 0; s < SPOTS && kind != NOTHING; s++) {
			value = kind == FILE_PRIVATE ? in_file(i, s) : 0;
			if (kind == FILE_SHARED)
				CHILD_CHECK(pread(file_shared, &value, 4, i * PAGE + spots[s]) ==
					    4);
			*wanted(i, s) = value;
		}
	}
}

static void protect(int at, int n)
{
	static const int prots[] = {PROT_NONE, PROT_READ, PROT_READ | PROT_WRITE,
				    PROT_READ | PROT_WRITE};
	int prot = prots[test_random() % ARRAY_LEN(prots)];

	for (int i = at; i < at + n; i++)
		if (model[i].kind == NOTHING)
			return;
	CHILD_CHECK(mprotect(area + at * PAGE, (size_t)n * PAGE, prot) == 0);
	for (int i = at; i < at + n; i++)
		model[i].prot = prot;
}

/*
 * @alone: nobody else of the family is at work, so shared pages may be looked at and made anew. A
 * child makes no new shared pages: its relatives would not have them.
 */
static void step(bool alone, bool child)
{
	int at = (int)(test_random() % PAGES), n = 1 + (int)(test_random() % 8);
	enum kind kind = (enum kind)(test_random() % KINDS);
	bool by_kernel = test_random() % 4 == 0;

	n = n < PAGES - at ? n : PAGES - at;
	switch (test_random() % 16) {
	case 0:
		for (int i = at; i < at + n; i++)
			if (is_shared(i) && child)
				return;
		if (!child || (kind != ANON_SHARED && kind != FILE_SHARED))
			map(at, n, kind);
		break;
	case 1:
	case 2:
		protect(at, n);
		break;
	case 3 ... 9:
		if (alone || !is_shared(at))
			put(at, by_kernel);
		break;
	default:
		if (alone || !is_shared(at))
			look(at, by_kernel);
	}
}

static void look_at_all(bool alone)
{
	for (int i = 0; i < PAGES; i++)
		if (alone || !is_shared(i))
			look(i, i % 2);
}

static void life(int depth, int rounds, bool alone)
{
	for (int n = 0; n < rounds; n++) {
		step(alone && depth == DEPTH, depth < DEPTH);
		if (depth == 0 || test_random() % 128)
			continue;

		unsigned long branch = test_random();
		bool together = test_random() % 2;
		pid_t pid = START({
			close(channel[0]);
			close(channel[1]);
			CHILD_CHECK(pipe(channel) == 0);
			test_random_branch(branch);
			/* Together with its parent it leaves alone what both see. */
			life(depth - 1, rounds / 20, alone && !together);
		});

		CHILD_CHECK(pid > 0);
		for (int i = 0; together && i < 30; i++) {
			int at = (int)(test_random() % PAGES);

			if (!is_shared(at))
				put(at, i % 3 == 0);
		}
		CHILD_CHECK(wait_status(pid) == 0);
	}
	look_at_all(alone);
}

static bool make_files(void)
{
	static unsigned page[PAGE / 4];
	bool ok = true;

	file_private = open("private", O_RDWR | O_CREAT | O_TRUNC, 0600);
	file_shared = open("shared", O_RDWR | O_CREAT | O_TRUNC, 0600);
	for (int i = 0; i < PAGES; i++) {
		for (int s = 0; s < SPOTS; s++)
			page[spots[s] / 4] = in_file(i, s);
		ok = ok && write(file_private, page, PAGE) == PAGE;
		ok = ok && write(file_shared, page, PAGE) == PAGE;
	}
	return ok;
}

static void run_in(const char *parent)
{
	REQUIRE(enter_scratch(parent));
	REQUIRE(make_files());
	REQUIRE_EQ(pipe(channel), 0);
	shared_model = mmap(NULL, sizeof(*shared_model) * PAGES, PROT_READ | PROT_WRITE,
			    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	area = mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	REQUIRE((void *)shared_model != MAP_FAILED && area != MAP_FAILED);
	for (int i = 0; i < PAGES; i++)
		model[i] = (struct page_model){.kind = ANON, .prot = PROT_READ | PROT_WRITE};

	unsigned long branch = test_random();

	CHECK_EXIT(CHILD_STATUS({
			   test_random_branch(branch);
			   life(DEPTH, ROUNDS, true);
		   }),
		   0);

	munmap(area, PAGES * PAGE);
	munmap(shared_model, sizeof(*shared_model) * PAGES);
	close(channel[0]);
	close(channel[1]);
	close(file_private);
	close(file_shared);
	leave_scratch(parent);
}

TEST(a_model_of_memory_with_files_of_tmpfs)
{
	for (int i = 0; i < 3; i++)
		run_in("/tmp");
}

TEST(a_model_of_memory_with_files_on_disk)
{
	run_in("/var/tmp");
}

/* A page that was written, then made inaccessible, comes back; not the file's page below it. */
TEST(written_pages_outlive_prot_none)
{
	static char page[PAGE];
	char *map;
	int fd;

	REQUIRE(enter_scratch("/tmp"));
	fd = open("f", O_RDWR | O_CREAT, 0600);
	REQUIRE(fd >= 0);
	for (int i = 0; i < 4; i++) {
		memset(page, 'a' + i, PAGE);
		CHECK_EQ(write(fd, page, PAGE), PAGE);
	}
	map = mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
	REQUIRE(map != MAP_FAILED);
	map[PAGE] = 'X';
	map[2 * PAGE + 1] = 'Y';
	CHECK_EQ(mprotect(map, 4 * PAGE, PROT_NONE), 0);
	CHECK_EQ(mprotect(map, 4 * PAGE, PROT_READ | PROT_WRITE), 0);
	CHECK_EQ(map[0], 'a'); /* the neighbours may come along */
	CHECK_EQ(map[PAGE], 'X');
	CHECK_EQ(map[2 * PAGE + 1], 'Y');
	CHECK_EQ(map[3 * PAGE], 'd');
	munmap(map, 4 * PAGE);
	close(fd);
	leave_scratch("/tmp");
}
