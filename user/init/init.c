/* SPDX-License-Identifier: MIT */
/*
 * init: the first process, which the kernel starts and every other one descends from.
 *
 * It mounts what the kernel has not, runs /etc/rc, keeps a login shell on the console, and collects
 * orphans. `init getty=hvc1,hvc2` keeps one on these terminals too, as soon as they are there; the
 * kernel says that one has been plugged in by SIGHUP. What it is told by signals: SIGUSR1 halt,
 * SIGUSR2 power off, SIGTERM restart (that is what halt, poweroff and reboot send). If init ended,
 * the kernel would have nothing to go on with, so nothing here exits.
 *
 * `init login` (kernel command line: ... -- login), or a file /etc/console-login, has users say who
 * they are: login runs in place of the shell.
 *
 * `init exec` (kernel command line: ... -- exec) is for programs that drive the machine: no login
 * shell, but the script in /etc/exec-command, its output between two marks, and then power off. The
 * file's first line is a word of the caller's choice that makes the marks its own. See docs/rig.md.
 */
#include "../lib/util.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#define GETTY "getty="
#define COMMAND_FILE "/etc/exec-command"
#define COMMAND_PATH "/bin:/sbin:/usr/bin:/usr/sbin:/usr/local/bin"

static const struct timespec tick = {.tv_nsec = 20 * 1000 * 1000};
static volatile sig_atomic_t wanted = -1; /* REBOOT_*, once a signal has asked for it */

static void on_signal(int sig)
{
	if (sig == SIGUSR1)
		wanted = REBOOT_HALT;
	else if (sig == SIGUSR2)
		wanted = REBOOT_POWEROFF;
	else if (sig == SIGTERM)
		wanted = REBOOT_RESTART;
}

/* init's messages cannot count on a line discipline that is in a sane state. */
static void say(const char *what, const char *detail)
{
	dprintf(2, "init: %s%s%s%s%s\r\n", what, detail ? " " : "", detail ? detail : "",
		errno ? ": " : "", errno ? strerror(errno) : "");
}

static bool open_terminal(const char *path)
{
	int fd = open(path, O_RDWR | O_NOCTTY);

	if (fd < 0)
		return false;
	for (int i = 0; i < 3; i++)
		if (fd != i)
			dup2(fd, i);
	if (fd > 2)
		close(fd);
	return true;
}

static void mount_at(const char *what, const char *where, const char *type)
{
	if (mount(what, where, type, 0, NULL) < 0 && errno != EBUSY)
		say("cannot mount", where);
}

/* xenstore, where there is one, and a place for it. */
static void mount_xenstore(void)
{
	if (mount("xenstore", "/xen/store", "xenstore", 0, NULL) < 0 && errno != EBUSY &&
	    errno != ENODEV && errno != ENOENT)
		say("cannot mount", "/xen/store");
}

/* A line in the kernel's record of this boot (/proc/boot). */
static void boot_mark(const char *name)
{
	int fd = open("/proc/boot", O_WRONLY);

	if (fd < 0)
		return;
	if (write(fd, name, strlen(name)) < 0)
		say("cannot write", "/proc/boot");
	close(fd);
}

/* @terminal: what the program gets for its own, NULL: nothing. */
static pid_t start(char *const args[], const char *terminal)
{
	sigset_t none;
	pid_t pid = fork();

	if (pid != 0)
		return pid;
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	if (terminal) {
		setsid();
		if (!open_terminal(terminal)) {
			say("cannot open", terminal);
			_exit(127);
		}
		ioctl(0, TIOCSCTTY, 0);
		tcsetpgrp(0, getpid());
	}
	/* A leading '-' in argv[0] makes a login shell; it is not part of the file's name. */
	execv(strcmp(args[0], "-sh") == 0 ? "/bin/sh" : args[0], args);
	say("cannot run", args[0]);
	_exit(127);
}

/*
 * Wait for @pid, burying whatever else ends meanwhile. Returns its wait status. Somebody wants the
 * system to stop: what runs gets a second to end by itself (it may have asked, as its last
 * command), then a signal, then the other.
 */
static int wait_for(pid_t pid)
{
	sigset_t none;
	int status, asked = 0;

	sigemptyset(&none);
	for (;;) {
		pid_t done = waitpid(-1, &status, WNOHANG);

		if (done == pid)
			return status;
		if (done < 0 && errno != EINTR)
			return -1;
		if (done > 0)
			continue;
		if (wanted < 0) {
			sigsuspend(&none); /* all of them are blocked elsewhere, so none is lost */
			continue;
		}
		if (asked == 50) {
			kill(-1, SIGTERM);
			kill(-1, SIGCONT); /* a stopped process could not see it */
		}
		if (asked == 150)
			kill(-1, SIGKILL);
		asked++;
		nanosleep(&tick, NULL);
	}
}

