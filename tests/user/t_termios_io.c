/* SPDX-License-Identifier: MIT */
/*
 * Terminal settings: reading by count and time (MIN, TIME), flow control, flushing and draining,
 * when settings take effect, what is refused.
 */
#include "termios.h"

#include <limits.h>

#define TENTH 100 /* ms, the unit of TIME */

static int ms_since(long long start)
{
	return (int)((now_ns() - start) / 1000000);
}

/* Read up to @n bytes; how many, and how long it took. */
static ssize_t timed_read(size_t n, int *ms)
{
	static char buf[64];
	long long start = now_ns();
	ssize_t got = read(slave, buf, n);

	*ms = ms_since(start);
	return got;
}

/* Type @text after @ms, from a child. */
static pid_t typist(int ms, const char *text)
{
	return START(sleep_ms(ms); CHILD_CHECK(type(text)));
}

/* What is typed has arrived. */
static bool arrived(int want)
{
	int n = 0;

	for (int i = 0; i < PATIENCE && n < want; i++) {
		if (ioctl(slave, FIONREAD, &n) < 0)
			break;
		sleep_ms(1);
	}
	return n == want;
}

/* ---- MIN and TIME ---- */

TEST(min_and_no_time)
{
	int ms;
	pid_t pid;

	REQUIRE(begin(0, 0, 0));
	set_min_time(3, 0);
	CHECK(type("ab"));
	CHECK(arrived(2));
	CHECK(!comes(slave, 0)); /* not ready before MIN */
	pid = typist(2 * TENTH, "cd");
	CHECK_EQ(timed_read(64, &ms), 4);
	CHECK_EXIT(wait_status(pid), 0);
	/* More than MIN at once, as many as there are; and a read for fewer than MIN. */
	CHECK(type("12345"));
	CHECK(arrived(5));
	CHECK(comes(slave, 0));
	CHECK_EQ(timed_read(4, &ms), 4);
	CHECK_EQ(timed_read(1, &ms), 1);
	CHECK(type("123"));
	CHECK(arrived(3));
	CHECK_EQ(timed_read(2, &ms), 2);
	CHECK(type("45"));
	CHECK_EQ(timed_read(64, &ms), 3);
	finish();
}

TEST(min_and_time)
{
	int ms;
	pid_t pid;

	REQUIRE(begin(0, 0, 0));
	set_min_time(3, 2);
	/* The time does not run before the first byte. */
	pid = typist(4 * TENTH, "a");
	CHECK_EQ(timed_read(64, &ms), 1);
	CHECK_THAT(ms >= 2 * TENTH - 20, "after %d ms", ms);
	CHECK_EXIT(wait_status(pid), 0);
	/* Each byte starts it again. */
	set_min_time(4, 10);
	pid = START(for (int i = 0; i < 3; i++) {
		sleep_ms(3 * TENTH);
		CHILD_CHECK(type("a"));
	});
	CHECK_EQ(timed_read(64, &ms), 3);
	CHECK_THAT(ms >= 15 * TENTH, "after %d ms", ms); /* 13 if only the first one did */
	CHECK_EXIT(wait_status(pid), 0);
	/* What is there already counts as just typed. */
	set_min_time(3, 2);
	CHECK(type("a"));
	CHECK(arrived(1));
	sleep_ms(3 * TENTH);
	CHECK_EQ(timed_read(64, &ms), 1);
	CHECK_THAT(ms >= TENTH, "after %d ms", ms);
	/* With MIN bytes there is nothing to wait for. */
	set_min_time(2, 200);
	CHECK(type("abc"));
	CHECK(arrived(3));
	CHECK_EQ(timed_read(64, &ms), 3);
	CHECK_THAT(ms < 100 * TENTH, "after %d ms", ms);
	CHECK(type("ab"));
	CHECK(arrived(2));
	CHECK_EQ(timed_read(1, &ms), 1); /* nor with all that was asked for */
	CHECK_THAT(ms < 100 * TENTH, "after %d ms", ms);
	finish();
}

