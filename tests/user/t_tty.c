/* SPDX-License-Identifier: MIT */
/*
 * The terminal, as far as it can be tested with nobody typing: settings, window size, groups,
 * reading with a time limit, job control of background processes. Needs a controlling terminal.
 */
#include "guest.h"

#include <sys/ioctl.h>
#include <termios.h>

static int tty = -1;
static struct termios saved;

static bool open_tty(void)
{
	if (tty < 0)
		tty = open("/dev/tty", O_RDWR);
	if (tty < 0 || tcgetattr(tty, &saved) < 0) {
		test_note("no controlling terminal: errno %d", errno);
		return false;
	}
	return true;
}

TEST(what_is_no_terminal)
{
	struct termios tio;
	struct winsize ws;
	int fd = open("/dev/null", O_RDWR);

	CHECK_EQ(isatty(fd), 0);
	CHECK_ERRNO(tcgetattr(fd, &tio), ENOTTY);
	CHECK_ERRNO(ioctl(fd, TIOCGWINSZ, &ws), ENOTTY);
	CHECK_ERRNO(tcgetpgrp(fd), ENOTTY);
	CHECK_ERRNO(tcgetattr(99, &tio), EBADF);
	close(fd);
}

TEST(settings_are_kept)
{
	struct termios tio;

	if (!open_tty())
		return;
	CHECK_EQ(isatty(tty), 1);
	CHECK(ttyname(tty) != NULL);
	tio = saved;
	tio.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
	tio.c_cc[VMIN] = 3;
	tio.c_cc[VTIME] = 2;
	tio.c_cc[VINTR] = 'k';
	CHECK_EQ(tcsetattr(tty, TCSANOW, &tio), 0);
	memset(&tio, 0, sizeof(tio));
	CHECK_EQ(tcgetattr(tty, &tio), 0);
	CHECK_EQ(tio.c_lflag & (ICANON | ECHO), 0);
	CHECK(tio.c_cc[VMIN] == 3 && tio.c_cc[VTIME] == 2 && tio.c_cc[VINTR] == 'k');
	CHECK_EQ(tcsetattr(tty, TCSADRAIN, &saved), 0);
	CHECK_EQ(tcgetattr(tty, &tio), 0);
	CHECK_EQ(tio.c_lflag, saved.c_lflag);
	CHECK_ERRNO(tcsetattr(tty, 77, &saved), EINVAL);
}

TEST(window_size)
{
	struct winsize ws, changed = {.ws_row = 33, .ws_col = 99};

	if (!open_tty())
		return;
	CHECK_EQ(ioctl(tty, TIOCGWINSZ, &ws), 0);
	CHECK_EQ(ioctl(tty, TIOCSWINSZ, &changed), 0);
	memset(&changed, 0, sizeof(changed));
	CHECK_EQ(ioctl(tty, TIOCGWINSZ, &changed), 0);
	CHECK(changed.ws_row == 33 && changed.ws_col == 99);
	CHECK_EQ(ioctl(tty, TIOCSWINSZ, &ws), 0);
	CHECK_ERRNO(ioctl(tty, 0x5499, &ws), ENOTTY);
}

static volatile sig_atomic_t winches;

static void on_winch(int sig)
{
	(void)sig;
	winches++;
}

TEST(a_new_size_is_signalled)
{
	struct winsize ws, other;

	if (!open_tty() || tcgetpgrp(tty) != getpgrp())
		return;
	winches = 0;
	handle(SIGWINCH, on_winch, 0);
	ioctl(tty, TIOCGWINSZ, &ws);
	other = ws;
	other.ws_col++;
	ioctl(tty, TIOCSWINSZ, &other);
	CHECK_EQ(winches, 1);
	ioctl(tty, TIOCSWINSZ, &other); /* nothing new */
	CHECK_EQ(winches, 1);
	ioctl(tty, TIOCSWINSZ, &ws);
	signal(SIGWINCH, SIG_DFL);
}

