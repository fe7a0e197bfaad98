/* SPDX-License-Identifier: MIT */
/*
 * Random system calls that mean something. Where random.c throws numbers at the kernel, most of
 * which it refuses at the door, here each argument is of the kind that its call expects:
 * descriptors of every sort of file, names that exist, buffers that end at a page's edge or in the
 * middle of a mapping that another thread takes away just now, sizes that fit or do not by one. So
 * the calls go deep, and meet: each round is a process of several threads, which share the arena of
 * buffers, the descriptors and the files with each other and with the rounds before.
 *
 * Nothing that a round does may hurt anybody else. At the end of each the process must be killable,
 * and at the end of all, the pages must be back. SECONDS in the environment: how long (by hand).
 */
#include "hostile.h"

#include <stdint.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <time.h>

#define ROUNDS 60
#define CALLS 300 /* in one thread */
#define THREADS 4 /* at most */
#define ARENA 16  /* pages */
#define STACK (4 * PAGE)
#define ROUND_MS 400  /* for a round: many wait for what never comes */
#define DEATH_MS 5000 /* for its end, once it is killed */

/*
 * Kinds: f descriptor, d directory's descriptor or AT_FDCWD, p path, b buffer, n length for it,
 * v iovec (its count follows as c), o open flags, m mode, s signal, S signal set, g sigaction,
 * t timespec, T timeval or itimerval, i small number, q process, P protection, M mapping flags,
 * a address in the arena, l length in pages, O offset, x anything, w pollfds, k socket address,
 * K its length, h msghdr, A AF_*, y SOCK_*, L SOL_*, u SO_*, z MSG_*.
 */
static const struct {
	const char *call, *kinds;
} kinds[] = {
	{"open", "pom"},
	{"close", "f"},
	{"read", "fbn"},
	{"write", "fbn"},
	{"lseek", "fOi"},
	{"pread", "fbnO"},
	{"pwrite", "fbnO"},
	{"readv", "fvc"},
	{"writev", "fvc"},
	{"dup", "f"},
	{"dup2", "ff"},
	{"pipe2", "bo"},
	{"fcntl", "fix"},
	{"ioctl", "fxb"},
	{"stat", "pb"},
	{"lstat", "pb"},
	{"fstat", "fb"},
	{"access", "pi"},
	{"chdir", "p"},
	{"fchdir", "f"},
	{"getcwd", "bn"},
	{"mkdir", "pm"},
	{"rmdir", "p"},
	{"unlink", "p"},
	{"link", "pp"},
	{"symlink", "pp"},
	{"readlink", "pbn"},
	{"rename", "pp"},
	{"chmod", "pm"},
	{"fchmod", "fm"},
	{"truncate", "pO"},
	{"ftruncate", "fO"},
	{"utimens", "pfbi"},
	{"mknod", "pmi"},
	{"getdents", "fbn"},
	{"fsync", "f"},
	{"statfs", "pb"},
	{"fstatfs", "fb"},
	{"poll", "wii"},
	{"select", "ibbbT"},
	{"fallocate", "fOn"},
	{"mmap", "alPMfO"},
	{"munmap", "al"},
	{"mprotect", "alP"},
	{"msync", "ali"},
	{"madvise", "ali"},
	{"mincore", "alb"},
	{"brk", "x"},
	{"mlock", "al"},
	{"mlockall", "i"},
	{"sigaction", "sgbx"},
	{"sigprocmask", "iSb"},
	{"sigpending", "b"},
	{"sigaltstack", "bb"},
	{"alarm", "i"},
	{"setitimer", "iTb"},
	{"getitimer", "ib"},
	{"nanosleep", "tb"},
	{"clock_gettime", "ib"},
	{"clock_nanosleep", "iitb"},
	{"times", "b"},
	{"getrusage", "ib"},
	{"getrlimit", "ib"},
	{"wait4", "qbib"},
	{"waitid", "iqbib"},
	{"fork", ""},
	{"vfork", ""},
	{"getpgid", "q"},
	{"setpgid", "qq"},
	{"getsid", "q"},
	{"umask", "m"},
	{"getrandom", "bni"},
	{"sysinfo", "b"},
	{"uname", "b"},
	{"sched_yield", ""},
	{"futex", "biita"},
	{"gettid", ""},
	{"tkill", "qs"},
	{"sigqueue", "qsx"},
	{"sigtimedwait", "Sbt"},
	{"kill", "qs"},
	{"thread_exit", "al"},
	{"timer_create", "iisxq"},
	{"timer_settime", "iiTb"},
	{"timer_gettime", "ib"},
	{"timer_delete", "i"},
	{"timer_getoverrun", "i"},
	{"clock_nanosleep", "iitb"},
	{"clock_gettime", "ib"},
	{"getrusage", "ib"},
	{"getresuid", "bbb"},
	{"setresgid", "iii"},
	{"getpriority", "iq"},
	{"setpriority", "iqi"},
	{"getrlimit", "ib"},
	{"setrlimit", "ib"},
	{"openat", "dpom"},
	{"mkdirat", "dpm"},
	{"mknodat", "dpmi"},
	{"unlinkat", "dpi"},
	{"linkat", "dpdpi"},
	{"symlinkat", "pdp"},
	{"readlinkat", "dpbn"},
	{"renameat", "dpdp"},
	{"fchmodat", "dpmi"},
	{"faccessat", "dpii"},
	{"fstatat", "dpbi"},
	{"utimensat", "dpbi"},
	{"flock", "fi"},
	{"fdatasync", "f"},
	{"socket", "Ayi"},
	{"socketpair", "Ayib"},
	{"bind", "fkK"},
	{"listen", "fi"},
	{"accept4", "fbbo"},
	{"connect", "fkK"},
	{"getsockname", "fbb"},
	{"getpeername", "fbb"},
	{"sendto", "fbnzkK"},
	{"recvfrom", "fbnzbb"},
	{"sendmsg", "fhz"},
	{"recvmsg", "fhz"},
	{"setsockopt", "fLubn"},
	{"getsockopt", "fLubb"},
	{"shutdown", "fi"},
	{"ppoll", "witS"},
	{"pselect", "ibbbtS"},
	{"execve", "pbb"},
	{"set_tls", "a"},
	{"set_robust_list", "bn"},
};