/* /etc/hostname says it, else the domain's name does, else the kernel has one. */
static void set_hostname(void)
{
	static const char *const files[] = {"/etc/hostname", "/proc/xen/name"};

	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		char *name = read_file(files[i], NULL);

		if (name)
			name[strcspn(name, " \t\r\n")] = '\0';
		if (name && *name) {
			if (sethostname(name, strlen(name)) < 0)
				say("cannot set the host name", name);
			free(name);
			return;
		}
		free(name);
	}
}

/* What the shell and all below it start with; NAME=value among init's arguments comes on top. */
static void set_up_environment(char **args)
{
	setenv("PATH", COMMAND_PATH, 1);
	setenv("HOME", "/root", 1);
	setenv("USER", "root", 1);
	setenv("LOGNAME", "root", 1);
	setenv("SHELL", "/bin/sh", 1);
	setenv("TERM", "xterm", 1);
	for (; *args; args++)
		if (strchr(*args, '=') && strncmp(*args, GETTY, strlen(GETTY)) != 0)
			putenv(*args);
}

/* -- shutting down -- */

/* Give what still runs up to @seconds to end. */
static void wait_for_all(int seconds)
{
	for (int i = 0; i < seconds * 50; i++) {
		pid_t pid;

		while ((pid = waitpid(-1, NULL, WNOHANG)) > 0)
			;
		if (pid < 0 && errno == ECHILD)
			return;
		nanosleep(&tick, NULL);
	}
}

/* Unmount in the reverse order of mounting; / cannot go, it is made read-only instead. */
static void unmount_all(void)
{
	char *text = read_file("/proc/mounts", NULL);
	char *points[64];
	int count = 0;

	for (char *line = text ? strtok(text, "\n") : NULL; line; line = strtok(NULL, "\n")) {
		char *point = strchr(line, ' ');
		char *end = point ? strchr(point + 1, ' ') : NULL;

		if (end && count < (int)ARRAY_LEN(points)) {
			*end = '\0';
			points[count++] = point + 1;
		}
	}
	while (count-- > 0)
		if (strcmp(points[count], "/") != 0)
			umount2(points[count], 0);
	mount("", "/", "", MS_REMOUNT | MS_RDONLY, NULL);
	free(text);
}

static void shut_down(int how) NORETURN;
static void shut_down(int how)
{
	errno = 0;
	signal(SIGTERM, SIG_IGN);
	kill(-1, SIGTERM);
	kill(-1, SIGCONT); /* a stopped process could not see it */
	wait_for_all(2);
	kill(-1, SIGKILL);
	wait_for_all(2);
	sync();
	unmount_all();
	sync();
	reboot(how);
	for (;;)
		pause();
}

/* -- the two ways of running -- */

/* The script without its first line, which is cut off and kept as the marks' word. */
static char *exec_script(char **nonce)
{
	char *text = read_file(COMMAND_FILE, NULL);
	char *end = text ? strchr(text, '\n') : NULL;

	if (!end) {
		say("no command in", COMMAND_FILE);
		*nonce = "none";
		return NULL;
	}
	*end = '\0';
	*nonce = text;
	return end + 1;
}

