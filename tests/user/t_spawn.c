/* SPDX-License-Identifier: MIT */
/* vfork and posix_spawn: programs started without a copy of the parent. */
#include "guest.h"

#include <spawn.h>
#include <sys/resource.h>

extern char **environ;

static int spawn_sh(pid_t *pid, const char *script, const posix_spawn_file_actions_t *fa,
		    const posix_spawnattr_t *attr)
{
	char *argv[] = {"sh", "-c", (char *)script, NULL};

	return posix_spawn(pid, "/bin/sh", fa, attr, argv, environ);
}

TEST(vfork_waits_for_the_end)
{
	static volatile int seen;
	pid_t pid = vfork();

	if (pid == 0) {
		sleep_ms(60);
		seen = 1;
		_exit(7);
	}
	REQUIRE(pid > 0);
	CHECK_EXIT(wait_status(pid), 7);
	/* Whether the memory was the same is the system's affair; on this one it is. */
#ifdef __parvix__
	CHECK_EQ(seen, 1);
#endif
}

TEST(vfork_goes_on_at_exec)
{
	long long start = now_ns();
	pid_t pid = vfork();

	if (pid == 0) {
		execl("/bin/sh", "sh", "-c", "sleep 1; exit 3", NULL);
		_exit(127);
	}
	REQUIRE(pid > 0);
	CHECK(now_ns() - start < 1000000000);
	CHECK_EXIT(wait_status(pid), 3);
}

TEST(vfork_with_a_failed_exec)
{
	pid_t pid = vfork();

	if (pid == 0) {
		execl("/no/such/program", "x", NULL);
		_exit(errno == ENOENT ? 9 : 8);
	}
	REQUIRE(pid > 0);
	CHECK_EXIT(wait_status(pid), 9);
}

static volatile sig_atomic_t handled;
static void on_signal(int sig)
{
	handled = sig;
}

TEST(signals_wait_for_the_end_of_vfork)
{
	pid_t pid;

	handled = 0;
	handle(SIGUSR1, on_signal, 0);
	pid = vfork();
	if (pid == 0) {
		kill(getppid(), SIGUSR1);
		sleep_ms(20);
		_exit(handled ? 1 : 0);
	}
	REQUIRE(pid > 0);
	CHECK_EQ(handled, SIGUSR1);
	CHECK_EXIT(wait_status(pid), 0);
	signal(SIGUSR1, SIG_DFL);
}

TEST(a_parent_in_vfork_can_be_killed)
{
	pid_t parent = START({
		if (vfork() == 0) {
			sleep_ms(300);
			_exit(0);
		}
	});

	sleep_ms(60);
	CHECK_EQ(kill(parent, SIGKILL), 0);
	CHECK_KILLED(wait_status(parent), SIGKILL);
	sleep_ms(400);
}

TEST(vfork_storm)
{
	for (volatile int i = 0; i < 200; i++) {
		pid_t pid = vfork();

		if (pid == 0)
			_exit(i & 127);
		REQUIRE(pid > 0);
		CHECK_EXIT(wait_status(pid), i & 127);
	}
}

TEST(spawn_runs_a_program)
{
	pid_t pid = -1;

	REQUIRE_EQ(spawn_sh(&pid, "exit 5", NULL, NULL), 0);
	CHECK(pid > 0);
	CHECK_EXIT(wait_status(pid), 5);
	REQUIRE_EQ(posix_spawnp(&pid, "sh", NULL, NULL, (char *[]){"sh", "-c", "exit 6", NULL},
				environ),
		   0);
	CHECK_EXIT(wait_status(pid), 6);
	REQUIRE_EQ(posix_spawn(&pid, "/bin/sh", NULL, NULL, (char *[]){"sh", "-c", "exit $N", NULL},
			       (char *[]){"N=4", NULL}),
		   0);
	CHECK_EXIT(wait_status(pid), 4);
}