static struct {
	long number;
	const char *kinds;
} known[ARRAY_LEN(kinds)];
static size_t nr_known;
static long thread_create = -1;

/* Of one thread: the libraries' own may not be used by several at once. */
struct state {
	uint64_t random;
	char *arena;
	int left; /* calls */
	struct parvix_iovec_like {
		void *base;
		unsigned long len;
	} iov[4];
	struct {
		int fd;
		short events, revents;
	} polls[4];
	struct timespec ts[2];
	unsigned long words[8];
	struct {
		unsigned short family;
		char path[108];
	} address;
	/* As <sys/socket.h> has them; the control message is one with descriptors. */
	struct {
		void *name;
		unsigned namelen;
		void *iov;
		int iovlen;
		void *control;
		unsigned controllen;
		int flags;
	} header;
	struct {
		unsigned len;
		int level, type, unused, fds[8];
	} control;
};

static struct state states[THREADS];
static volatile int running;

static uint64_t number(struct state *s)
{
	s->random ^= s->random << 13;
	s->random ^= s->random >> 7;
	s->random ^= s->random << 17;
	return s->random;
}

static uint64_t below(struct state *s, uint64_t n)
{
	return (number(s) >> 11) % n;
}

static const char *const paths[] = {
	"a",
	"b",
	"c",
	"dir",
	"dir/a",
	"dir/dir",
	"dir/dir/b",
	"link",
	"loop",
	".",
	"..",
	"dir/..",
	"fifo",
	"socket",
	"true",
	"/dev/null",
	"/dev/zero",
	"/dev/full",
	"/dev/tty",
	"/dev/ptmx",
	"/proc/self",
	"/proc/stat",
	"/proc/self/maps",
	"/proc/self/fd",
	"/tmp",
	"",
	"a/",
	"missing/a",
	"/dev/fd/0",
	"/proc/self/status",
};

/* Somewhere in the arena; often so that the buffer ends at the edge of a page. */
static char *place(struct state *s, size_t *room)
{
	size_t page = below(s, ARENA), at = below(s, 4) ? PAGE - 1 - below(s, 64) : below(s, PAGE);

	*room = PAGE - at;
	if (below(s, 24) == 0)
		return (char *)wild_pointers[below(s, ARRAY_LEN(wild_pointers))];
	return s->arena + page * PAGE + (below(s, 2) ? at & ~7ul : at);
}

