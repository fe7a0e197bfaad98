/* SPDX-License-Identifier: MIT */
/* System calls as text: arguments and results. See callfmt.h for the kinds. */
#include "callfmt.h"
#include "util.h"

#include <fcntl.h>
#include <parvix/errno.h>
#include <parvix/futex.h>
#include <signal.h>
#include <parvix/termios.h>
#include <parvix/types.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* struct ksigaction of <parvix/signal.h>, whose names <signal.h> uses otherwise. */
struct action {
	unsigned long handler, mask, flags;
};

struct name {
	unsigned long value;
	const char *name;
};
#define NAME(x)       \
	{             \
		x, #x \
	}

static const struct name open_flags[] = {
	NAME(O_APPEND), NAME(O_CREAT),    NAME(O_TRUNC),     NAME(O_EXCL),
	NAME(O_SYNC),   NAME(O_NONBLOCK), NAME(O_NOCTTY),    NAME(O_CLOEXEC),
	NAME(O_DIRECT), NAME(O_NOFOLLOW), NAME(O_DIRECTORY), {0, NULL},
};
static const struct name protections[] = {
	NAME(PROT_READ), NAME(PROT_WRITE), NAME(PROT_EXEC), {0, NULL}};
static const struct name map_flags[] = {
	NAME(MAP_SHARED), NAME(MAP_PRIVATE), NAME(MAP_FIXED), NAME(MAP_ANONYMOUS), {0, NULL}};
static const struct name wait_options[] = {
	NAME(WNOHANG), NAME(WUNTRACED), NAME(WCONTINUED), {0, NULL}};
static const struct name access_modes[] = {NAME(R_OK), NAME(W_OK), NAME(X_OK), {0, NULL}};
static const struct name action_flags[] = {NAME(SA_NOCLDSTOP), NAME(SA_SIGINFO), NAME(SA_ONSTACK),
					   NAME(SA_RESTART),   NAME(SA_NODEFER), NAME(SA_RESETHAND),
					   NAME(SA_NOCLDWAIT), {0, NULL}};
static const struct name poll_events[] = {NAME(POLLIN),  NAME(POLLPRI), NAME(POLLOUT),
					  NAME(POLLERR), NAME(POLLHUP), NAME(POLLNVAL),
					  {0, NULL}};
static const struct name whences[] = {NAME(SEEK_SET), NAME(SEEK_CUR), NAME(SEEK_END), {0, NULL}};
static const struct name hows[] = {
	NAME(SIG_BLOCK), NAME(SIG_UNBLOCK), NAME(SIG_SETMASK), {0, NULL}};
static const struct name fcntls[] = {
	NAME(F_DUPFD), NAME(F_GETFD), NAME(F_SETFD),  NAME(F_GETFL),         NAME(F_SETFL),
	NAME(F_GETLK), NAME(F_SETLK), NAME(F_SETLKW), NAME(F_DUPFD_CLOEXEC), {0, NULL}};
static const struct name ioctls[] = {
	NAME(TCGETS),    NAME(TCSETS),     NAME(TCSETSW),    NAME(TCSETSF),    NAME(TCSBRK),
	NAME(TCXONC),    NAME(TCFLSH),     NAME(TIOCSCTTY),  NAME(TIOCGPGRP),  NAME(TIOCSPGRP),
	NAME(TIOCOUTQ),  NAME(TIOCGWINSZ), NAME(TIOCSWINSZ), NAME(FIONREAD),   NAME(FIONBIO),
	NAME(TIOCNOTTY), NAME(TIOCGSID),   NAME(TIOCGPTN),   NAME(TIOCSPTLCK), {0, NULL}};
static const struct name clocks[] = {NAME(CLOCK_REALTIME),
				     NAME(CLOCK_MONOTONIC),
				     NAME(CLOCK_PROCESS_CPUTIME_ID),
				     NAME(CLOCK_THREAD_CPUTIME_ID),
				     {0, NULL}};
static const struct name futexes[] = {
	NAME(FUTEX_WAIT), NAME(FUTEX_WAKE), NAME(FUTEX_REQUEUE), {0, NULL}};