TEST(spawn_reports_errors)
{
	char *argv[] = {"x", NULL};
	pid_t pid;

	CHECK_EQ(posix_spawn(&pid, "/no/such/program", NULL, NULL, argv, environ), ENOENT);
	setenv("PATH", "/bin:/usr/bin", 1);
	CHECK_EQ(posix_spawnp(&pid, "no-such-program", NULL, NULL, argv, environ), ENOENT);
	CHECK_EQ(posix_spawn(&pid, "/etc/passwd", NULL, NULL, argv, environ), EACCES);
	CHECK_EQ(posix_spawn(&pid, "/tmp", NULL, NULL, argv, environ), EACCES);
	/* The child that failed has been waited for. */
	CHECK_ERRNO(waitpid(-1, NULL, 0), ECHILD);
}

TEST(execvp_gives_a_plain_text_to_the_shell)
{
	REQUIRE(enter_scratch("/tmp"));
	CHECK(make_file("s", "exit 11\n", 8) && chmod("s", 0755) == 0);
	CHECK_EXIT(CHILD_STATUS(execvp("./s", (char *[]){"s", NULL})), 11);
	setenv("PATH", "/no/such:.", 1);
	CHECK_EXIT(CHILD_STATUS(execlp("s", "s", NULL)), 11);
	setenv("PATH", "/bin:/usr/bin", 1);
	CHECK_EXIT(CHILD_STATUS(execv("./s", (char *[]){"s", NULL}); _exit(errno == ENOEXEC)), 1);
	leave_scratch("/tmp");
}

TEST(file_actions_in_their_order)
{
	posix_spawn_file_actions_t fa;
	char buf[32] = "";
	pid_t pid;
	int fd;

	REQUIRE(enter_scratch("/tmp"));
	REQUIRE(make_file("in", "hello\n", 6));
	CHECK_EQ(posix_spawn_file_actions_init(&fa), 0);
	CHECK_EQ(posix_spawn_file_actions_addopen(&fa, 0, "in", O_RDONLY, 0), 0);
	CHECK_EQ(posix_spawn_file_actions_addopen(&fa, 1, "out", O_WRONLY | O_CREAT, 0600), 0);
	CHECK_EQ(posix_spawn_file_actions_adddup2(&fa, 1, 7), 0);
	CHECK_EQ(posix_spawn_file_actions_addclose(&fa, 1), 0);
	CHECK_EQ(posix_spawn_file_actions_addclose(&fa, 99), 0); /* open or not */
	REQUIRE_EQ(spawn_sh(&pid, "read a; echo \"got $a\" >&7", &fa, NULL), 0);
	CHECK_EXIT(wait_status(pid), 0);
	fd = open("out", O_RDONLY);
	CHECK(fd >= 0 && read(fd, buf, sizeof(buf) - 1) > 0);
	close(fd);
	CHECK_STR(buf, "got hello\n");
	CHECK_EQ(posix_spawn_file_actions_destroy(&fa), 0);
	leave_scratch("/tmp");
}

TEST(file_actions_that_fail)
{
	posix_spawn_file_actions_t fa;
	pid_t pid;

	CHECK_EQ(posix_spawn_file_actions_init(&fa), 0);
	CHECK_EQ(posix_spawn_file_actions_addopen(&fa, -1, "x", O_RDONLY, 0), EBADF);
	CHECK_EQ(posix_spawn_file_actions_adddup2(&fa, 1, -1), EBADF);
	CHECK_EQ(posix_spawn_file_actions_addclose(&fa, -1), EBADF);
	CHECK_EQ(posix_spawn_file_actions_addopen(&fa, 5, "/no/such/file", O_RDONLY, 0), 0);
	CHECK_EQ(spawn_sh(&pid, "exit 0", &fa, NULL), ENOENT);
	CHECK_EQ(posix_spawn_file_actions_destroy(&fa), 0);
	CHECK_EQ(posix_spawn_file_actions_init(&fa), 0);
	CHECK_EQ(posix_spawn_file_actions_adddup2(&fa, 97, 98), 0);
	CHECK_EQ(spawn_sh(&pid, "exit 0", &fa, NULL), EBADF);
	CHECK_EQ(posix_spawn_file_actions_destroy(&fa), 0);
}