TEST(reading_with_a_time_limit)
{
	struct termios tio;
	long long start;
	char buf[16];
	int waiting = -1;

	if (!open_tty())
		return;
	tio = saved;
	tio.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
	tio.c_cc[VMIN] = 0;
	tio.c_cc[VTIME] = 2;
	tcsetattr(tty, TCSAFLUSH, &tio);
	start = now_ns();
	CHECK_EQ(read(tty, buf, sizeof(buf)), 0);
	CHECK(now_ns() - start >= 150000000);
	tio.c_cc[VTIME] = 0;
	tcsetattr(tty, TCSANOW, &tio);
	CHECK_EQ(read(tty, buf, sizeof(buf)), 0);
	CHECK_EQ(ioctl(tty, FIONREAD, &waiting), 0);
	CHECK_EQ(waiting, 0);
	tio.c_cc[VMIN] = 1;
	tcsetattr(tty, TCSANOW, &tio);
	CHECK_EQ(fcntl(tty, F_SETFL, O_RDWR | O_NONBLOCK), 0);
	CHECK_ERRNO(read(tty, buf, sizeof(buf)), EAGAIN);
	CHECK_EQ(fcntl(tty, F_SETFL, O_RDWR), 0);
	tcsetattr(tty, TCSANOW, &saved);
	CHECK_EQ(tcflush(tty, TCIOFLUSH), 0);
	CHECK_EQ(tcdrain(tty), 0);
}

TEST(foreground_and_background)
{
	pid_t group, pid;
	int status;
	char c;

	if (!open_tty())
		return;
	CHECK_EQ(tcgetsid(tty), getsid(0));
	group = tcgetpgrp(tty);
	CHECK(group > 0);
	CHECK_ERRNO(tcsetpgrp(tty, 99999), EPERM);
	if (group != getpgrp())
		return;
	/* Reading from the background stops the reader. */
	pid = START({
		setpgid(0, 0);
		read(tty, &c, 1);
	});
	CHECK_EQ(waitpid(pid, &status, WUNTRACED), pid);
	CHECK(WIFSTOPPED(status) && WSTOPSIG(status) == SIGTTIN);
	kill(pid, SIGKILL);
	CHECK_KILLED(wait_status(pid), SIGKILL);
	/* With the signal ignored it is an error. */
	CHECK_EXIT(CHILD_STATUS({
			   setpgid(0, 0);
			   signal(SIGTTIN, SIG_IGN);
			   CHILD_CHECK(read(tty, &c, 1) == -1 && errno == EIO);
		   }),
		   0);
	/* Changing it from there stops as well; ignored, it is allowed. */
	pid = START({
		setpgid(0, 0);
		tcsetattr(tty, TCSANOW, &saved);
	});
	CHECK_EQ(waitpid(pid, &status, WUNTRACED), pid);
	CHECK(WIFSTOPPED(status) && WSTOPSIG(status) == SIGTTOU);
	kill(pid, SIGKILL);
	CHECK_KILLED(wait_status(pid), SIGKILL);
	CHECK_EXIT(CHILD_STATUS({
			   setpgid(0, 0);
			   signal(SIGTTOU, SIG_IGN);
			   CHILD_CHECK(tcsetpgrp(tty, getpgrp()) == 0);
			   CHILD_CHECK(tcgetpgrp(tty) == getpid());
			   CHILD_CHECK(tcsetpgrp(tty, group) == 0);
		   }),
		   0);
	CHECK_EQ(tcgetpgrp(tty), group);
}

TEST(a_session_of_its_own_has_no_terminal)
{
	CHECK_EXIT(CHILD_STATUS({
			   CHILD_CHECK(setsid() > 0);
			   CHILD_CHECK(open("/dev/tty", O_RDWR) == -1 && errno == ENXIO);
		   }),
		   0);
}

TEST(writing)
{
	if (!open_tty())
		return;
	CHECK_EQ(write(tty, "# to the terminal\n", 18), 18);
	CHECK_EQ(write(tty, "", 0), 0);
}
