/* SPDX-License-Identifier: MIT */
/* execve: what can be executed, scripts, arguments and their limit, what a new program keeps. */
#include "guest.h"

#include <limits.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/time.h>

extern char **environ;

/* errno of an execve that fails, 0 if the program ran and ended with 0; else 1000 and more. */
static int exec_errno(const char *path, char *const argv[], char *const envp[])
{
	int fds[2], err = 0, status;
	pid_t pid;

	if (pipe(fds) < 0)
		return -1;
	pid = START({
		fcntl(fds[1], F_SETFD, FD_CLOEXEC);
		execve(path, argv, envp);
		err = errno;
		CHILD_CHECK(write(fds[1], &err, sizeof(err)) == sizeof(err));
	});
	close(fds[1]);
	if (read(fds[0], &err, sizeof(err)) != sizeof(err))
		err = 0;
	close(fds[0]);
	status = wait_status(pid);
	return err ? err : WIFEXITED(status) ? 1000 + WEXITSTATUS(status) : 2000;
}

static int exec_file(const char *path)
{
	return exec_errno(path, (char *[]){(char *)path, NULL}, environ);
}

static bool script(const char *name, const char *text)
{
	return make_file(name, text, strlen(text)) && chmod(name, 0755) == 0;
}

TEST(what_cannot_be_executed)
{
	void *volatile nowhere = (void *)8;
	char longer[PATH_MAX + 10];

	REQUIRE(enter_scratch("/tmp"));
	CHECK_EQ(exec_file("nothing"), ENOENT);
	CHECK_EQ(exec_file(""), ENOENT);
	CHECK_EQ(exec_file("/etc/passwd/x"), ENOTDIR);
	CHECK_EQ(exec_file("."), EACCES);
	CHECK(make_file("f", "exit 0\n", 7));
	CHECK_EQ(exec_file("f"), EACCES);
	CHECK_EQ(chmod("f", 0755), 0);
	CHECK_EQ(exec_file("f"), ENOEXEC);
	CHECK(make_file("f", "", 0));
	CHECK_EQ(exec_file("f"), ENOEXEC);
	CHECK(make_file("f", "\177ELF\002\001\001", 7)); /* and no more */
	CHECK_EQ(exec_file("f"), ENOEXEC);
	CHECK(symlink("loop", "loop") == 0);
	CHECK_EQ(exec_file("loop"), ELOOP);
	memset(longer, 'x', sizeof(longer));
	longer[sizeof(longer) - 1] = 0;
	CHECK_EQ(exec_file(longer), ENAMETOOLONG);
	CHECK_EQ(mkfifo("p", 0755), 0);
	CHECK_EQ(exec_file("p"), EACCES);
	CHECK_EQ(exec_errno(nowhere, (char *[]){"x", NULL}, environ), EFAULT);
	CHECK_EQ(exec_errno("/bin/sh", nowhere, environ), EFAULT);
	CHECK_EQ(exec_errno("/bin/sh", (char *[]){nowhere, NULL}, environ), EFAULT);
	leave_scratch("/tmp");
}

TEST(scripts)
{
	REQUIRE(enter_scratch("/tmp"));
	CHECK(script("s", "#!/bin/sh\nexit 5\n"));
	CHECK_EQ(exec_file("./s"), 1005);
	CHECK(script("s", "#! /bin/sh \t\nexit 6\n"));
	CHECK_EQ(exec_file("./s"), 1006);
	/* One argument, with the blanks that are in it. */
	CHECK(script("s", "#!/bin/sh -e  \nfalse\nexit 3\n"));
	CHECK_EQ(exec_file("./s"), 1001);
	CHECK(script("s", "#!/bin/sh\ntest \"$0 $1 $2 $#\" = './s a b 2'\n"));
	CHECK_EQ(exec_errno("./s", (char *[]){"other", "a", "b", NULL}, environ), 1000);
	CHECK(script("s", "#!/bin/sh"));
	CHECK_EQ(exec_file("./s"), 1000);
	leave_scratch("/tmp");
}