TEST(time_alone)
{
	int ms;
	pid_t pid;

	REQUIRE(begin(0, 0, 0));
	set_min_time(0, 3);
	CHECK_EQ(timed_read(64, &ms), 0);
	CHECK_THAT(ms >= 3 * TENTH - 20 && ms < 30 * TENTH, "after %d ms", ms);
	set_min_time(0, 200);
	pid = typist(TENTH, "x");
	CHECK_EQ(timed_read(64, &ms), 1); /* the first byte will do */
	CHECK_THAT(ms < 100 * TENTH, "after %d ms", ms);
	CHECK_EXIT(wait_status(pid), 0);
	CHECK(type("yz"));
	CHECK(arrived(2));
	CHECK_EQ(timed_read(64, &ms), 2);
	CHECK_THAT(ms < 100 * TENTH, "after %d ms", ms);
	finish();
}

TEST(neither_min_nor_time)
{
	int ms;

	REQUIRE(begin(0, 0, 0));
	set_min_time(0, 0);
	CHECK_EQ(timed_read(64, &ms), 0);
	CHECK(ms < 10 * TENTH);
	CHECK(type("abc"));
	CHECK(arrived(3));
	CHECK_EQ(timed_read(2, &ms), 2);
	CHECK_EQ(timed_read(64, &ms), 1);
	CHECK_EQ(timed_read(64, &ms), 0);
	finish();
}

TEST(without_waiting)
{
	int ms;

	REQUIRE(begin(0, 0, 0));
	fcntl(slave, F_SETFL, O_RDWR | O_NONBLOCK);
	set_min_time(3, 0);
	CHECK_ERRNO(timed_read(64, &ms), EAGAIN);
	CHECK(type("a"));
	CHECK(arrived(1));
	CHECK_EQ(timed_read(64, &ms), 1); /* what there is */
	set_min_time(3, 5);
	CHECK_ERRNO(timed_read(64, &ms), EAGAIN);
	set_flags(0, 0, ICANON);
	CHECK(type("part"));
	CHECK_ERRNO(timed_read(64, &ms), EAGAIN);
	CHECK(type("\n"));
	CHECK(comes(slave, PATIENCE));
	CHECK_EQ(timed_read(64, &ms), 5);
	finish();
}

static void nothing(int sig)
{
	(void)sig;
}

TEST(a_signal_ends_the_wait)
{
	static const int min_time[][2] = {{1, 0}, {1, 100}, {0, 100}};
	pid_t pid;

	REQUIRE(begin(0, 0, 0));
	handle(SIGUSR1, nothing, 0);
	for (size_t i = 0; i <= ARRAY_LEN(min_time); i++) {
		if (i < ARRAY_LEN(min_time))
			set_min_time(min_time[i][0], min_time[i][1]);
		else
			set_flags(0, 0, ICANON);
		pid = START(CHILD_CHECK(read(slave, &(char){0}, 1) < 0 && errno == EINTR));
		CHECK_EXIT(signal_to_the_end(pid, SIGUSR1), 0);
	}
	signal(SIGUSR1, SIG_DFL);
	finish();
}

/* Who waits for a line is served in the new mode. */
TEST(the_mode_changes_under_a_reader)
{
	pid_t pid;

	REQUIRE(begin(0, 0, ICANON));
	CHECK(type("a"));
	pid = START(CHILD_CHECK(read(slave, &(char[8]){0}, 8) == 1));
	sleep_ms(QUIET);
	CHECK_EQ(waitpid(pid, NULL, WNOHANG), 0);
	set_flags(0, 0, 0);
	CHECK_EXIT(wait_status(pid), 0);
	finish();
}

/* ---- flow control ---- */

/* A child writes @text and waits until it is out; then it writes "." into the pipe. */
static pid_t writer(const char *text, int done)
{
	return START({
		CHILD_CHECK(write(slave, text, strlen(text)) == (ssize_t)strlen(text));
		CHILD_CHECK(tcdrain(slave) == 0);
		CHILD_CHECK(write(done, ".", 1) == 1);
	});
}

