/* SPDX-License-Identifier: MIT */
/*
 * Pseudo-terminals: opening, names, both ends of the data, what happens when one end goes, window
 * size, and job control as a shell would see it, since here somebody can type.
 */
#include "guest.h"

#include <poll.h>
#include <pty.h>
#include <sys/ioctl.h>
#include <termios.h>
#ifndef __parvix__
#include <utmp.h>
#endif

/* tcsetpgrp() on Linux has its own mind about these two. */
#ifdef __linux__
#define NO_GROUP ESRCH
#define ORPHANED ENOTTY
#else
#define NO_GROUP EPERM
#define ORPHANED EIO
#endif

/* A pair; the slave without echo and output processing if @plain. */
static bool pair(int *m, int *s, bool plain)
{
	struct termios tio;

	if (openpty(m, s, NULL, NULL, NULL) < 0)
		return false;
	if (!plain)
		return true;
	tcgetattr(*s, &tio);
	tio.c_lflag &= ~(tcflag_t)ECHO;
	tio.c_oflag &= ~(tcflag_t)OPOST;
	return tcsetattr(*s, TCSANOW, &tio) == 0;
}

static void unpair(int m, int s)
{
	close(s);
	close(m);
}

/* Read from @fd until @want has come, or 2 s are over. */
static bool expect(int fd, const char *want)
{
	char buf[512];
	size_t got = 0, len = strlen(want);

	while (got < len) {
		struct pollfd p = {.fd = fd, .events = POLLIN};
		ssize_t n = poll(&p, 1, 2000) > 0 ? read(fd, buf + got, len - got) : 0;

		if (n <= 0)
			break;
		got += n;
	}
	if (got == len && memcmp(buf, want, len) == 0)
		return true;
	test_note("got %.*s", (int)got, buf);
	return false;
}

TEST(opening_step_by_step)
{
	char name[64], again[64];
	struct stat st;
	int m = posix_openpt(O_RDWR | O_NOCTTY), s;

	REQUIRE(m >= 0);
	CHECK_EQ(isatty(m), 1);
	REQUIRE_EQ(ptsname_r(m, name, sizeof(name)), 0);
	CHECK(strcmp(name, ptsname(m)) == 0);
	CHECK(strncmp(name, "/dev/pts/", 9) == 0);
	CHECK_ERRNO(open(name, O_RDWR | O_NOCTTY), EIO); /* locked */
	CHECK_EQ(grantpt(m), 0);
	CHECK_EQ(unlockpt(m), 0);
	s = open(name, O_RDWR | O_NOCTTY);
	REQUIRE(s >= 0);
	CHECK_EQ(isatty(s), 1);
	CHECK_EQ(ttyname_r(s, again, sizeof(again)), 0);
	CHECK(strcmp(name, again) == 0);
	CHECK_EQ(ttyname_r(s, again, 3), ERANGE);
	CHECK_EQ(fstat(s, &st), 0);
	CHECK(S_ISCHR(st.st_mode));
	CHECK_EQ(st.st_uid, geteuid());
	CHECK_EQ(st.st_mode & 0707, 0600); /* and whatever for the group */
	CHECK_ERRNO(lseek(s, 0, SEEK_SET), ESPIPE);
	CHECK_ERRNO(lseek(m, 0, SEEK_SET), ESPIPE);
	close(s);
	close(m);
	CHECK_ERRNO(stat(name, &st), ENOENT);
}

TEST(what_is_no_master)
{
	int fd = open("/dev/null", O_RDWR);
	char name[64];

	CHECK_ERRNO(grantpt(fd), EINVAL);
	CHECK_ERRNO(unlockpt(fd), EINVAL);
	CHECK_EQ(ptsname_r(fd, name, sizeof(name)), ENOTTY);
	CHECK_ERRNO(grantpt(99), EBADF);
	CHECK_EQ(ptsname_r(99, name, sizeof(name)), EBADF);
	close(fd);
	fd = posix_openpt(O_RDWR | O_NOCTTY);
	CHECK_EQ(ptsname_r(fd, name, 4), ERANGE);
	close(fd);
}

