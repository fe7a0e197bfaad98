/* SPDX-License-Identifier: MIT */
/*
 * Everything at once for a while: files with random operations beside a model in memory, names
 * beside a list of them, private and shared memory, fork and exec, pipes; and signals, stops among
 * them, to all of these. At the end nothing is wrong and all pages are back. STRESS_SECONDS in the
 * environment says for how long; --seed repeats what each does, if not when.
 */
#include "guest.h"

#include <dirent.h>
#include <sys/mman.h>

#define RW (PROT_READ | PROT_WRITE)
#define SECONDS 8
#define FILE_MAX (192 * 1024)

static long long deadline;

static unsigned long pick(unsigned long n)
{
	return (test_random() >> 16) % n;
}

static int go_on(void)
{
	return now_ns() < deadline;
}

static void nothing(int sig)
{
	(void)sig;
}

/* ---- a file and its model ---- */

struct model {
	int fd;
	size_t size;
	char *bytes; /* FILE_MAX; 0 behind size */
	char path[2][16];
	int which;
	unsigned ops;
};

#define MODEL_CHECK(m, cond, what)                                                      \
	do {                                                                            \
		if (!(cond)) {                                                          \
			dprintf(1, "# %s: %s is false at operation %u: %s, errno %d\n", \
				(m)->path[(m)->which], #cond, (m)->ops, what, errno);   \
			_exit(112);                                                     \
		}                                                                       \
	} while (0)

static void compare(struct model *m, const char *got, size_t at, size_t n, const char *what)
{
	for (size_t i = 0; i < n; i++)
		if (got[i] != m->bytes[at + i]) {
			dprintf(1, "# %s: byte %lu of %lu is %d, not %d, after %u operations: %s\n",
				m->path[m->which], (unsigned long)(at + i), (unsigned long)m->size,
				got[i], m->bytes[at + i], m->ops, what);
			_exit(113);
		}
}

static void check_range(struct model *m, size_t at, size_t n)
{
	static char buf[FILE_MAX];
	ssize_t r = pread(m->fd, buf, n, (off_t)at), want = 0;

	if (at < m->size)
		want = (ssize_t)(n < m->size - at ? n : m->size - at);
	MODEL_CHECK(m, r == want, "length of a read");
	compare(m, buf, at, (size_t)want, "read");
}

static void write_some(struct model *m, int append)
{
	static char buf[20000];
	size_t n = 1 + pick(sizeof(buf)), at = append ? m->size : pick(FILE_MAX - n);
	ssize_t r;

	if (at + n > FILE_MAX)
		return;
	memset(buf, (int)(1 + pick(255)), n);
	if (append) {
		int fd = open(m->path[m->which], O_WRONLY | O_APPEND);

		MODEL_CHECK(m, fd >= 0, "open to append");
		r = write(fd, buf, n);
		close(fd);
	} else {
		r = pwrite(m->fd, buf, n, (off_t)at);
	}
	MODEL_CHECK(m, r > 0 || (r < 0 && errno == ENOSPC), "write");
	if (r > 0) {
		memcpy(m->bytes + at, buf, (size_t)r);
		m->size = at + (size_t)r > m->size ? at + (size_t)r : m->size;
	}
}

static void change_size(struct model *m)
{
	size_t size = pick(4) ? pick(FILE_MAX) : pick(FILE_MAX / PAGE) * PAGE;

	MODEL_CHECK(m, ftruncate(m->fd, (off_t)size) == 0, "ftruncate");
	if (size < m->size)
		memset(m->bytes + size, 0, m->size - size);
	m->size = size;
}

/* Through a mapping: shared is the file, private is a copy as far as it is written. */
static void through_mapping(struct model *m, int shared)
{
	size_t first = pick(FILE_MAX / PAGE) * PAGE, len = (1 + pick(8)) * PAGE, at, n;
	char *p;

	if (first >= m->size)
		return;
	p = mmap(NULL, len, RW, shared ? MAP_SHARED : MAP_PRIVATE, m->fd, (off_t)first);
	MODEL_CHECK(m, p != MAP_FAILED, "mmap");
	n = len < m->size - first ? len : m->size - first;
	compare(m, p, first, n, shared ? "shared mapping" : "private mapping");
	at = pick(n);
	if (pick(2))
		p[at] = (char)pick(256);
	/* A full disk would be a bus error: into a hole only what write() has made room for. */
	if (shared) {
		m->bytes[first + at] = p[at];
		if (pick(4) == 0)
			MODEL_CHECK(m, msync(p, len, MS_SYNC) == 0, "msync");
	}
	check_range(m, first + at, 1);
	MODEL_CHECK(m, munmap(p, len) == 0, "munmap");
}

static void another_name(struct model *m)
{
	switch (pick(3)) {
	case 0:
		MODEL_CHECK(m, rename(m->path[m->which], m->path[!m->which]) == 0, "rename");
		m->which = !m->which;
		break;
	case 1:
		close(m->fd);
		m->fd = open(m->path[m->which], O_RDWR);
		MODEL_CHECK(m, m->fd >= 0, "open");
		break;
	default: /* without a name for a moment */
		MODEL_CHECK(m, unlink(m->path[m->which]) == 0, "unlink");
		check_range(m, pick(FILE_MAX / 2), 1000);
		close(m->fd);
		m->fd = open(m->path[m->which], O_RDWR | O_CREAT | O_EXCL, 0600);
		MODEL_CHECK(m, m->fd >= 0, "create");
		memset(m->bytes, 0, m->size);
		m->size = 0;
	}
}

static void a_child_looks(struct model *m)
{
	pid_t pid = fork();

	if (pid == 0) {
		through_mapping(m, 0);
		check_range(m, 0, FILE_MAX);
		_exit(0);
	}
	MODEL_CHECK(m, pid > 0 && wait_status(pid) == 0, "a child that looks");
}

static void file_life(void)
{
	struct model m = {.bytes = calloc(1, FILE_MAX)};

	snprintf(m.path[0], sizeof(m.path[0]), "m%d", (int)getpid());
	snprintf(m.path[1], sizeof(m.path[1]), "n%d", (int)getpid());
	m.fd = open(m.path[0], O_RDWR | O_CREAT | O_EXCL, 0600);
	MODEL_CHECK(&m, m.bytes && m.fd >= 0, "create");
	for (; go_on(); m.ops++) {
		switch (pick(12)) {
		case 0:
		case 1:
			write_some(&m, 0);
			break;
		case 2:
			write_some(&m, 1);
			break;
		case 3:
			change_size(&m);
			break;
		case 4:
		case 5:
			through_mapping(&m, 1);
			break;
		case 6:
			through_mapping(&m, 0);
			break;
		case 7:
			if (pick(4) == 0)
				MODEL_CHECK(&m, (pick(2) ? fsync(m.fd) : fdatasync(m.fd)) == 0,
					    "fsync");
			break;
		case 8:
			if (pick(3) == 0)
				another_name(&m);
			break;
		case 9:
			if (pick(8) == 0)
				a_child_looks(&m);
			break;
		default:
			check_range(&m, pick(FILE_MAX), 1 + pick(FILE_MAX / 4));
		}
	}
	check_range(&m, 0, FILE_MAX);
	unlink(m.path[m.which]);
}

/* ---- names ---- */

#define NAMES 150

static unsigned entries(void)
{
	DIR *d = opendir(".");
	unsigned n = 0;

	CHILD_CHECK(d != NULL);
	while (readdir(d))
		n++;
	closedir(d);
	return n - 2;
}

static void name_life(void)
{
	char there[NAMES] = {0}, dir[24], a[40], b[40];
	unsigned count = 0;

	snprintf(dir, sizeof(dir), "d%d", (int)getpid());
	CHILD_CHECK(mkdir(dir, 0700) == 0 && chdir(dir) == 0);
	for (unsigned op = 0; go_on(); op++) {
		unsigned i = (unsigned)pick(NAMES), j = (unsigned)pick(NAMES);
		int fd;

		snprintf(a, sizeof(a), "%.*s%u", (int)(i % 20), "a-name-of-this-length", i);
		snprintf(b, sizeof(b), "%.*s%u", (int)(j % 20), "a-name-of-this-length", j);
		switch (pick(4)) {
		case 0:
			fd = open(a, O_WRONLY | O_CREAT | O_EXCL, 0600);
			CHILD_CHECK((fd >= 0) == !there[i]);
			close(fd);
			count += !there[i];
			there[i] = 1;
			break;
		case 1:
			CHILD_CHECK((unlink(a) == 0) == there[i]);
			count -= there[i];
			there[i] = 0;
			break;
		case 2:
			if (i == j)
				break;
			CHILD_CHECK((rename(a, b) == 0) == there[i]);
			if (there[i]) {
				count -= there[j];
				there[i] = 0;
				there[j] = 1;
			}
			break;
		default:
			CHILD_CHECK((access(a, F_OK) == 0) == there[i]);
		}
		if (op % 100 == 0)
			CHILD_CHECK(entries() == count);
	}
	CHILD_CHECK(entries() == count);
	CHILD_CHECK(chdir("..") == 0);
}

/* ---- memory ---- */

#define PAGES 48

static void check_pages_of(const char *p, const char *value)
{
	for (int i = 0; i < PAGES; i++)
		CHILD_CHECK(p[i * PAGE] == value[i] && p[i * PAGE + PAGE - 1] == value[i]);
}

static void fill(char *p, char *value, int i)
{
	value[i] = (char)pick(256);
	p[i * PAGE] = p[i * PAGE + PAGE - 1] = value[i];
}

/* Private memory: every process of a short line of descent has its own. */
static void memory_life(void)
{
	char *p = mmap(NULL, PAGES * PAGE, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char value[PAGES] = {0};

	CHILD_CHECK(p != MAP_FAILED);
	while (go_on()) {
		int i = (int)pick(PAGES), n = 1 + (int)pick((unsigned)(PAGES - i));

		switch (pick(6)) {
		case 0:
			CHILD_CHECK(madvise(p + i * PAGE, (size_t)n * PAGE, MADV_DONTNEED) == 0);
			memset(value + i, 0, (size_t)n);
			break;
		case 1:
			CHILD_CHECK(mprotect(p + i * PAGE, (size_t)n * PAGE, PROT_NONE) == 0);
			CHILD_CHECK(mprotect(p + i * PAGE, (size_t)n * PAGE, RW) == 0);
			break;
		case 2:
			CHILD_CHECK(mmap(p + i * PAGE, (size_t)n * PAGE, RW,
					 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1,
					 0) == p + i * PAGE);
			memset(value + i, 0, (size_t)n);
			break;
		case 3: {
			pid_t pid = fork();

			if (pid == 0) {
				for (int k = 0; k < 10; k++)
					fill(p, value, (int)pick(PAGES));
				check_pages_of(p, value);
				_exit(0);
			}
			for (int k = 0; k < 5; k++)
				fill(p, value, (int)pick(PAGES));
			CHILD_CHECK(pid > 0 && wait_status(pid) == 0);
			break;
		}
		default:
			for (int k = 0; k < n; k++)
				fill(p, value, i + k);
		}
		check_pages_of(p, value);
	}
}

/* Memory shared with children: what they add up is the sum. */
static void shared_life(void)
{
	while (go_on()) {
		long *sum = mmap(NULL, 4 * PAGE, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
		long want = 0, got = 0;
		pid_t pids[3];

		CHILD_CHECK(sum != MAP_FAILED);
		for (int c = 0; c < 3; c++) {
			int n = 1 + (int)pick(2000);

			want += n;
			pids[c] = fork();
			if (pids[c] == 0) {
				for (int i = 0; i < n; i++)
					__atomic_fetch_add(&sum[i % 4 * PAGE / (int)sizeof(long)],
							   1, __ATOMIC_SEQ_CST);
				_exit(0);
			}
			CHILD_CHECK(pids[c] > 0);
		}
		for (int c = 0; c < 3; c++)
			CHILD_CHECK(wait_status(pids[c]) == 0);
		for (int i = 0; i < 4; i++)
			got += sum[i * PAGE / (int)sizeof(long)];
		CHILD_CHECK(got == want);
		CHILD_CHECK(munmap(sum, 4 * PAGE) == 0);
	}
}

/* ---- processes and pipes ---- */

static void exec_life(void)
{
	while (go_on()) {
		char command[32];
		int code = (int)pick(100), status;
		pid_t pid;

		snprintf(command, sizeof(command), "exit %d", code);
		pid = fork();
		if (pid == 0) {
			if (pick(2))
				execl("/bin/sh", "sh", "-c", command, (char *)NULL);
			_exit(code);
		}
		CHILD_CHECK(pid > 0);
		if (pick(4) == 0)
			kill(pid, SIGKILL);
		status = wait_status(pid);
		CHILD_CHECK(WIFSIGNALED(status) ? WTERMSIG(status) == SIGKILL
						: WEXITSTATUS(status) == code);
	}
}

static void pipe_life(void)
{
	static unsigned char out[9000], in[9000];

	while (go_on()) {
		size_t total = 1 + pick(200000), done = 0;
		unsigned seed = (unsigned)pick(256);
		int fds[2];
		pid_t pid;

		CHILD_CHECK(pipe(fds) == 0);
		pid = fork();
		if (pid == 0) {
			close(fds[0]);
			while (done < total) {
				size_t n = 1 + pick(sizeof(out));
				ssize_t r;

				n = n < total - done ? n : total - done;
				for (size_t i = 0; i < n; i++)
					out[i] = (unsigned char)((done + i) * 7 + seed);
				r = write(fds[1], out, n);
				CHILD_CHECK(r > 0);
				done += (size_t)r;
			}
			_exit(0);
		}
		CHILD_CHECK(pid > 0);
		close(fds[1]);
		for (;;) {
			ssize_t n = read(fds[0], in, 1 + pick(sizeof(in)));

			CHILD_CHECK(n >= 0);
			if (!n)
				break;
			for (ssize_t i = 0; i < n; i++)
				CHILD_CHECK(in[i] ==
					    (unsigned char)((done + (size_t)i) * 7 + seed));
			done += (size_t)n;
		}
		CHILD_CHECK(done == total);
		close(fds[0]);
		CHILD_CHECK(wait_status(pid) == 0);
	}
}

/* ---- all of them ---- */

struct life {
	void (*live)(void);
	const char *place;
};

static const struct life lives[] = {
	{file_life, "/var/tmp"}, {file_life, "/var/tmp"}, {file_life, "/tmp"},
	{name_life, "/var/tmp"}, {name_life, "/tmp"},     {memory_life, NULL},
	{shared_life, NULL},     {exec_life, NULL},       {pipe_life, NULL},
};

static void send_signals(const pid_t *pids, int n)
{
	static const int sigs[] = {SIGUSR1, SIGUSR2, SIGALRM, SIGSTOP, SIGCHLD, SIGINT};

	while (go_on()) {
		pid_t pid = pids[pick((unsigned)n)];
		int sig = sigs[pick(ARRAY_LEN(sigs))];

		kill(pid, sig);
		if (sig == SIGSTOP && pick(2))
			sleep_ms(1 + (long)pick(5));
		kill(pid, SIGCONT);
		sleep_ms(2 + (long)pick(20));
	}
}

TEST(everything_at_once)
{
	const char *words = getenv("STRESS_SECONDS");
	long seconds = words ? atol(words) : SECONDS, lost = 0, before;
	pid_t pids[ARRAY_LEN(lives)];
	char folder[64];

	for (unsigned i = 0; i < 2; i++) {
		snprintf(folder, sizeof(folder), "%s/stress.%d", i ? "/var/tmp" : "/tmp",
			 (int)getpid());
		REQUIRE_EQ(mkdir(folder, 0700), 0);
	}
	before = free_pages();
	deadline = now_ns() + seconds * 1000000000ll;
	for (unsigned i = 0; i < ARRAY_LEN(lives); i++) {
		unsigned long branch = test_random();

		pids[i] = START({
			static const int sigs[] = {SIGUSR1, SIGUSR2, SIGALRM, SIGINT};

			for (unsigned s = 0; s < ARRAY_LEN(sigs); s++)
				handle(sigs[s], nothing, SA_RESTART);
			test_random_branch(branch);
			if (lives[i].place) {
				snprintf(folder, sizeof(folder), "%s/stress.%d", lives[i].place,
					 (int)getppid());
				CHILD_CHECK(chdir(folder) == 0);
			}
			lives[i].live();
		});
	}
	sleep_ms(100); /* all have their handlers */
	send_signals(pids, (int)ARRAY_LEN(pids));
	for (unsigned i = 0; i < ARRAY_LEN(lives); i++)
		CHECK_EXIT(wait_status(pids[i]), 0);
	for (unsigned i = 0; i < 2; i++) {
		char command[96];

		snprintf(command, sizeof(command), "rm -rf %s/stress.%d", i ? "/var/tmp" : "/tmp",
			 (int)getpid());
		CHECK_EQ(system(command), 0);
	}
	for (int i = 0; i < 60; i++) {
		lost = before - free_pages();
		if (lost <= 24)
			break;
		sleep_ms(50);
	}
	CHECK_THAT(lost <= 24, "%ld pages are missing", lost);
}