static void put_flags(FILE *f, const struct name *names, unsigned long value, const char *none)
{
	const char *bar = "";

	if (value == 0)
		fputs(none, f);
	for (; names->name; names++) {
		if ((value & names->value) != names->value)
			continue;
		fprintf(f, "%s%s", bar, names->name);
		value &= ~names->value;
		bar = "|";
	}
	if (value)
		fprintf(f, "%s%#lx", bar, value);
}

static void put_one(FILE *f, const struct name *names, unsigned long value)
{
	for (; names->name; names++) {
		if (names->value == value) {
			fputs(names->name, f);
			return;
		}
	}
	fprintf(f, "%#lx", value);
}

static void put_address(FILE *f, unsigned long addr)
{
	if (addr)
		fprintf(f, "%#lx", addr);
	else
		fputs("NULL", f);
}

static void put_bytes(FILE *f, const char *s, size_t n, bool cut)
{
	putc_unlocked('"', f);
	for (size_t i = 0; i < n; i++) {
		unsigned char c = s[i];

		if (c == '"' || c == '\\')
			fprintf(f, "\\%c", c);
		else if (c == '\n')
			fputs("\\n", f);
		else if (c == '\t')
			fputs("\\t", f);
		else if (c == '\r')
			fputs("\\r", f);
		else if (c >= ' ' && c < 0x7f)
			putc_unlocked(c, f);
		else
			fprintf(f,
				i + 1 < n && s[i + 1] >= '0' && s[i + 1] <= '7' ? "\\%03o" : "\\%o",
				c);
	}
	fputs(cut ? "\"..." : "\"", f);
}

/* @n bytes at @addr, of which the first are shown. */
static void put_memory(FILE *f, struct memory *m, unsigned long addr, size_t n)
{
	size_t shown = n < m->strings ? n : m->strings, got;
	char *buf;

	if (!addr) {
		fputs("NULL", f);
		return;
	}
	buf = xmalloc(shown + 1);
	got = m->read(m, addr, buf, shown);
	if (got < shown)
		put_address(f, addr);
	else
		put_bytes(f, buf, shown, shown < n);
	free(buf);
}

static void put_string(FILE *f, struct memory *m, unsigned long addr)
{
	char buf[1025];
	size_t got = addr ? m->read(m, addr, buf, sizeof(buf) - 1) : 0, len;

	buf[got] = 0;
	len = strlen(buf);
	if (!addr || (len == got && got < sizeof(buf) - 1))
		put_address(f, addr);
	else
		put_bytes(f, buf, len, len == got);
}

/* The strings of a vector, at most a dozen; or only how many. */
static void put_vector(FILE *f, struct memory *m, unsigned long addr, bool count_only)
{
	unsigned long s;
	int n;

	if (!addr || m->read(m, addr, &s, sizeof(s)) < sizeof(s)) {
		put_address(f, addr);
		return;
	}
	if (!count_only)
		putc_unlocked('[', f);
	for (n = 0; m->read(m, addr + n * 8, &s, sizeof(s)) == sizeof(s) && s && n < 1000; n++) {
		if (count_only || n > 12)
			continue;
		fputs(n ? ", " : "", f);
		if (n == 12)
			fputs("...", f);
		else
			put_string(f, m, s);
	}
	if (count_only)
		fprintf(f, "%#lx /* %d vars */", addr, n);
	else
		putc_unlocked(']', f);
}

static void put_signal(FILE *f, long sig)
{
	const char *name = signal_name(sig);

	if (name)
		fprintf(f, "SIG%s", name);
	else
		fprintf(f, "%ld", sig);
}

static void put_set(FILE *f, unsigned long set)
{
	const char *space = "";
	bool most = __builtin_popcountl(set) > 40;

	fputs(most ? "~[" : "[", f);
	for (int sig = 1; sig < 64; sig++) {
		if ((set >> sig & 1) == most)
			continue;
		fputs(space, f);
		if (signal_name(sig))
			fputs(signal_name(sig), f);
		else
			fprintf(f, "%d", sig);
		space = " ";
	}
	putc_unlocked(']', f);
}

static void put_action(FILE *f, const struct action *act)
{
	fputs("{", f);
	if (act->handler == 0)
		fputs("SIG_DFL", f);
	else if (act->handler == 1)
		fputs("SIG_IGN", f);
	else
		fprintf(f, "%#lx", act->handler);
	fputs(", ", f);
	put_set(f, act->mask);
	fputs(", ", f);
	put_flags(f, action_flags, act->flags, "0");
	fputs("}", f);
}

