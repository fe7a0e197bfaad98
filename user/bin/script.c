/* SPDX-License-Identifier: MIT */
/*
 * script [-aq] [-c command] [file]: run a shell, or a command, on a pseudo-terminal and keep all
 * that it shows in a file ("typescript"); -a appends, -q says nothing of its own. The status is the
 * command's.
 *
 * Our own terminal is raw meanwhile: every key is passed on, and the other terminal makes lines and
 * signals of them. When our window changes, so does the other one.
 */
#include "../lib/util.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

static struct termios saved;
static bool terminal; /* standard input is one */
static volatile sig_atomic_t resized;

static void on_winch(int sig)
{
	(void)sig;
	resized = 1;
}

static void restore(void)
{
	if (terminal)
		tcsetattr(0, TCSADRAIN, &saved);
}

static void make_raw(void)
{
	struct termios raw = saved;

	if (!terminal)
		return;
	cfmakeraw(&raw);
	tcsetattr(0, TCSADRAIN, &raw);
}

/* Keys to the pseudo-terminal; false at the end of the input. */
static bool pass_input(int master, char *buf, size_t size)
{
	ssize_t n = read(0, buf, size);

	if (n > 0)
		return write_all(master, buf, n);
	if (n < 0 && errno == EINTR)
		return true;
	/* Nobody types any more: whoever reads there is to know. */
	(void)!write(master, "\004", 1);
	return false;
}

static void copy(int master, int log)
{
	struct pollfd fds[2] = {{.fd = master, .events = POLLIN}, {.fd = 0, .events = POLLIN}};
	char buf[4096];
	struct winsize size;

	for (;;) {
		if (resized && ioctl(0, TIOCGWINSZ, &size) == 0)
			ioctl(master, TIOCSWINSZ, &size);
		resized = 0;
		if (poll(fds, 2, -1) < 0) {
			if (errno == EINTR)
				continue;
			return;
		}
		if (fds[0].revents) {
			ssize_t n = read(master, buf, sizeof(buf));

			if (n <= 0)
				return; /* the last one has closed it */
			if (!write_all(1, buf, n) || !write_all(log, buf, n))
				return;
		} else if (fds[1].revents && !pass_input(master, buf, sizeof(buf))) {
			fds[1].fd = -1;
		}
	}
}

int main(int argc, char **argv)
{
	const char *command = NULL, *path = "typescript", *shell = getenv("SHELL");
	int append = O_TRUNC, master, log, status, c;
	struct sigaction act = {.sa_handler = on_winch};
	struct winsize size;
	bool quiet = false;
	pid_t pid;

	prog_init(argv);
	while ((c = getopt(argc, argv, "aqc:")) != -1) {
		switch (c) {
		case 'a':
			append = O_APPEND;
			break;
		case 'q':
			quiet = true;
			break;
		case 'c':
			command = optarg;
			break;
		default:
			usage("[-aq] [-c command] [file]");
		}
	}
	if (optind < argc)
		path = argv[optind];
	if (!shell || !*shell)
		shell = "/bin/sh";
	log = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | append, 0666);
	if (log < 0)
		fatal("%s", path);
	terminal = tcgetattr(0, &saved) == 0;
	if (!terminal || ioctl(0, TIOCGWINSZ, &size) < 0)
		size = (struct winsize){.ws_row = 24, .ws_col = 80};
	pid = forkpty(&master, NULL, terminal ? &saved : NULL, &size);
	if (pid < 0)
		fatal("no pseudo-terminal");
	if (pid == 0) {
		execl(shell, shell, command ? "-c" : "-i", command, NULL);
		fatal("%s", shell);
	}
	if (!quiet)
		dprintf(1, "script: the session goes to %s, until its end (^D)\n", path);
	sigaction(SIGWINCH, &act, NULL);
	make_raw();
	copy(master, log);
	restore();
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (!quiet)
		dprintf(1, "script: the end, %s\n", path);
	if (close(log) < 0)
		fatal("%s", path);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