TEST(bytes_pass_both_ways)
{
	int m, s, n = -1;
	char buf[64];

	REQUIRE(pair(&m, &s, false));
	CHECK_EQ(write(s, "one\ntwo", 7), 7);
	CHECK(expect(m, "one\r\ntwo"));
	CHECK_EQ(write(m, "typed\r", 6), 6);
	CHECK(expect(m, "typed\r\n")); /* the echo */
	CHECK_EQ(ioctl(s, FIONREAD, &n), 0);
	CHECK_EQ(n, 6);
	CHECK_EQ(read(s, buf, sizeof(buf)), 6);
	CHECK(memcmp(buf, "typed\n", 6) == 0);
	CHECK_EQ(write(s, "xyz", 3), 3);
	poll(&(struct pollfd){.fd = m, .events = POLLIN}, 1, 1000);
	CHECK_EQ(ioctl(m, FIONREAD, &n), 0);
	CHECK_EQ(n, 3);
	unpair(m, s);
}

TEST(settings_are_shared_with_the_master)
{
	struct termios tio, other;
	int m, s;

	REQUIRE(pair(&m, &s, false));
	CHECK_EQ(tcgetattr(m, &tio), 0);
	tio.c_lflag &= ~(tcflag_t)(ECHO | ICANON);
	CHECK_EQ(tcsetattr(m, TCSANOW, &tio), 0);
	CHECK_EQ(tcgetattr(s, &other), 0);
	CHECK_EQ(other.c_lflag & (ECHO | ICANON), 0);
	CHECK_EQ(tcsetattr(s, TCSAFLUSH, &other), 0); /* waits for no reader of the master */
	CHECK_EQ(write(s, "q", 1), 1);
	CHECK_EQ(tcdrain(s), 0);
	unpair(m, s);
}

TEST(nonblocking_and_poll)
{
	int m, s;
	char buf[8192];
	struct pollfd p;
	ssize_t n, sum = 0;

	REQUIRE(pair(&m, &s, true));
	fcntl(m, F_SETFL, O_RDWR | O_NONBLOCK);
	fcntl(s, F_SETFL, O_RDWR | O_NONBLOCK);
	CHECK_ERRNO(read(m, buf, 1), EAGAIN);
	CHECK_ERRNO(read(s, buf, 1), EAGAIN);
	p = (struct pollfd){.fd = m, .events = POLLIN | POLLOUT};
	CHECK_EQ(poll(&p, 1, 0), 1);
	CHECK_EQ(p.revents, POLLOUT);
	CHECK_EQ(write(s, "a", 1), 1);
	CHECK_EQ(poll(&p, 1, 1000), 1);
	CHECK_EQ(p.revents, POLLIN | POLLOUT);
	CHECK_EQ(read(m, buf, sizeof(buf)), 1);
	/* A slave that nobody reads from fills up, and goes on once somebody has. */
	memset(buf, 'x', sizeof(buf));
	while ((n = write(s, buf, sizeof(buf))) > 0)
		sum += n;
	CHECK(n < 0 && errno == EAGAIN && sum >= 1024);
	p = (struct pollfd){.fd = s, .events = POLLOUT};
	CHECK_EQ(poll(&p, 1, 0), 0);
	while (sum > 0 && (n = read(m, buf, sizeof(buf))) > 0)
		sum -= n;
	CHECK_EQ(sum, 0);
	CHECK_EQ(poll(&p, 1, 1000), 1);
	unpair(m, s);
}

TEST(a_blocked_master_is_woken)
{
	int m, s;
	char c = 0;
	pid_t pid;

	REQUIRE(pair(&m, &s, true));
	pid = START(sleep_ms(30); CHILD_CHECK(write(s, "w", 1) == 1));
	CHECK_EQ(read(m, &c, 1), 1);
	CHECK_EQ(c, 'w');
	CHECK_EXIT(wait_status(pid), 0);
	pid = START(sleep_ms(30); CHILD_CHECK(write(m, "v\n", 2) == 2));
	CHECK_EQ(read(s, &c, 1), 1);
	CHECK_EQ(c, 'v');
	CHECK_EXIT(wait_status(pid), 0);
	unpair(m, s);
}

