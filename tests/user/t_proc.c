/* SPDX-License-Identifier: MIT */
/* Life of processes: fork, exec, exit, wait, orphans, groups and sessions. */
#include "guest.h"

#include <sys/resource.h>
#include <sys/times.h>

TEST(fork_gives_two_processes)
{
	pid_t self = getpid(), parent = getppid(), pid;
	int status;

	pid = fork();
	REQUIRE(pid >= 0);
	if (pid == 0)
		_exit(getppid() == self && getpid() != self ? 5 : 6);
	CHECK(pid != self && pid > 0);
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	CHECK_EXIT(status, 5);
	CHECK_EQ(getpid(), self);
	CHECK_EQ(getppid(), parent);
}

TEST(exit_status_is_eight_bits)
{
	for (int code = 0; code < 512; code += 37)
		CHECK_EXIT(CHILD_STATUS(_exit(code)), code & 255);
}

TEST(wait_finds_the_right_child)
{
	pid_t a = START(_exit(1)), b = START(_exit(2)), c = START(_exit(3));
	int status;

	CHECK_EQ(waitpid(b, &status, 0), b);
	CHECK_EXIT(status, 2);
	CHECK_EQ(waitpid(c, &status, 0), c);
	CHECK_EXIT(status, 3);
	CHECK_EQ(waitpid(-1, &status, 0), a);
	CHECK_EXIT(status, 1);
	CHECK_ERRNO(waitpid(-1, &status, 0), ECHILD);
	CHECK_ERRNO(waitpid(a, &status, 0), ECHILD);
	CHECK_ERRNO(waitpid(1, &status, 0), ECHILD);
}

TEST(wnohang_does_not_wait)
{
	int fds[2], status;
	char c;
	pid_t pid;

	REQUIRE_EQ(pipe(fds), 0);
	pid = START({
		close(fds[1]);
		if (read(fds[0], &c, 1) != 0)
			_exit(1);
	});
	close(fds[0]);
	CHECK_EQ(waitpid(pid, &status, WNOHANG), 0);
	close(fds[1]);
	CHECK_EXIT(wait_status(pid), 0);
	CHECK_ERRNO(waitpid(pid, &status, WNOHANG), ECHILD);
}

TEST(wait_by_group)
{
	pid_t a = START(sleep_ms(20)), b;
	int status;

	setpgid(a, a);
	b = START(_exit(4));
	CHECK_EQ(waitpid(0, &status, 0), b);
	CHECK_EXIT(status, 4);
	CHECK_EQ(waitpid(-a, &status, 0), a);
	CHECK_ERRNO(waitpid(-a, &status, 0), ECHILD);
}

TEST(bad_wait_options)
{
	int status;

	CHECK_ERRNO(waitpid(-1, &status, 0x7000), EINVAL);
}

TEST(orphans_go_to_init)
{
	int fds[2];
	pid_t seen = 0;

	REQUIRE_EQ(pipe(fds), 0);
	CHECK_EXIT(CHILD_STATUS({
			   if (fork() == 0) {
				   pid_t before = getppid();

				   for (int i = 0; i < 500 && getppid() == before; i++)
					   sleep_ms(2);
				   seen = getppid();
				   if (write(fds[1], &seen, sizeof(seen)) != sizeof(seen))
					   _exit(1);
			   }
		   }),
		   0);
	close(fds[1]);
	CHECK_EQ(read(fds[0], &seen, sizeof(seen)), (ssize_t)sizeof(seen));
#ifdef __parvix__
	CHECK_EQ(seen, 1);
#endif
	close(fds[0]);
}

TEST(many_children_at_once)
{
	pid_t pids[40];

	for (size_t i = 0; i < ARRAY_LEN(pids); i++) {
		pids[i] = START(_exit((int)i));
		REQUIRE(pids[i] > 0);
	}
	for (size_t i = ARRAY_LEN(pids); i-- > 0;)
		CHECK_EXIT(wait_status(pids[i]), (int)i);
}

static int descend(int depth)
{
	if (depth == 0)
		return 9;
	int status = CHILD_STATUS(_exit(descend(depth - 1)));

	return WIFEXITED(status) ? WEXITSTATUS(status) : 0;
}

TEST(deep_generations)
{
	CHECK_EQ(descend(30), 9);
}

TEST(exec_passes_arguments_and_environment)
{
	char *args[] = {"sh", "-c", "[ \"$1/$2/$COLOUR/$#\" = 'a b/*/green/2' ]", "x", "a b",
			"*",  NULL};
	char *env[] = {"COLOUR=green", "PATH=/bin", NULL};

	CHECK_EXIT(CHILD_STATUS({
			   execve("/bin/sh", args, env);
			   _exit(99);
		   }),
		   0);
}

TEST(exec_keeps_the_process)
{
	char script[96];
	pid_t pid;

	snprintf(script, sizeof(script), "[ $PPID = %d ] && exit 3", (int)getpid());
	pid = START(execl("/bin/sh", "sh", "-c", script, (char *)NULL));
	CHECK_EXIT(wait_status(pid), 3);
}