/* Nothing of @text comes out, and nobody believes it has, until @go lets it. */
static void held_back(bool (*hold)(void), bool (*go)(void), const char *text)
{
	char buf[32] = "";
	size_t got = 0;
	int done[2];
	pid_t pid;

	REQUIRE_EQ(pipe(done), 0);
	CHECK(hold());
	sleep_ms(2 * QUIET);
	pid = writer(text, done[1]);
	CHECK(!comes(master, QUIET));
	CHECK(!comes(done[0], QUIET));
	CHECK(go());
	while (got < strlen(text) && comes(master, PATIENCE))
		got += read(master, buf + got, sizeof(buf) - got);
	CHECK_STR(buf, text);
	CHECK(comes(done[0], PATIENCE));
	CHECK_EXIT(wait_status(pid), 0);
	close(done[0]);
	close(done[1]);
}

static bool press_stop(void)
{
	return type("\023");
}

static bool press_start(void)
{
	return type("\021");
}

static bool press_any(void)
{
	return type("k");
}

static bool suspend(void)
{
	return tcflow(slave, TCOOFF) == 0;
}

static bool resume(void)
{
	return tcflow(slave, TCOON) == 0;
}

static bool without_ixon(void)
{
	return set_flags(0, 0, 0);
}

TEST(output_is_stopped_and_started)
{
	REQUIRE(begin(IXON, 0, 0));
	held_back(press_stop, press_start, "keys");
	CHECK_STR(gets_within(QUIET), "<nothing>"); /* they are no input */
	held_back(suspend, resume, "calls");
	held_back(press_stop, without_ixon, "nothing could start it");
	set_flags(IXON | IXANY, 0, 0);
	held_back(press_stop, press_any, "any key");
	CHECK_STR(gets_line(), "k"); /* which is input */
#ifdef __parvix__
	/* With the same character for both it changes with each; Linux only ever starts. */
	set_flags(IXON, 0, 0);
	set_char(VSTART, 023);
	held_back(press_stop, press_stop, "one key");
#endif
	set_flags(0, 0, 0);
	CHECK(type("\023\021"));
	CHECK(arrived(2));
	finish();
}

TEST(the_other_side_is_told)
{
	REQUIRE(begin(0, 0, 0));
	CHECK_EQ(tcflow(slave, TCIOFF), 0);
	CHECK_EQ(tcflow(slave, TCION), 0);
	CHECK(shows("\023\021"));
	set_char(VSTOP, 'S');
	set_char(VSTART, _POSIX_VDISABLE);
	CHECK_EQ(tcflow(slave, TCIOFF), 0);
	CHECK_EQ(tcflow(slave, TCION), 0);
	CHECK(shows("S"));
	CHECK_ERRNO(tcflow(slave, 4), EINVAL);
	finish();
}

#ifdef __parvix__
/* IXOFF: STOP before the buffer is full, START when there is room again. (On Linux that is left to
 * the drivers of real lines.) */
TEST(told_before_the_buffer_is_full)
{
	char buf[256];
	int stop_after = 0;

	REQUIRE(begin(IXOFF, 0, 0));
	memset(buf, 'x', sizeof(buf));
	for (int sum = 256; sum < MAX_INPUT * 16 && !comes(master, 0); sum += 256) {
		CHECK_EQ(write(master, buf, sizeof(buf)), 256);
		stop_after = sum;
	}
	CHECK_EQ(read(master, buf, sizeof(buf)), 1);
	CHECK_EQ(buf[0], 023);
	CHECK(stop_after > 2048 && stop_after <= 3584);
	for (int left = stop_after; left > 0 && !comes(master, 0); left -= 256)
		CHECK_EQ(read(slave, buf, sizeof(buf)), 256);
	CHECK_EQ(read(master, buf, sizeof(buf)), 1);
	CHECK_EQ(buf[0], 021);
	CHECK(arrived(768) || arrived(1024));
	finish();
}
#endif