static void put_wait_status(FILE *f, int status)
{
	fputs("[{", f);
	if (WIFEXITED(status)) {
		fprintf(f, "exited %d", WEXITSTATUS(status));
	} else if (WIFSTOPPED(status)) {
		fputs("stopped ", f);
		put_signal(f, WSTOPSIG(status));
	} else if (WIFSIGNALED(status)) {
		fputs("killed ", f);
		put_signal(f, WTERMSIG(status));
	} else {
		fputs("continued", f);
	}
	fputs("}]", f);
}

static void put_stat(FILE *f, const struct parvix_stat *st)
{
	static const char *const types[16] = {
		[1] = "S_IFIFO", [2] = "S_IFCHR",  [4] = "S_IFDIR",  [6] = "S_IFBLK",
		[8] = "S_IFREG", [10] = "S_IFLNK", [12] = "S_IFSOCK"};
	const char *type = types[st->st_mode >> 12 & 15];

	fprintf(f, "{st_mode=%s|0%o, ", type ? type : "0", (unsigned)st->st_mode & 07777);
	if (S_ISCHR(st->st_mode) || S_ISBLK(st->st_mode))
		fprintf(f, "st_rdev=%lu:%lu, ...}", (unsigned long)st->st_rdev >> 20,
			(unsigned long)st->st_rdev & 0xfffff);
	else
		fprintf(f, "st_size=%ld, ...}", (long)st->st_size);
}

static void put_pollfds(FILE *f, struct memory *m, unsigned long addr, unsigned long n)
{
	struct pollfd p;

	putc_unlocked('[', f);
	for (unsigned long i = 0; i < n && i < 8; i++) {
		if (m->read(m, addr + i * sizeof(p), &p, sizeof(p)) < sizeof(p))
			break;
		fprintf(f, "%s{fd=%d, events=", i ? ", " : "", p.fd);
		put_flags(f, poll_events, (unsigned short)p.events, "0");
		if (p.revents) {
			fputs(", revents=", f);
			put_flags(f, poll_events, (unsigned short)p.revents, "0");
		}
		putc_unlocked('}', f);
	}
	fputs(n > 8 ? ", ...]" : "]", f);
}

static void put_iov(FILE *f, struct memory *m, unsigned long addr, unsigned long n)
{
	struct iovec iov;

	putc_unlocked('[', f);
	for (unsigned long i = 0; i < n && i < 8; i++) {
		if (m->read(m, addr + i * sizeof(iov), &iov, sizeof(iov)) < sizeof(iov))
			break;
		fputs(i ? ", " : "", f);
		put_memory(f, m, (unsigned long)iov.iov_base, iov.iov_len);
	}
	fputs(n > 8 ? ", ...]" : "]", f);
}

/* Kinds that point to something of fixed size, which is in @buf. */
static void put_struct(FILE *f, char kind, const void *buf)
{
	const struct parvix_timespec *ts = buf;
	const int *ints = buf;

	switch (kind) {
	case 't':
	case 'T':
		fprintf(f, "{%ld, %ld}", (long)ts->tv_sec, (long)ts->tv_nsec);
		break;
	case 'v':
		fprintf(f, "{%ld, %ld us}", (long)ts->tv_sec, (long)ts->tv_nsec);
		break;
	case 'W':
		put_wait_status(f, *ints);
		break;
	case 'Q':
		put_stat(f, buf);
		break;
	case 'I':
		fprintf(f, "[%d]", *ints);
		break;
	case 'J':
		fprintf(f, "[%d, %d]", ints[0], ints[1]);
		break;
	case 'k':
	case 'L':
		put_action(f, buf);
		break;
	default:
		put_set(f, *(const unsigned long *)buf);
	}
}

static size_t struct_size(char kind)
{
	switch (kind) {
	case 't':
	case 'T':
	case 'v':
		return sizeof(struct parvix_timespec);
	case 'W':
	case 'I':
		return sizeof(int);
	case 'J':
		return 2 * sizeof(int);
	case 'Q':
		return sizeof(struct parvix_stat);
	case 'k':
	case 'L':
		return sizeof(struct action);
	case 'y':
	case 'Y':
		return sizeof(unsigned long);
	default:
		return 0;
	}
}