TEST(much_passes_unharmed)
{
	static char buf[3000];
	int m, s;
	long sum = 0, want = 0;
	pid_t pid;

	REQUIRE(pair(&m, &s, true));
	pid = START(close(m); for (int i = 0; i < 100; i++) {
		for (int j = 0; j < 3000; j++)
			buf[j] = (char)(i * 7 + j);
		for (ssize_t n, at = 0; at < 3000; at += n)
			CHILD_CHECK((n = write(s, buf + at, 3000 - at)) > 0);
	});
	close(s);
	for (int i = 0; i < 100; i++)
		for (int j = 0; j < 3000; j++)
			want += (unsigned char)(i * 7 + j);
	for (ssize_t n; (n = read(m, buf, sizeof(buf))) > 0;)
		for (ssize_t j = 0; j < n; j++)
			sum += (unsigned char)buf[j];
	CHECK_EQ(errno, EIO);
	CHECK_EQ(sum, want);
	CHECK_EXIT(wait_status(pid), 0);
	close(m);
}

TEST(the_last_slave_goes)
{
	int m, s;
	char name[64], buf[16];
	struct pollfd p;

	REQUIRE(pair(&m, &s, true));
	ptsname_r(m, name, sizeof(name));
	CHECK_EQ(write(s, "rest", 4), 4);
	close(s);
	p = (struct pollfd){.fd = m, .events = POLLIN};
	CHECK_EQ(poll(&p, 1, 1000), 1);
	CHECK_EQ(p.revents, POLLIN | POLLHUP);
	CHECK_EQ(read(m, buf, sizeof(buf)), 4);
	CHECK_ERRNO(read(m, buf, sizeof(buf)), EIO);
	s = open(name, O_RDWR | O_NOCTTY); /* it can come back */
	REQUIRE(s >= 0);
	p.events = POLLIN;
	CHECK_EQ(poll(&p, 1, 0), 0);
	CHECK_EQ(write(s, "on", 2), 2);
	CHECK_EQ(read(m, buf, sizeof(buf)), 2);
	unpair(m, s);
}

TEST(the_master_goes)
{
	int m, s;
	char buf[16];
	struct termios tio;
	struct pollfd p;

	REQUIRE(pair(&m, &s, true));
	close(m);
	CHECK_EQ(read(s, buf, sizeof(buf)), 0);
	CHECK_ERRNO(write(s, "x", 1), EIO);
	CHECK_ERRNO(tcgetattr(s, &tio), EIO);
	p = (struct pollfd){.fd = s, .events = POLLIN};
	CHECK_EQ(poll(&p, 1, 0), 1);
	CHECK(p.revents & POLLHUP);
	close(s);
}

static void nothing(int sig)
{
	(void)sig;
}

TEST(hang_up_is_signalled)
{
	int m = -1;
	pid_t pid;

	fflush(stdout);
	pid = forkpty(&m, NULL, NULL, NULL);
	REQUIRE(pid >= 0);
	if (pid == 0) {
		write(1, "r", 1);
		for (;;)
			pause();
	}
	CHECK(expect(m, "r"));
	close(m);
	CHECK_KILLED(wait_status(pid), SIGHUP);
}

TEST(window_size_and_its_signal)
{
	struct winsize ws = {.ws_row = 7, .ws_col = 9}, got = {0};
	int m, s;
	pid_t pid;

	REQUIRE_EQ(openpty(&m, &s, NULL, NULL, &ws), 0);
	CHECK_EQ(ioctl(m, TIOCGWINSZ, &got), 0);
	CHECK(got.ws_row == 7 && got.ws_col == 9);
	unpair(m, s);
	fflush(stdout);
	pid = forkpty(&m, NULL, NULL, &ws);
	REQUIRE(pid >= 0);
	if (pid == 0) {
		sigset_t set;
		int sig;

		sigemptyset(&set);
		sigaddset(&set, SIGWINCH);
		sigprocmask(SIG_BLOCK, &set, NULL);
		handle(SIGWINCH, nothing, 0);
		write(1, "r", 1);
		sigwait(&set, &sig);
		_exit(ioctl(0, TIOCGWINSZ, &got) == 0 && got.ws_row == 50 ? 0 : 1);
	}
	CHECK(expect(m, "r"));
	ws.ws_row = 50;
	CHECK_EQ(ioctl(m, TIOCSWINSZ, &ws), 0);
	CHECK_EXIT(wait_status(pid), 0);
	close(m);
}