TEST(exec_errors)
{
	char *args[] = {"x", NULL}, *env[] = {NULL};
	static char long_name[5000];

	memset(long_name, 'n', sizeof(long_name) - 1);
	REQUIRE(enter_scratch("/tmp"));
	CHECK_ERRNO(execve("none", args, env), ENOENT);
	CHECK_ERRNO(execve("", args, env), ENOENT);
	CHECK_ERRNO(execve("/tmp", args, env), EACCES);
	CHECK_ERRNO(execve("/bin/sh/x", args, env), ENOTDIR);
	CHECK_ERRNO(execve(long_name, args, env), ENAMETOOLONG);
	REQUIRE(make_file("plain", "x", 1));
	CHECK_ERRNO(execve("plain", args, env), EACCES);
	REQUIRE(make_file("garbage",
			  "garbage garbage garbage garbage garbage garbage garbage garbage", 60));
	REQUIRE_EQ(chmod("garbage", 0755), 0);
	CHECK_ERRNO(execve("garbage", args, env), ENOEXEC);
	REQUIRE(make_file("empty", "", 0));
	REQUIRE_EQ(chmod("empty", 0755), 0);
	CHECK_ERRNO(execve("empty", args, env), ENOEXEC);
	leave_scratch("/tmp");
}

TEST(exec_refuses_too_many_arguments)
{
	static char word[1000];
	static char *args[4000];

	memset(word, 'w', sizeof(word) - 1);
	for (size_t i = 0; i < ARRAY_LEN(args) - 1; i++)
		args[i] = word;
	CHECK_ERRNO(execve("/bin/true", args, args), E2BIG);
	/* About 50 KB are well within the limit. */
	args[50] = NULL;
	CHECK_EXIT(CHILD_STATUS({
			   char *env[] = {NULL};

			   execve("/bin/true", args, env);
			   _exit(99);
		   }),
		   0);
}

TEST(exec_of_a_script)
{
	REQUIRE(enter_scratch("/tmp"));
	REQUIRE(make_file("script", "#!/bin/sh\nexit 7\n", 17));
	REQUIRE_EQ(chmod("script", 0755), 0);
	/* Through a shell it works with or without the kernel's help. */
	CHECK_EQ(WEXITSTATUS(system("./script")), 7);
	leave_scratch("/tmp");
}

TEST(exec_resets_handlers_and_keeps_ignored)
{
	CHECK_EXIT(CHILD_STATUS({
			   signal(SIGTERM, SIG_IGN);
			   execl("/bin/sh", "sh", "-c", "kill -TERM $$; exit 4", (char *)NULL);
		   }),
		   4);
	CHECK_KILLED(CHILD_STATUS({
			     handle(SIGUSR1, (void (*)(int))abort, 0);
			     execl("/bin/sh", "sh", "-c", "kill -USR1 $$; exit 4", (char *)NULL);
		     }),
		     SIGUSR1);
}

TEST(groups_and_sessions)
{
	CHECK_EQ(getpgid(0), getpgrp());
	CHECK_EQ(getsid(0), getsid(getpid()));
	CHECK_ERRNO(getpgid(99999), ESRCH);
	CHECK_ERRNO(getsid(99999), ESRCH);
	CHECK_ERRNO(setpgid(99999, 0), ESRCH);
	CHECK_ERRNO(setpgid(0, -5), EINVAL);
	CHECK_EXIT(CHILD_STATUS({
			   pid_t self = getpid();

			   CHILD_CHECK(getpgrp() != self);
			   CHILD_CHECK(setpgid(0, 0) == 0 && getpgrp() == self);
			   CHILD_CHECK(setsid() == -1 && errno == EPERM); /* a group leader */
		   }),
		   0);
	CHECK_EXIT(CHILD_STATUS({
			   pid_t self = getpid();

			   CHILD_CHECK(setsid() == self && getsid(0) == self && getpgrp() == self);
			   CHILD_CHECK(setpgid(0, 0) == -1 &&
				       errno == EPERM); /* a session leader */
		   }),
		   0);
}

TEST(setpgid_across_sessions_is_refused)
{
	pid_t other = START({
		setsid();
		sleep_ms(200);
	});

	sleep_ms(50);
	CHECK_ERRNO(setpgid(other, other), EPERM);
	kill(other, SIGKILL);
	CHECK_KILLED(wait_status(other), SIGKILL);
}

TEST(umask_and_directory_are_inherited)
{
	mode_t old = umask(027);

	CHECK_EXIT(CHILD_STATUS({
			   CHILD_CHECK(umask(0) == 027);
			   CHILD_CHECK(chdir("/bin") == 0);
		   }),
		   0);
	CHECK_EQ(umask(old), 027);
}