TEST(scripts_that_cannot_be)
{
	char line[400] = "#!";

	REQUIRE(enter_scratch("/tmp"));
	CHECK(script("s", "#!/no/such/interpreter\n"));
	CHECK_EQ(exec_file("./s"), ENOENT);
	CHECK(script("s", "#!/etc/passwd\n"));
	CHECK_EQ(exec_file("./s"), EACCES);
	CHECK(script("s", "#!\n"));
	CHECK_EQ(exec_file("./s"), ENOEXEC);
	CHECK(script("s", "#!   \n"));
	CHECK_EQ(exec_file("./s"), ENOEXEC);
	CHECK(script("s", "#!./s\n")); /* itself, for ever */
	CHECK(exec_file("./s") == ELOOP || exec_file("./s") == ENOEXEC);
	memset(line + 2, 'x', sizeof(line) - 4);
	line[2] = '/';
	line[sizeof(line) - 2] = '\n';
	CHECK(script("s", line)); /* a line longer than any system reads */
	CHECK(exec_file("./s") == ENOEXEC || exec_file("./s") == ENOENT);
	leave_scratch("/tmp");
}

TEST(too_many_arguments)
{
	static char big[3 << 20];
	char *argv[] = {"true", big, NULL}, *envp[] = {big, NULL}, *none[] = {NULL};
	long max = sysconf(_SC_ARG_MAX);

	CHECK(max >= _POSIX_ARG_MAX);
	memset(big, 'x', sizeof(big) - 1);
	CHECK_EQ(exec_errno("/bin/true", argv, none), E2BIG);
	CHECK_EQ(exec_errno("/bin/true", (char *[]){"true", NULL}, envp), E2BIG);
	big[60000] = 0;
	CHECK_EQ(exec_errno("/bin/true", argv, none), 1000);
	CHECK_EQ(exec_errno("/bin/true", argv, envp), 1000);
}

TEST(many_short_arguments)
{
	enum { MANY = 400000 };
	char **argv = malloc((MANY + 1) * sizeof(*argv));

	REQUIRE(argv);
	for (int i = 0; i < MANY; i++)
		argv[i] = "x";
	argv[MANY] = NULL;
	CHECK_EQ(exec_errno("/bin/true", argv, (char *[]){NULL}), E2BIG);
	argv[4000] = NULL;
	CHECK_EQ(exec_errno("/bin/true", argv, (char *[]){NULL}), 1000);
	free(argv);
}

TEST(environment_goes_along)
{
	CHECK_EQ(exec_errno("/bin/sh", (char *[]){"sh", "-c", "test \"$A$B\" = 12", NULL},
			    (char *[]){"A=1", "B=2", NULL}),
		 1000);
	CHECK_EQ(exec_errno("/bin/sh", (char *[]){"sh", "-c", "test -z \"$HOME\"", NULL},
			    (char *[]){NULL}),
		 1000);
}

TEST(close_on_exec)
{
	int keep, lose;

	keep = open("/dev/null", O_WRONLY);
	lose = open("/dev/null", O_WRONLY | O_CLOEXEC);
	REQUIRE(keep > 2 && lose > keep && lose < 10);
	CHECK_EXIT(CHILD_STATUS({
			   char text[80];

			   snprintf(text, sizeof(text),
				    "exec 2>/dev/null; (echo >&%d) && ! (echo >&%d)", keep, lose);
			   execl("/bin/sh", "sh", "-c", text, NULL);
		   }),
		   0);
	close(keep);
	close(lose);
}

static void ignore_it(int sig)
{
	(void)sig;
}

/* This program again, as the new one: does it find what exec keeps? */
__attribute__((constructor)) static void kept(void)
{
	struct sigaction act;
	sigset_t mask, pending;

	if (!getenv("EXEC_KEPT"))
		return;
	CHILD_CHECK(sigaction(SIGUSR1, NULL, &act) == 0 && act.sa_handler == SIG_DFL);
	CHILD_CHECK(sigaction(SIGUSR2, NULL, &act) == 0 && act.sa_handler == SIG_IGN);
	CHILD_CHECK(sigprocmask(SIG_BLOCK, NULL, &mask) == 0 && sigismember(&mask, SIGTERM));
	CHILD_CHECK(sigpending(&pending) == 0 && sigismember(&pending, SIGTERM));
	CHILD_CHECK(umask(0) == 057);
	CHILD_CHECK(getpid() == atoi(getenv("EXEC_KEPT")));
	CHILD_CHECK(alarm(0) > 50);
	_exit(0);
}