TEST(openpty_takes_settings_and_gives_the_name)
{
	struct termios tio, got;
	char name[64], again[64];
	int m, s;

	REQUIRE(pair(&m, &s, false));
	tcgetattr(s, &tio);
	unpair(m, s);
	tio.c_lflag &= ~(tcflag_t)ECHO;
	tio.c_cc[VINTR] = 'k';
	REQUIRE_EQ(openpty(&m, &s, name, &tio, NULL), 0);
	CHECK_EQ(tcgetattr(s, &got), 0);
	CHECK_EQ(got.c_lflag & ECHO, 0);
	CHECK_EQ(got.c_cc[VINTR], 'k');
	ptsname_r(m, again, sizeof(again));
	CHECK(strcmp(name, again) == 0);
	unpair(m, s);
}

/* ---- sessions ---- */

TEST(a_session_on_a_slave)
{
	int m = -1;
	pid_t pid;

	fflush(stdout);
	pid = forkpty(&m, NULL, NULL, NULL);
	REQUIRE(pid >= 0);
	if (pid == 0) {
		int fd = open("/dev/tty", O_RDWR);

		CHILD_CHECK(fd >= 0 && isatty(fd));
		CHILD_CHECK(getsid(0) == getpid());
		CHILD_CHECK(tcgetsid(0) == getpid());
		CHILD_CHECK(tcgetpgrp(0) == getpid());
		CHILD_CHECK(tcsetpgrp(0, 0x7ffffff) < 0 && errno == NO_GROUP);
		CHILD_CHECK(ioctl(0, TIOCSCTTY, 0) == 0); /* again */
		write(1, "r", 1);
		CHILD_CHECK(read(0, (char[1]){0}, 1) == 1);
		_exit(0);
	}
	CHECK(expect(m, "r"));
	CHECK_EQ(tcgetpgrp(m), pid); /* the master may know */
	CHECK_EQ(tcgetsid(m), pid);
	CHECK_EQ(write(m, "\n", 1), 1);
	CHECK_EXIT(wait_status(pid), 0);
	close(m);
}

TEST(keys_that_send_signals)
{
	static const struct {
		char key;
		int sig;
	} keys[] = {{3, SIGINT}, {034, SIGQUIT}, {26, SIGTSTP}};

	for (unsigned i = 0; i < ARRAY_LEN(keys); i++) {
		int m = -1, status = 0;
		pid_t pid;

		fflush(stdout);
		pid = forkpty(&m, NULL, NULL, NULL);
		REQUIRE(pid >= 0);
		if (pid == 0) {
			/* The leader is orphaned: SIGTSTP would not stop it. Its child may. */
			pid = fork();
			if (pid == 0) {
				setpgid(0, 0);
				signal(SIGTTOU, SIG_IGN);
				tcsetpgrp(0, getpid());
				write(1, "r", 1);
				for (;;)
					pause();
			}
			waitpid(pid, &status, WUNTRACED);
			kill(pid, SIGKILL);
			_exit(WIFSTOPPED(status) ? WSTOPSIG(status) : WTERMSIG(status));
		}
		CHECK(expect(m, "r"));
		CHECK_EQ(write(m, &keys[i].key, 1), 1);
		CHECK_EXIT(wait_status(pid), keys[i].sig);
		close(m);
	}
}

/* In a new session on a pty, fork a background group that runs @work; the leader gives the wait
 * status of its stop or end as exit status: 100 + signal if stopped, the exit status if ended. */