static long argument(struct state *s, char kind, size_t *room);

/* A message: a vector, now and then an address, often descriptors. */
static void *message(struct state *s, size_t *room)
{
	static const int levels[] = {0xffff, 0xffff, 0xffff, 0};
	int n = (int)below(s, 9);

	argument(s, 'v', room);
	s->header.iov = s->iov;
	s->header.iovlen = (int)below(s, 5);
	s->header.name = below(s, 4) ? NULL : (void *)argument(s, 'k', room);
	s->header.namelen = (unsigned)argument(s, 'K', room);
	s->control.len = 16 + 4 * (unsigned)n + (below(s, 8) ? 0 : (unsigned)number(s));
	s->control.level = levels[below(s, 4)];
	s->control.type = 1 + (int)below(s, 8) / 6;
	for (int i = 0; i < n; i++)
		s->control.fds[i] = (int)below(s, 28);
	s->header.control = below(s, 3) ? (void *)&s->control
					: (void *)(below(s, 2) ? NULL : place(s, room));
	s->header.controllen = below(s, 6) ? sizeof(s->control) : (unsigned)below(s, 600);
	return below(s, 16) ? &s->header : (void *)place(s, room);
}

static long argument(struct state *s, char kind, size_t *room)
{
	static const short protections[] = {0, 1, 2, 3, 3, 3, 5, 7};
	static const unsigned flags[] = {O_RDONLY,
					 O_WRONLY,
					 O_RDWR,
					 O_RDWR | O_CREAT,
					 O_RDWR | O_CREAT | O_TRUNC,
					 O_WRONLY | O_APPEND,
					 O_RDONLY | O_DIRECTORY,
					 O_CREAT | O_EXCL | O_RDWR,
					 O_NONBLOCK | O_CLOEXEC};
	static const int types[] = {1, 2, 5, 0x4001, 0x4002, 0x4005, 9};

	switch (kind) {
	case 'f':
		return below(s, 20) ? (long)below(s, 28) : (long)number(s);
	case 'd':
		return below(s, 3) ? AT_FDCWD : (long)below(s, 28);
	case 'p':
		return (long)paths[below(s, ARRAY_LEN(paths))];
	case 'k':
		s->address.family = below(s, 16) ? 1 : (unsigned short)below(s, 12);
		strcpy(s->address.path, below(s, 2) ? "socket" : below(s, 2) ? "dir/socket" : "a");
		return below(s, 16) ? (long)&s->address : (long)place(s, room);
	case 'K':
		return below(s, 8) ? 2 + 11 : (long)below(s, 140);
	case 'h':
		return (long)message(s, room);
	case 'A':
		return below(s, 8) ? 1 : (long)below(s, 12);
	case 'y':
		return types[below(s, ARRAY_LEN(types))];
	case 'L':
		return below(s, 8) ? 0xffff : (long)below(s, 20);
	case 'u':
		return (long)(below(s, 2) ? 0x1001 + below(s, 8) : 1ul << below(s, 11));
	case 'z':
		return (long)(below(s, 3) ? 0x80 : 0) | (below(s, 3) ? 0 : (long)below(s, 0x100));
	case 'b':
		return (long)place(s, room);
	case 'n':
		return (long)(*room + below(s, 3) - 1 + (below(s, 6) ? 0 : below(s, 3 * PAGE)));
	case 'v':
		for (int i = 0; i < 4; i++) {
			s->iov[i].base = place(s, room);
			s->iov[i].len = below(s, 2) ? *room : below(s, 2 * PAGE);
		}
		return (long)s->iov;
	case 'c':
		return (long)below(s, 5);
	case 'w':
		for (int i = 0; i < 4; i++) {
			s->polls[i].fd = (int)below(s, 28);
			s->polls[i].events = (short)number(s);
		}
		return (long)s->polls;
	case 'o':
		return flags[below(s, ARRAY_LEN(flags))] | (below(s, 2) ? O_NONBLOCK : 0);
	case 'm':
		return (long)(below(s, 2) ? 0777 : number(s) & 0177777);
	case 's':
		return (long)below(s, 66);
	case 'S':
	case 'g':
		for (size_t i = 0; i < ARRAY_LEN(s->words); i++)
			s->words[i] = below(s, 2) ? number(s) : below(s, 2);
		return (long)s->words;
	case 't':
	case 'T':
		for (int i = 0; i < 2; i++) {
			s->ts[i].tv_sec = below(s, 16) ? 0 : (time_t)number(s);
			s->ts[i].tv_nsec = (long)below(s, 1000000);
		}
		return (long)s->ts;
	case 'q':
		return below(s, 3) ? 0 : below(s, 2) ? -1 : (long)below(s, 1000);
	case 'P':
		return protections[below(s, ARRAY_LEN(protections))];
	case 'M':
		return (long)(1 + below(s, 2) + (below(s, 3) ? MAP_FIXED : 0) +
			      (below(s, 2) ? MAP_ANONYMOUS : 0));
	case 'a':
		return (long)(s->arena + below(s, ARENA) * PAGE + (below(s, 16) ? 0 : 1));
	case 'l':
		return (long)(below(s, 4) * PAGE + (below(s, 4) ? 0 : below(s, PAGE)));
	case 'O':
		return (long)(below(s, 8) ? below(s, 64 * PAGE) : number(s) >> below(s, 63));
	case 'i':
		return (long)below(s, 10) - 1;
	default:
		return (long)(number(s) >> below(s, 64));
	}
}