static int run_script(char *script)
{
	char *args[] = {"/bin/sh", "-c", script, NULL};
	sigset_t none;
	pid_t pid;
	int status, null;

	boot_mark("shell");
	pid = fork();
	if (pid == 0) {
		sigemptyset(&none);
		sigprocmask(SIG_SETMASK, &none, NULL);
		setsid();
		ioctl(1, TIOCSCTTY, 0);
		tcsetpgrp(1, getpid());
		null = open("/dev/null", O_RDONLY);
		if (null > 0) {
			dup2(null, 0);
			close(null);
		}
		chdir("/root");
		execv(args[0], args);
		say("cannot run", args[0]);
		_exit(127);
	}
	status = pid < 0 ? -1 : wait_for(pid);
	if (status < 0)
		return 127;
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

static void exec_mode(void) NORETURN;
static void exec_mode(void)
{
	struct termios tio;
	char *nonce, *script;
	int status;

	/* The bytes of the output as they are: no carriage returns added. */
	if (tcgetattr(1, &tio) == 0) {
		tio.c_oflag &= ~(tcflag_t)OPOST;
		tcsetattr(1, TCSANOW, &tio);
	}
	script = exec_script(&nonce);
	dprintf(1, "\036BEGIN %s\n", nonce);
	status = script ? run_script(script) : 126;
	tcdrain(1);
	dprintf(1, "\036END %s %d\n", nonce, status);
	tcdrain(1);
	kill(-1, SIGKILL);
	wait_for_all(2);
	sync();
	unmount_all();
	reboot(wanted < 0 ? REBOOT_POWEROFF : wanted);
	for (;;)
		pause();
}

/* Where login shells run. */
static struct seat {
	char path[32];
	pid_t shell; /* -1: none */
} seats[8] = {{"/dev/console", -1}};
static size_t seat_count = 1;

/* @names: "hvc1,hvc2" */
static void add_seats(char *names)
{
	for (char *name = strtok(names, ","); name; name = strtok(NULL, ",")) {
		struct seat *seat = &seats[seat_count];

		if (seat_count == ARRAY_LEN(seats) || strlen(name) > 24)
			return;
		snprintf(seat->path, sizeof(seat->path), "/dev/%s", name);
		seat->shell = -1;
		seat_count++;
	}
}

static bool ask_names; /* login, not a shell of root's */

static void bury(void)
{
	int status;
	pid_t done;

	while ((done = waitpid(-1, &status, WNOHANG)) > 0) {
		for (size_t i = 0; i < seat_count; i++) {
			if (done != seats[i].shell)
				continue;
			seats[i].shell = -1;
			kill(-done, SIGHUP); /* what the session left behind */
			/* No shell to run: do not try it a thousand times a second. */
			if (WIFEXITED(status) && WEXITSTATUS(status) == 127)
				sleep(5);
		}
	}
}

static void seat_shells(void)
{
	char *shell[] = {ask_names ? "/bin/login" : "-sh", NULL};

	for (size_t i = 0; i < seat_count; i++) {
		if (seats[i].shell >= 0 || (i > 0 && access(seats[i].path, F_OK) < 0))
			continue;
		errno = 0;
		seats[i].shell = start(shell, seats[i].path);
		if (seats[i].shell < 0) {
			say("cannot start a shell", NULL);
			sleep(1);
		}
	}
}

/* SIGTERM, which all get at the end, is nothing to an interactive shell. */
static void hang_up_shells(void)
{
	for (unsigned i = 0; i < seat_count; i++)
		if (seats[i].shell > 0)
			kill(seats[i].shell, SIGHUP);
}

static void login_mode(void) NORETURN;
static void login_mode(void)
{
	char *rc[] = {"/bin/sh", "/etc/rc", NULL};
	sigset_t none;
	pid_t pid;

	if (access("/etc/rc", R_OK) == 0) {
		pid = start(rc, NULL);
		if (pid > 0)
			wait_for(pid);
	}
	chdir(getenv("HOME"));
	if (access("/etc/console-login", F_OK) == 0)
		ask_names = true;
	boot_mark("shell");
	sigemptyset(&none);
	for (;;) {
		if (wanted >= 0) {
			hang_up_shells();
			shut_down(wanted);
		}
		bury();
		seat_shells();
		if (seats[0].shell >= 0)
			sigsuspend(&none); /* all are blocked elsewhere, so none is lost */
	}
}

int main(int argc, char **argv)
{
	static const int handled[] = {SIGCHLD, SIGHUP, SIGUSR1, SIGUSR2, SIGTERM};
	struct sigaction action = {.sa_handler = on_signal};
	bool exec = false;
	sigset_t blocked;

	prog_init(argv);
	for (int i = 1; i < argc; i++)
		if (strcmp(argv[i], "exec") == 0)
			exec = true;
		else if (strcmp(argv[i], "login") == 0)
			ask_names = true;
		else if (strncmp(argv[i], GETTY, strlen(GETTY)) == 0)
			add_seats(argv[i] + strlen(GETTY));
	if (getpid() != 1)
		fatalx("this is the first process; use poweroff, reboot or halt");
	/* Blocked except where login_mode() waits, so that a signal cannot come just before it. */
	sigemptyset(&blocked);
	for (size_t i = 0; i < ARRAY_LEN(handled); i++) {
		sigaction(handled[i], &action, NULL);
		sigaddset(&blocked, handled[i]);
	}
	sigprocmask(SIG_BLOCK, &blocked, NULL);
	umask(022);
	if (fcntl(2, F_GETFD) < 0 || fcntl(0, F_GETFD) < 0)
		open_terminal("/dev/console");
	mount_at("proc", "/proc", "proc");
	mount_at("tmpfs", "/tmp", "tmpfs");
	chmod("/tmp", 01777);
	mount_at("tmpfs", "/dev/shm", "tmpfs");
	chmod("/dev/shm", 01777);
	mount_xenstore();
	set_up_environment(argv + 1);
	set_hostname();
	if (exec)
		exec_mode();
	login_mode();
}