TEST(what_exec_keeps)
{
	CHECK_EXIT(CHILD_STATUS({
			   char pid[32];
			   sigset_t set;

			   snprintf(pid, sizeof(pid), "%d", (int)getpid());
			   setenv("EXEC_KEPT", pid, 1);
			   handle(SIGUSR1, ignore_it, 0);
			   signal(SIGUSR2, SIG_IGN);
			   sigemptyset(&set);
			   sigaddset(&set, SIGTERM);
			   sigprocmask(SIG_BLOCK, &set, NULL);
			   raise(SIGTERM);
			   umask(057);
			   alarm(100);
			   execl("/proc/self/exe", "self", NULL);
			   _exit(1);
		   }),
		   0);
}

/* -- a program that runs is not written to -- */

TEST(text_file_busy)
{
	pid_t pid;
	int fd;

	REQUIRE(enter_scratch("/var/tmp"));
	REQUIRE_EQ(system("cp /bin/sleep ./p"), 0);
	pid = START(execl("./p", "p", "10", NULL));
	sleep_ms(200);
	CHECK_ERRNO(open("p", O_WRONLY), ETXTBSY);
	CHECK_ERRNO(open("p", O_RDWR), ETXTBSY);
	CHECK_ERRNO(open("p", O_WRONLY | O_TRUNC), ETXTBSY);
	CHECK_ERRNO(truncate("p", 0), ETXTBSY);
	fd = open("p", O_RDONLY);
	CHECK(fd >= 0);
	close(fd);
	CHECK_EQ(chmod("p", 0700), 0); /* names and attributes may change */
	CHECK_EQ(rename("p", "q"), 0);
	kill(pid, SIGKILL);
	wait_status(pid);
	/* The other way round. */
	fd = open("q", O_RDWR);
	CHECK(fd >= 0);
	CHECK_EQ(exec_errno("./q", (char *[]){"q", "0", NULL}, environ), ETXTBSY);
	close(fd);
	CHECK_EQ(exec_errno("./q", (char *[]){"q", "0", NULL}, environ), 1000);
	leave_scratch("/var/tmp");
}

TEST(children_of_a_program_keep_it_busy)
{
	int fds[2];
	pid_t pid;

	REQUIRE(enter_scratch("/var/tmp"));
	REQUIRE_EQ(system("cp /bin/sh ./p"), 0);
	REQUIRE_EQ(pipe(fds), 0);
	pid = START({
		dup2(fds[0], 9);
		close(fds[1]);
		execl("./p", "p", "-c", "(read x <&9; :) & exit 0", NULL);
	});
	CHECK_EXIT(wait_status(pid), 0);
	CHECK_ERRNO(open("p", O_WRONLY), ETXTBSY);
	close(fds[0]);
	CHECK_EQ(write(fds[1], "\n", 1), 1);
	close(fds[1]);
	for (int i = 0; i < 50 && open("p", O_WRONLY) < 0; i++)
		sleep_ms(20);
	CHECK((fds[0] = open("p", O_WRONLY)) >= 0);
	close(fds[0]);
	leave_scratch("/var/tmp");
}

TEST(noexec_mount)
{
#ifdef __parvix__
	REQUIRE(enter_scratch("/var/tmp"));
	CHECK_EQ(mkdir("m", 0755), 0);
	REQUIRE_EQ(mount("tmpfs", "m", "tmpfs", MS_NOEXEC, NULL), 0);
	CHECK(script("m/s", "#!/bin/sh\nexit 0\n"));
	CHECK_EQ(exec_file("m/s"), EACCES);
	CHECK_EQ(umount2("m", 0), 0);
	leave_scratch("/var/tmp");
#endif
}