static long raw(const char *call, long a0, long a1, long a2)
{
	for (int n = 0; n < SYS_count; n++)
		if (calls[n].name && strcmp(calls[n].name, call) == 0)
			return raw_call(n, (const long[6]){a0, a1, a2});
	return -ENOSYS;
}

/* What a process must not do, if it is to tell something about the kernel. */
static int is_left_out(long n, const long *a)
{
	return (n == SYS_kill && a[0] <= 0) ||
	       (n == SYS_munmap && (unsigned long)a[1] > 8 * PAGE) || (n == SYS_close && a[0] < 0);
}

static void one_call(struct state *s)
{
	size_t which = below(s, nr_known), room = PAGE;
	const char *k = known[which].kinds;
	long args[6] = {0};

	for (int i = 0; k[i]; i++)
		args[i] = argument(s, k[i], &room);
	if (is_left_out(known[which].number, args))
		return;
	if (raw_call(known[which].number, args) == 0 &&
	    (known[which].number == SYS_fork ||
	     strcmp(calls[known[which].number].name, "vfork") == 0))
		raw_call(SYS_exit, (const long[6]){0});
}

static void calls_of_a_thread(struct state *s)
{
	while (s->left-- > 0)
		one_call(s);
	if (__atomic_sub_fetch(&running, 1, __ATOMIC_SEQ_CST) == 0)
		raw_call(SYS_exit, (const long[6]){0});
	for (;;) /* the last one ends the process */
		raw("nanosleep", (long)&(struct timespec){.tv_sec = 1}, 0, 0);
}

static void start_threads(int n)
{
	running = n;
	for (int i = 1; i < n; i++) {
		char *stack = mmap(NULL, STACK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
				   -1, 0);
		long args[6] = {(long)calls_of_a_thread, (long)&states[i],
				(long)(stack + STACK - 8), 0, 0};

		if (stack == MAP_FAILED || raw_call(thread_create, args) < 0)
			__atomic_sub_fetch(&running, 1, __ATOMIC_SEQ_CST);
	}
}

/* Descriptors 3 to about 20: of every kind that there is. */
static void open_everything(void)
{
	static const char *const names[] = {"a",
					    "b",
					    "dir",
					    "/dev/zero",
					    "/dev/null",
					    "/dev/full",
					    "/proc/self/maps",
					    "/dev/ptmx",
					    "/dev/tty",
					    "fifo"};
	int fds[2];

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		open(names[i], (strcmp(names[i], "dir") ? O_RDWR | O_CREAT : O_RDONLY) | O_NONBLOCK,
		     0666);
	pipe(fds);
	pipe2(fds, O_NONBLOCK);
	for (long type = 1; type <= 5; type += type < 2 ? 1 : 3)
		for (int n = 0; n < SYS_count; n++)
			if (calls[n].name && strcmp(calls[n].name, "socketpair") == 0)
				raw_call(n, (const long[6]){1, type, 0, (long)fds});
}

static void nothing(int sig)
{
	(void)sig;
}