/* ---- flushing, draining, when settings change ---- */

TEST(flushing_input)
{
	REQUIRE(begin(0, 0, 0));
	CHECK(type("lost"));
	CHECK(arrived(4));
	CHECK_EQ(tcflush(slave, TCOFLUSH), 0);
	CHECK(arrived(4));
	CHECK_EQ(tcflush(slave, TCIFLUSH), 0);
	CHECK_STR(gets_within(QUIET), "<nothing>");
	CHECK(type("lost"));
	CHECK(arrived(4));
	CHECK_EQ(tcflush(slave, TCIOFLUSH), 0);
	CHECK_STR(gets_within(QUIET), "<nothing>");
	CHECK(type("kept"));
	CHECK_STR(gets_line(), "kept");
	CHECK_ERRNO(tcflush(slave, 3), EINVAL);
	finish();
}

TEST(settings_that_wait_or_flush)
{
	struct termios t;

	REQUIRE(begin(0, 0, 0));
	tcgetattr(slave, &t);
	CHECK(type("typed"));
	CHECK(arrived(5));
	CHECK_EQ(tcsetattr(slave, TCSADRAIN, &t), 0);
	CHECK(arrived(5));
	CHECK_EQ(tcsetattr(slave, TCSANOW, &t), 0);
	CHECK_STR(gets_line(), "typed");
	CHECK(type("typed"));
	CHECK(arrived(5));
	CHECK_EQ(tcsetattr(slave, TCSAFLUSH, &t), 0);
	CHECK_STR(gets_within(QUIET), "<nothing>");
	CHECK_ERRNO(tcsetattr(slave, 3, &t), EINVAL);
	finish();
}

/* What was written under the old settings comes out as they say. */
TEST(the_old_settings_for_what_was_before)
{
	struct termios t;

	REQUIRE(begin(0, OPOST | ONLCR, 0));
	tcgetattr(slave, &t);
	CHECK_EQ(write(slave, "a\n", 2), 2);
	t.c_oflag = 0;
	CHECK_EQ(tcsetattr(slave, TCSADRAIN, &t), 0);
	CHECK_EQ(write(slave, "b\n", 2), 2);
	CHECK(shows("a\r\nb\n"));
	finish();
}

TEST(speeds)
{
	struct termios t, raw;

	REQUIRE(begin(0, 0, ICANON | ECHO));
	CHECK_EQ(tcgetattr(slave, &t), 0);
	CHECK_EQ(cfsetospeed(&t, B9600), 0);
	CHECK_EQ(cfsetispeed(&t, B9600), 0);
	CHECK_EQ(cfgetospeed(&t), B9600);
	CHECK_EQ(tcsetattr(slave, TCSANOW, &t), 0);
	CHECK_EQ(tcgetattr(slave, &raw), 0);
	CHECK_EQ(cfgetospeed(&raw), B9600);
	CHECK_EQ(cfgetispeed(&raw), B9600);
	CHECK_ERRNO(cfsetospeed(&t, 12345), EINVAL);
	CHECK_ERRNO(cfsetispeed(&t, 12345), EINVAL);
	cfmakeraw(&raw);
	CHECK_EQ(raw.c_lflag & (ECHO | ECHONL | ICANON | ISIG | IEXTEN), 0);
	CHECK_EQ(raw.c_oflag & OPOST, 0);
	CHECK_EQ(raw.c_iflag & (BRKINT | PARMRK | ISTRIP | INLCR | IGNCR | ICRNL | IXON), 0);
	CHECK_EQ(raw.c_cflag & CSIZE, CS8);
	finish();
}

TEST(breaks_are_sent_to_nobody)
{
	REQUIRE(begin(0, 0, 0));
	CHECK_EQ(tcsendbreak(slave, 0), 0);
	CHECK(shows(""));
	finish();
}