bool call_is_output(const struct call *c, int i)
{
	return strchr("SBTWQIJLYU", c->kinds[i]) != NULL;
}

static void put_open_flags(FILE *f, unsigned long flags)
{
	static const char *const modes[] = {"O_RDONLY", "O_WRONLY", "O_RDWR", "O_ACCMODE"};

	fputs(modes[flags & 3], f);
	if (flags & ~3ul) {
		putc_unlocked('|', f);
		put_flags(f, open_flags, flags & ~3ul, "");
	}
}

static bool put_number(FILE *f, char kind, unsigned long v)
{
	switch (kind) {
	case 'd':
	case 'f':
		/* int in the caller, whatever is in the upper half; lengths may be more. */
		fprintf(f, "%ld", v <= 0xffffffff ? (long)(int)v : (long)v);
		return true;
	case 'u':
		fprintf(f, "%lu", v);
		return true;
	case 'x':
		fprintf(f, "%#lx", v);
		return true;
	case 'o':
	case 'm':
		fprintf(f, "0%lo", v);
		return true;
	case 'p':
		put_address(f, v);
		return true;
	case 'a':
		if ((int)v == AT_FDCWD)
			fputs("AT_FDCWD", f);
		else
			fprintf(f, "%d", (int)v);
		return true;
	case 'n':
		put_signal(f, (int)v);
		return true;
	case 'D':
		fprintf(f, "makedev(%lu, %lu)", v >> 20, v & 0xfffff);
		return true;
	default:
		return false;
	}
}

static bool put_named(FILE *f, char kind, unsigned long v)
{
	switch (kind) {
	case 'O':
		put_open_flags(f, v);
		return true;
	case 'P':
		put_flags(f, protections, v, "PROT_NONE");
		return true;
	case 'M':
		put_flags(f, map_flags, v, "0");
		return true;
	case 'h':
		put_flags(f, wait_options, v, "0");
		return true;
	case 'j':
		put_flags(f, access_modes, v, "F_OK");
		return true;
	case 'K':
		put_one(f, whences, v);
		return true;
	case 'H':
		put_one(f, hows, v);
		return true;
	case 'c':
		put_one(f, fcntls, v);
		return true;
	case 'g':
		put_one(f, ioctls, v);
		return true;
	case 'C':
		put_one(f, clocks, v);
		return true;
	case 'F':
		put_one(f, futexes, v & 0x7f);
		fputs(v & 0x80 ? "|FUTEX_PRIVATE" : "", f);
		return true;
	default:
		return false;
	}
}

void call_put_argument(FILE *f, const struct call *c, int i, const unsigned long *args, long result,
		       struct memory *m)
{
	char kind = c->kinds[i], buf[sizeof(struct parvix_stat)];
	unsigned long v = args[i], next = i < 5 ? args[i + 1] : 0;
	size_t size = struct_size(kind);

	if (put_number(f, kind, v) || put_named(f, kind, v))
		return;
	if ((result < 0 && kind != 'U' && call_is_output(c, i)) || (result == 0 && kind == 'W'))
		put_address(f, v); /* nothing has been written there */
	else if (size && v && m->read(m, v, buf, size) == size)
		put_struct(f, kind, buf);
	else if (size)
		put_address(f, v);
	else if (kind == 's' || kind == 'S')
		put_string(f, m, v);
	else if (kind == 'b')
		put_memory(f, m, v, next);
	else if (kind == 'B')
		put_memory(f, m, v, result);
	else if (kind == 'A' || kind == 'e')
		put_vector(f, m, v, kind == 'e');
	else if (kind == 'U')
		put_pollfds(f, m, v, next);
	else
		put_iov(f, m, v, next);
}

void call_put_result(FILE *f, const struct call *c, long result)
{
	const char *name = result < 0 ? errno_name(-result) : NULL;

	if (name)
		fprintf(f, "= -1 %s (%s)", name, strerror(-result));
	else if (result == -512 || result == -513)
		fputs("= ? ERESTART (to be restarted)", f);
	else
		fprintf(f, c->result == 'x' ? "= %#lx" : "= %ld", result);
}