TEST(dup2_of_the_same_keeps_it_open)
{
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	posix_spawn_file_actions_t fa;
	char script[64];
	pid_t pid;

	REQUIRE(fd > 2 && fd < 10);
	snprintf(script, sizeof(script), "exec 2>/dev/null; cat <&%d", fd);
	REQUIRE_EQ(spawn_sh(&pid, script, NULL, NULL), 0);
	CHECK(WEXITSTATUS(wait_status(pid)) != 0);
	CHECK_EQ(posix_spawn_file_actions_init(&fa), 0);
	CHECK_EQ(posix_spawn_file_actions_adddup2(&fa, fd, fd), 0);
	REQUIRE_EQ(spawn_sh(&pid, script, &fa, NULL), 0);
	CHECK_EXIT(wait_status(pid), 0);
	CHECK(fcntl(fd, F_GETFD) == FD_CLOEXEC); /* here nothing has changed */
	posix_spawn_file_actions_destroy(&fa);
	close(fd);
}

TEST(working_directory)
{
	posix_spawn_file_actions_t fa;
	pid_t pid;
	int fd = open("/usr", O_RDONLY);

	CHECK_EQ(posix_spawn_file_actions_init(&fa), 0);
	CHECK_EQ(posix_spawn_file_actions_addchdir_np(&fa, "/tmp"), 0);
	REQUIRE_EQ(spawn_sh(&pid, "test \"$(pwd)\" = /tmp", &fa, NULL), 0);
	CHECK_EXIT(wait_status(pid), 0);
	CHECK_EQ(posix_spawn_file_actions_addfchdir_np(&fa, fd), 0);
	REQUIRE_EQ(spawn_sh(&pid, "test \"$(pwd)\" = /usr", &fa, NULL), 0);
	CHECK_EXIT(wait_status(pid), 0);
	CHECK_EQ(posix_spawn_file_actions_addchdir_np(&fa, "/no/such/place"), 0);
	CHECK_EQ(spawn_sh(&pid, "exit 0", &fa, NULL), ENOENT);
	posix_spawn_file_actions_destroy(&fa);
	close(fd);
}

TEST(attributes_are_kept)
{
	posix_spawnattr_t attr;
	sigset_t set, got;
	short flags;
	pid_t group;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	CHECK_EQ(posix_spawnattr_init(&attr), 0);
	CHECK(posix_spawnattr_getflags(&attr, &flags) == 0 && flags == 0);
	CHECK(posix_spawnattr_getpgroup(&attr, &group) == 0 && group == 0);
	CHECK_EQ(posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETPGROUP), 0);
	CHECK(posix_spawnattr_getflags(&attr, &flags) == 0 && flags == POSIX_SPAWN_SETPGROUP);
	CHECK_EQ(posix_spawnattr_setflags(&attr, 0x4000), EINVAL);
	CHECK_EQ(posix_spawnattr_setpgroup(&attr, 5), 0);
	CHECK(posix_spawnattr_getpgroup(&attr, &group) == 0 && group == 5);
	CHECK_EQ(posix_spawnattr_setsigmask(&attr, &set), 0);
	CHECK(posix_spawnattr_getsigmask(&attr, &got) == 0 && sigismember(&got, SIGTERM) == 1);
	CHECK_EQ(posix_spawnattr_setsigdefault(&attr, &set), 0);
	CHECK(posix_spawnattr_getsigdefault(&attr, &got) == 0 && sigismember(&got, SIGINT) == 0);
	CHECK_EQ(posix_spawnattr_destroy(&attr), 0);
}