TEST(limits)
{
	REQUIRE(begin(0, 0, 0));
	CHECK_EQ(fpathconf(slave, _PC_VDISABLE), _POSIX_VDISABLE);
	CHECK(fpathconf(slave, _PC_MAX_CANON) >= _POSIX_MAX_CANON);
	CHECK(fpathconf(slave, _PC_MAX_INPUT) >= _POSIX_MAX_INPUT);
	finish();
}

TEST(no_terminal)
{
	struct termios t;
	int fds[2];

	REQUIRE_EQ(pipe(fds), 0);
	memset(&t, 0, sizeof(t));
	CHECK_ERRNO(tcgetattr(fds[0], &t), ENOTTY);
	CHECK_ERRNO(tcsetattr(fds[0], TCSANOW, &t), ENOTTY);
	CHECK_ERRNO(tcflush(fds[0], TCIFLUSH), ENOTTY);
	CHECK_ERRNO(tcflow(fds[0], TCOON), ENOTTY);
	CHECK_ERRNO(tcdrain(fds[0]), ENOTTY);
	CHECK_ERRNO(tcsendbreak(fds[0], 0), ENOTTY);
	close(fds[0]);
	close(fds[1]);
	CHECK_ERRNO(tcgetattr(fds[0], &t), EBADF);
	CHECK_ERRNO(tcsetattr(fds[0], TCSANOW, &t), EBADF);
	CHECK_ERRNO(tcflush(fds[0], TCIFLUSH), EBADF);
	CHECK_ERRNO(tcflow(fds[0], TCOON), EBADF);
	CHECK_ERRNO(tcdrain(fds[0]), EBADF);
}

/* ---- the size of the window ---- */

static volatile sig_atomic_t winches;

static void on_winch(int sig)
{
	(void)sig;
	winches++;
}

/* In the foreground it is told, of changes only; in the background it is not. */
TEST(who_is_told_of_a_new_size)
{
	struct winsize ws = {.ws_row = 10, .ws_col = 20};
	bool told = false;
	int ready[2];
	pid_t pid, leader;

	REQUIRE(begin(0, 0, ISIG));
	REQUIRE_EQ(pipe(ready), 0);
	CHECK_EQ(ioctl(master, TIOCSWINSZ, &ws), 0);
	leader = START({
		CHILD_CHECK(setsid() > 0 && ioctl(slave, TIOCSCTTY, 0) == 0);
		handle(SIGWINCH, on_winch, 0);
		pid = START(setpgid(0, 0); write(ready[1], "b", 1); sleep_ms(6 * TENTH);
			    CHILD_CHECK(winches == 0));
		CHILD_CHECK(write(ready[1], "f", 1) == 1);
		for (int i = 0; i < PATIENCE / 10 && winches < 2; i++) {
			sleep_ms(10);
			if (winches == 1 && !told)
				told = write(ready[1], "1", 1) == 1;
		}
		CHILD_CHECK(winches == 2);
		CHILD_CHECK(ioctl(slave, TIOCGWINSZ, &ws) == 0 && ws.ws_row == 33);
		CHILD_CHECK(wait_status(pid) == 0);
		CHILD_CHECK(winches == 2);
	});
	CHECK_EQ(read(ready[0], &(char){0}, 1), 1);
	CHECK_EQ(read(ready[0], &(char){0}, 1), 1);
	CHECK_EQ(ioctl(master, TIOCSWINSZ, &ws), 0); /* the same: no signal */
	ws.ws_col++;
	CHECK_EQ(ioctl(master, TIOCSWINSZ, &ws), 0);
	CHECK_EQ(read(ready[0], &(char){0}, 1), 1);
	ws.ws_row = 33;
	CHECK_EQ(ioctl(slave, TIOCSWINSZ, &ws), 0);
	CHECK_EXIT(wait_status(leader), 0);
	close(ready[0]);
	close(ready[1]);
	finish();
}