TEST(rusage_of_children)
{
	struct rusage usage;
	struct tms tms;
	pid_t pid = START({
		for (volatile long i = 0; i < 30 * 1000 * 1000; i++)
			;
	});
	int status;

	memset(&usage, 0xff, sizeof(usage));
	CHECK_EQ(wait4(pid, &status, 0, &usage), pid);
	CHECK(usage.ru_utime.tv_sec >= 0 && usage.ru_utime.tv_sec < 60);
	CHECK(usage.ru_utime.tv_usec >= 0 && usage.ru_utime.tv_usec < 1000000);
	CHECK(usage.ru_utime.tv_sec * 1000000 + usage.ru_utime.tv_usec > 0);
	CHECK_EQ(getrusage(RUSAGE_SELF, &usage), 0);
	CHECK_EQ(getrusage(RUSAGE_CHILDREN, &usage), 0);
	CHECK_ERRNO(getrusage(77, &usage), EINVAL);
	CHECK(times(&tms) != (clock_t)-1);
}

TEST(stop_and_continue)
{
	int status;
	pid_t pid = START(for (;;) sleep_ms(5));

	kill(pid, SIGSTOP);
	CHECK_EQ(waitpid(pid, &status, WUNTRACED), pid);
	CHECK(WIFSTOPPED(status) && WSTOPSIG(status) == SIGSTOP);
	CHECK_EQ(waitpid(pid, &status, WUNTRACED | WNOHANG), 0);
	kill(pid, SIGCONT);
#ifdef WCONTINUED
	CHECK_EQ(waitpid(pid, &status, WCONTINUED), pid);
	CHECK(WIFCONTINUED(status));
#endif
	kill(pid, SIGSTOP);
	kill(pid, SIGKILL); /* ends a stopped process too */
	for (int i = 0; i < 2; i++) {
		CHECK_EQ(waitpid(pid, &status, WUNTRACED), pid);
		if (!WIFSTOPPED(status))
			break;
	}
	CHECK_KILLED(status, SIGKILL);
}

TEST(system_and_popen)
{
	char line[32] = "";
	FILE *f;

	CHECK_EQ(WEXITSTATUS(system("exit 3")), 3);
	f = popen("echo one two", "r");
	REQUIRE(f != NULL);
	CHECK(fgets(line, sizeof(line), f) != NULL);
	CHECK_STR(line, "one two\n");
	CHECK_EQ(pclose(f), 0);
	f = popen("read x; exit $x", "w");
	REQUIRE(f != NULL);
	fputs("12\n", f);
	CHECK_EQ(WEXITSTATUS(pclose(f)), 12);
}

static void say_goodbye(void)
{
	if (write(1, "# at exit\n", 10) != 10)
		_exit(1);
}

TEST(exit_runs_handlers_and_flushes)
{
	char text[64] = "";
	int fds[2];
	pid_t pid;

	REQUIRE_EQ(pipe(fds), 0);
	pid = START({
		dup2(fds[1], 1);
		close(fds[0]);
		close(fds[1]);
		atexit(say_goodbye);
		printf("buffered ");
		exit(0);
	});
	close(fds[1]);
	CHECK_EXIT(wait_status(pid), 0);
	CHECK_EQ(read(fds[0], text, sizeof(text)), 19);
	CHECK_STR(text, "# at exit\nbuffered ");
	close(fds[0]);
}

static char *volatile nowhere = (char *)16; /* volatile: the compiler must not know */

TEST(a_fault_kills_only_the_child)
{
	CHECK_KILLED(CHILD_STATUS(*(volatile int *)nowhere = 1), SIGSEGV);
	CHECK_KILLED(CHILD_STATUS(__asm__ volatile("ud2")), SIGILL);
	CHECK_KILLED(CHILD_STATUS(__asm__ volatile("hlt")), SIGSEGV);
	CHECK_KILLED(
		CHILD_STATUS(__asm__ volatile("xor %%ecx, %%ecx; mov $1, %%eax; cltd; idiv %%ecx" ::
						      : "eax", "ecx", "edx")),
		SIGFPE);
	CHECK_KILLED(CHILD_STATUS(__asm__ volatile("int3")), SIGTRAP);
	CHECK_KILLED(CHILD_STATUS(__asm__ volatile("in $0x80, %%al" ::: "eax")), SIGSEGV);
	CHECK_KILLED(CHILD_STATUS(__asm__ volatile("cli")), SIGSEGV);
	CHECK_KILLED(CHILD_STATUS(__asm__ volatile(
			     "mov $0xffff800000000000, %%rax; mov (%%rax), %%rax" ::
				     : "rax")),
		     SIGSEGV);
	CHECK_KILLED(CHILD_STATUS(__asm__ volatile("mov $0x8000000000000000, %%rax; jmp *%%rax" ::
							   : "rax")),
		     SIGSEGV);
	CHECK_KILLED(CHILD_STATUS(__asm__ volatile("xor %%esp, %%esp; push %%rax" ::
							   : "memory")),
		     SIGSEGV);
}