TEST(groups_and_sessions)
{
	posix_spawnattr_t attr;
	pid_t pid;
	int status;

	CHECK_EQ(posix_spawnattr_init(&attr), 0);
	CHECK_EQ(posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETPGROUP), 0);
	REQUIRE_EQ(spawn_sh(&pid, "sleep 5", NULL, &attr), 0);
	CHECK_EQ(getpgid(pid), pid);
	CHECK_EQ(kill(-pid, SIGKILL), 0);
	CHECK_KILLED(wait_status(pid), SIGKILL);
	CHECK_EQ(posix_spawnattr_setpgroup(&attr, 31999), 0);
	status = spawn_sh(&pid, "exit 0", NULL, &attr);
	CHECK_EQ(status, EPERM);
	CHECK_EQ(posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSID), 0);
	REQUIRE_EQ(spawn_sh(&pid, "sleep 5", NULL, &attr), 0);
	CHECK_EQ(getsid(pid), pid);
	CHECK_EQ(kill(pid, SIGKILL), 0);
	wait_status(pid);
	posix_spawnattr_destroy(&attr);
}

/* This program as the child: says how SIGTERM and SIGUSR2 are set. */
enum { BLOCKED = 1, IGNORED = 2, OTHER_BLOCKED = 4 };

__attribute__((constructor)) static void tell(void)
{
	struct sigaction act;
	sigset_t mask;

	if (!getenv("TELL_SIGNALS"))
		return;
	sigprocmask(SIG_BLOCK, NULL, &mask);
	sigaction(SIGTERM, NULL, &act);
	_exit((sigismember(&mask, SIGTERM) ? BLOCKED : 0) |
	      (act.sa_handler == SIG_IGN ? IGNORED : 0) |
	      (sigismember(&mask, SIGUSR2) ? OTHER_BLOCKED : 0));
}

static int told(const posix_spawnattr_t *attr)
{
	char *argv[] = {"self", NULL}, *envp[] = {"TELL_SIGNALS=1", NULL};
	pid_t pid;

	if (posix_spawn(&pid, "/proc/self/exe", NULL, attr, argv, envp))
		return -1;
	return WEXITSTATUS(wait_status(pid));
}

TEST(signals_of_the_child)
{
	posix_spawnattr_t attr;
	sigset_t set, old, now;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	CHECK_EQ(posix_spawnattr_init(&attr), 0);
	CHECK_EQ(told(&attr), 0);
	CHECK_EQ(posix_spawnattr_setsigmask(&attr, &set), 0);
	CHECK_EQ(posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK), 0);
	CHECK_EQ(sigprocmask(SIG_BLOCK, NULL, &old), 0);
	CHECK_EQ(told(&attr), BLOCKED);
	CHECK_EQ(sigprocmask(SIG_BLOCK, NULL, &now), 0);
	CHECK_MEM(&old, &now, sizeof(long));
	/* Otherwise it is the parent's. */
	sigaddset(&set, SIGUSR2);
	CHECK_EQ(sigprocmask(SIG_BLOCK, &set, NULL), 0);
	CHECK_EQ(told(NULL), BLOCKED | OTHER_BLOCKED);
	CHECK_EQ(told(&attr), BLOCKED);
	CHECK_EQ(sigprocmask(SIG_SETMASK, &old, NULL), 0);
	/* Ignored signals stay ignored, unless they are to have their default again. */
	signal(SIGTERM, SIG_IGN);
	CHECK_EQ(posix_spawnattr_setflags(&attr, 0), 0);
	CHECK_EQ(told(&attr), IGNORED);
	CHECK_EQ(posix_spawnattr_setsigdefault(&attr, &set), 0);
	CHECK_EQ(posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGDEF), 0);
	CHECK_EQ(told(&attr), 0);
	signal(SIGTERM, SIG_DFL);
	posix_spawnattr_destroy(&attr);
}

TEST(no_handler_runs_in_the_child)
{
	pid_t pid;

	handled = 0;
	handle(SIGUSR2, on_signal, SA_RESTART);
	for (int i = 0; i < 20; i++) {
		REQUIRE_EQ(spawn_sh(&pid, "kill -USR2 $$; exit 1", NULL, NULL), 0);
		CHECK_KILLED(wait_status(pid), SIGUSR2);
	}
	CHECK_EQ(handled, 0);
	signal(SIGUSR2, SIG_DFL);
}