static int in_background(void (*work)(void))
{
	int m = -1, status = -1;
	pid_t pid;

	fflush(stdout);
	pid = forkpty(&m, NULL, NULL, NULL);
	if (pid < 0)
		return -1;
	if (pid == 0) {
		pid = fork();
		if (pid == 0) {
			setpgid(0, 0);
			work();
			_exit(errno & 0x7f);
		}
		setpgid(pid, pid);
		waitpid(pid, &status, WUNTRACED);
		kill(pid, SIGKILL);
		_exit(WIFSTOPPED(status) ? 100 + WSTOPSIG(status) : WEXITSTATUS(status));
	}
	status = wait_status(pid);
	close(m);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void do_read(void)
{
	char c;

	if (read(0, &c, 1) >= 0)
		errno = 0;
}

static void do_read_ignored(void)
{
	signal(SIGTTIN, SIG_IGN);
	do_read();
}

static void do_write(void)
{
	if (write(1, "x", 1) == 1)
		errno = 0;
}

static void do_write_tostop(void)
{
	struct termios tio;

	signal(SIGTTOU, SIG_IGN);
	tcgetattr(0, &tio);
	tio.c_lflag |= TOSTOP;
	tcsetattr(0, TCSANOW, &tio);
	signal(SIGTTOU, SIG_DFL);
	do_write();
}

static void do_write_ignored(void)
{
	struct termios tio;

	signal(SIGTTOU, SIG_IGN);
	tcgetattr(0, &tio);
	tio.c_lflag |= TOSTOP;
	tcsetattr(0, TCSANOW, &tio);
	do_write();
}

static void do_settings(void)
{
	struct termios tio;

	tcgetattr(0, &tio);
	if (tcsetattr(0, TCSANOW, &tio) == 0)
		errno = 0;
}

static void do_foreground(void)
{
	if (tcsetpgrp(0, getpgrp()) == 0)
		errno = 0;
}

TEST(background_work)
{
	CHECK_EQ(in_background(do_read), 100 + SIGTTIN);
	CHECK_EQ(in_background(do_read_ignored), EIO);
	CHECK_EQ(in_background(do_write), 0);
	CHECK_EQ(in_background(do_write_tostop), 100 + SIGTTOU);
	CHECK_EQ(in_background(do_write_ignored), 0);
	CHECK_EQ(in_background(do_settings), 100 + SIGTTOU);
	CHECK_EQ(in_background(do_foreground), 100 + SIGTTOU);
}

/* In an orphaned group: its parent, in another group of the session, has ended. */
static int orphaned(void (*work)(void))
{
	int m = -1, fds[2], status = -1;
	unsigned char result = 255;
	pid_t pid;

	if (pipe(fds) < 0)
		return -1;
	fflush(stdout);
	pid = forkpty(&m, NULL, NULL, NULL);
	if (pid == 0) {
		pid = fork();
		if (pid == 0) { /* in between: ends at once */
			if (fork() == 0) {
				pid_t parent = getppid();

				setpgid(0, 0);
				while (getppid() == parent)
					sleep_ms(5);
				work();
				result = errno;
				write(fds[1], &result, 1);
				_exit(0);
			}
			sleep_ms(30);
			_exit(0);
		}
		waitpid(pid, &status, 0);
		close(fds[1]);
		read(fds[0], &result, 1); /* the session lasts as long as its leader */
		_exit(result);
	}
	close(fds[0]);
	close(fds[1]);
	status = wait_status(pid);
	close(m);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

TEST(orphaned_groups_get_errors)
{
	CHECK_EQ(orphaned(do_read), EIO);
	CHECK_EQ(orphaned(do_settings), EIO);
	CHECK_EQ(orphaned(do_foreground), ORPHANED);
}

TEST(foreground_errors)
{
	int m, s, fds[2];

	REQUIRE(pair(&m, &s, true));
	REQUIRE_EQ(pipe(fds), 0);
	CHECK_ERRNO(tcsetpgrp(s, getpgrp()), ENOTTY); /* not our terminal */
	CHECK_ERRNO(tcgetpgrp(s), ENOTTY);
	CHECK_ERRNO(tcgetsid(s), ENOTTY);
	CHECK_ERRNO(tcsetpgrp(fds[0], getpgrp()), ENOTTY);
	CHECK_ERRNO(tcgetpgrp(99), EBADF);
	CHECK_EXIT(CHILD_STATUS(setsid(); CHILD_CHECK(ioctl(s, TIOCSCTTY, 0) == 0);
				CHILD_CHECK(tcsetpgrp(s, -1) < 0 && errno == EINVAL);
				CHILD_CHECK(tcsetpgrp(s, getppid()) < 0 && errno == EPERM);
				CHILD_CHECK(tcsetpgrp(s, getpid()) == 0);
				CHILD_CHECK(fork() || (setsid() > 0 && ioctl(s, TIOCSCTTY, 0) < 0 &&
								       errno == EPERM
							       ? (_exit(0), 0)
							       : (_exit(1), 0)));
				int st; wait(&st); CHILD_CHECK(st == 0); signal(SIGHUP, SIG_IGN);
				CHILD_CHECK(ioctl(s, TIOCNOTTY) == 0);
				CHILD_CHECK(open("/dev/tty", O_RDWR) < 0 && errno == ENXIO)),
		   0);
	close(fds[0]);
	close(fds[1]);
	unpair(m, s);
}