static void one_round(unsigned long seed)
{
	const struct itimerval often = {.it_value.tv_usec = 20000, .it_interval.tv_usec = 20000};
	const struct rlimit small = {24, 24}, big = {64 << 20, 64 << 20},
			    room = {32 << 20, 32 << 20};
	char *arena;
	int threads;

	setsid();
	if (setuid(1000) || chdir("/tmp/s"))
		_exit(98);
	setrlimit(RLIMIT_NPROC, &small); /* forks of forks */
	setrlimit(RLIMIT_FSIZE, &big);
	setrlimit(RLIMIT_DATA, &room);
	handle(SIGALRM, nothing, 0);
	signal(SIGTTOU, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);
	setitimer(ITIMER_REAL, &often, NULL); /* whoever waits for ever is interrupted */
	arena = mmap(NULL, ARENA * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
		     0);
	if (arena == MAP_FAILED)
		_exit(97);
	munmap(arena + 3 * PAGE, PAGE);
	mprotect(arena + 7 * PAGE, PAGE, PROT_READ);
	for (int fd = 0; fd < 3; fd++)
		close(fd);
	open("/dev/null", O_RDWR);
	open_everything();
	for (int i = 0; i < THREADS; i++) {
		states[i].random = (seed + 1) * 0x9e3779b97f4a7c15ul + (unsigned)i * 77 + 1;
		states[i].arena = arena;
		states[i].left = CALLS;
	}
	threads = thread_create < 0 ? 1 : 1 + (int)below(&states[0], THREADS);
	start_threads(threads);
	calls_of_a_thread(&states[0]);
	_exit(0);
}

/* Ended within @ms? */
static bool ends(pid_t pid, int *status, int ms)
{
	for (; ms > 0; ms -= 20) {
		if (waitpid(pid, status, WNOHANG) == pid)
			return true;
		sleep_ms(20);
	}
	return false;
}

static void find_calls(void)
{
	nr_known = 0;
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		for (int n = 0; n < SYS_count; n++) {
			if (!calls[n].name || strcmp(calls[n].name, kinds[i].call))
				continue;
			known[nr_known].number = n;
			known[nr_known++].kinds = kinds[i].kinds;
		}
	for (int n = 0; n < SYS_count; n++)
		if (calls[n].name && strcmp(calls[n].name, "thread_create") == 0)
			thread_create = n;
}

static void set_up(void)
{
	CHECK(system("rm -rf /tmp/s; mkdir -m 777 /tmp/s && cd /tmp/s && mkdir -m 777 -p dir/dir "
		     "&& "
		     "cp /bin/true true && chmod 777 true && ln -s dir link && ln -s loop loop && "
		     "mknod fifo p; chmod 666 fifo") == 0);
}

TEST(structured_calls_of_threads)
{
	const char *text = getenv("SECONDS");
	time_t until = text ? time(NULL) + atoi(text) : 0;
	int ended = 0, killed = 0, signalled = 0, status = 0;
	long before;

	find_calls();
	set_up();
	sleep_ms(100);
	before = free_pages();
	for (int i = 0; text ? time(NULL) < until : i < ROUNDS; i++) {
		unsigned long seed = test_random();
		pid_t pid = START(one_round(seed));

		REQUIRE(pid > 0);
		if (!ends(pid, &status, ROUND_MS)) {
			killed++;
			kill(pid, SIGKILL);
			if (!ends(pid, &status, DEATH_MS)) {
				test_failed(__FILE__, __LINE__,
					    "round %d (number %lu) does not die", i, seed);
				return;
			}
		} else if (WIFSIGNALED(status)) {
			signalled++;
		} else {
			ended++;
		}
	}
	/* Forked by those who are gone. */
	CHECK_EXIT(CHILD_STATUS({
			   setuid(1000);
			   for (int i = 0; i < 100 && kill(-1, SIGKILL) == 0; i++)
				   sleep_ms(20);
		   }),
		   0);
	test_note(
		"%zu calls known; %d rounds came to their end, %d were killed, %d died of a signal",
		nr_known, ended, killed, signalled);
	CHECK(system("rm -rf /tmp/s; sync") == 0);
	CHECK_EXIT(CHILD_STATUS({
			   execl("/bin/true", "true", (char *)NULL);
			   _exit(99);
		   }),
		   0);
	sleep_ms(200);
	CHECK_THAT(before - free_pages() < 64, "%ld pages are lost", before - free_pages());
}
