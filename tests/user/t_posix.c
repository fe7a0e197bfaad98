/* SPDX-License-Identifier: MIT */
/*
 * What the C library makes of the kernel's interfaces for POSIX and XSI: timers that call
 * functions, threads that are gone, System V's signal functions, words expanded by the shell, and
 * small things.
 */
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <ulimit.h>
#include <unistd.h>
#include <wordexp.h>

#include "test.h"

extern char **environ;

/* ---- SIGEV_THREAD ---- */

static sem_t called;
static volatile int calls, wrong;
static char there;
static pthread_t caller;
static pthread_key_t key;

static void function(union sigval value)
{
	sigset_t mask;

	caller = pthread_self();
	pthread_sigmask(SIG_BLOCK, NULL, &mask);
	if (value.sival_int != 42 || pthread_getspecific(key) || !sigismember(&mask, SIGUSR1))
		wrong = 1;
	pthread_setspecific(key, &there);
	calls++;
	sem_post(&called);
	if (calls == 2)
		pthread_exit(NULL);
}

static timer_t timer_with(void (*fn)(union sigval), const pthread_attr_t *attr)
{
	struct sigevent ev = {.sigev_notify = SIGEV_THREAD, .sigev_value = {.sival_int = 42}};
	timer_t id = 0;

	ev.sigev_notify_function = fn;
	ev.sigev_notify_attributes = (pthread_attr_t *)attr;
	CHECK_EQ(timer_create(CLOCK_MONOTONIC, &ev, &id), 0);
	return id;
}

static void every(timer_t id, long ms)
{
	struct itimerspec spec = {.it_value = {ms / 1000, ms % 1000 * 1000000}};

	spec.it_interval = spec.it_value;
	CHECK_EQ(timer_settime(id, 0, &spec, NULL), 0);
}

TEST(a_timer_calls_a_function_in_a_thread)
{
	timer_t id;

	sem_init(&called, 0, 0);
	pthread_key_create(&key, NULL);
	calls = wrong = 0;
	id = timer_with(function, NULL);
	CHECK_EQ(calls, 0);
	every(id, 20);
	/* The second call ends with pthread_exit, and others follow. */
	for (int n = 0; n < 4; n++)
		while (sem_wait(&called) < 0)
			;
	CHECK(!pthread_equal(caller, pthread_self()));
	CHECK_EQ(timer_delete(id), 0);
	CHECK_EQ(wrong, 0);
	poll(NULL, 0, 50); /* a call that had begun */
	calls = 0;
	poll(NULL, 0, 100);
	CHECK_EQ(calls, 0);
	CHECK_ERRNO(timer_delete(id), EINVAL);
	pthread_key_delete(key);
	sem_destroy(&called);
}

static timer_t own_timer;
static size_t own_stack;

static void deletes_itself(union sigval value)
{
	pthread_attr_t attr;

	(void)value;
	pthread_getattr_np(pthread_self(), &attr);
	pthread_attr_getstacksize(&attr, &own_stack);
	pthread_attr_destroy(&attr);
	timer_delete(own_timer);
	sem_post(&called);
}

TEST(a_function_may_delete_its_timer_and_has_the_attributes)
{
	pthread_attr_t attr;

	sem_init(&called, 0, 0);
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, 256 << 10);
	own_timer = timer_with(deletes_itself, &attr);
	pthread_attr_destroy(&attr);
	every(own_timer, 5);
	while (sem_wait(&called) < 0)
		;
	CHECK_EQ(own_stack, 256 << 10);
	poll(NULL, 0, 30);
	CHECK_EQ(sem_trywait(&called), -1);
	sem_destroy(&called);
}

TEST(a_child_of_fork_has_none_of_the_timers)
{
	int status = -1;
	timer_t id;
	pid_t pid;

	sem_init(&called, 0, 0);
	calls = 0;
	id = timer_with(function, NULL);
	every(id, 20);
	pid = fork();
	if (pid == 0) {
		timer_t own;

		calls = 0;
		poll(NULL, 0, 60);
		if (calls)
			_exit(1);
		own = timer_with(function, NULL);
		every(own, 5);
		while (sem_wait(&called) < 0 || calls < 3)
			;
		_exit(timer_delete(own) ? 2 : 0);
	}
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	CHECK_EQ(status, 0);
	CHECK_EQ(timer_delete(id), 0);
	poll(NULL, 0, 30);
	sem_destroy(&called);
}

/* ---- threads that have ended ---- */

static void *nothing(void *arg)
{
	return arg;
}

TEST(a_thread_that_has_been_joined_is_no_thread)
{
	pthread_t t;

	REQUIRE_EQ(pthread_create(&t, NULL, nothing, NULL), 0);
	CHECK_EQ(pthread_join(t, NULL), 0);
#ifndef __linux__ /* POSIX leaves the rest undefined */
	CHECK_EQ(pthread_join(t, NULL), ESRCH);
	CHECK_EQ(pthread_detach(t), ESRCH);
	CHECK_EQ(pthread_kill(t, 0), ESRCH);
	CHECK_EQ(pthread_kill(t, SIGUSR1), ESRCH);
	CHECK_EQ(pthread_cancel(t), ESRCH);
#endif
}

/* ---- System V's signals ---- */

static volatile sig_atomic_t caught;

static void catcher(int sig)
{
	caught = sig;
}

#pragma GCC diagnostic ignored "-Wdeprecated-declarations"

TEST(sigset_and_the_mask)
{
	caught = 0;
	CHECK(sigset(SIGUSR1, catcher) == SIG_DFL);
	raise(SIGUSR1);
	CHECK_EQ(caught, SIGUSR1);
	caught = 0;
	CHECK(sigset(SIGUSR1, SIG_HOLD) == catcher);
	raise(SIGUSR1);
	CHECK_EQ(caught, 0);
	CHECK(sigset(SIGUSR1, catcher) == SIG_HOLD);
	CHECK_EQ(caught, SIGUSR1);
	caught = 0;
	CHECK_EQ(sighold(SIGUSR1), 0);
	raise(SIGUSR1);
	CHECK_EQ(caught, 0);
	CHECK_EQ(sigrelse(SIGUSR1), 0);
	CHECK_EQ(caught, SIGUSR1);
	CHECK_EQ(sigignore(SIGUSR1), 0);
	raise(SIGUSR1);
	CHECK(sigset(SIGUSR1, SIG_DFL) == SIG_IGN);
	CHECK(sigset(SIGKILL, catcher) == SIG_ERR && errno == EINVAL);
	CHECK_ERRNO(sighold(9999), EINVAL);
	CHECK_ERRNO(sigrelse(0), EINVAL);
	CHECK_ERRNO(sigignore(SIGSTOP), EINVAL);
}

TEST(sigpause_waits_with_one_signal_let_in)
{
	sigset(SIGUSR1, catcher);
	sighold(SIGUSR1);
	raise(SIGUSR1);
	caught = 0;
	CHECK_ERRNO(sigpause(SIGUSR1), EINTR);
	CHECK_EQ(caught, SIGUSR1);
	sigset(SIGUSR1, SIG_DFL);
	sigrelse(SIGUSR1);
}

/* ---- wordexp ---- */

static int expand(const char *text, int flags, const char *wanted)
{
	char all[512] = "";
	wordexp_t w;
	int err = wordexp(text, &w, flags);

	if (err)
		return err;
	for (size_t n = 0; n < w.we_wordc; n++) {
		strcat(all, "[");
		strcat(all, w.we_wordv[n]);
		strcat(all, "]");
	}
	CHECK(!w.we_wordv[w.we_wordc]);
	CHECK_STR(all, wanted);
	wordfree(&w);
	return 0;
}

TEST(words_are_expanded_as_by_the_shell)
{
	setenv("TWO", "a b", 1);
	unsetenv("NONE");
	CHECK_EQ(expand("one  two", 0, "[one][two]"), 0);
	CHECK_EQ(expand("", 0, ""), 0);
	CHECK_EQ(expand("$TWO \"$TWO\" '$TWO' \\$TWO", 0, "[a][b][a b][$TWO][$TWO]"), 0);
	CHECK_EQ(expand("\"\" $NONE ${NONE:-x}", 0, "[][x]"), 0);
	CHECK_EQ(expand("$((6 * (3 + 4)))", WRDE_NOCMD, "[42]"), 0);
	CHECK_EQ(expand("a$(echo b c)d `echo e`", 0, "[ab][cd][e]"), 0);
	CHECK_EQ(expand("'two\nlines' \"|;\"", 0, "[two\nlines][|;]"), 0);
	CHECK_EQ(expand("/et[c]/pass?d /nothing*here", 0, "[/etc/passwd][/nothing*here]"), 0);
}

TEST(words_that_the_shell_must_not_see)
{
	static const char *const bad[] = {"a|b", "a;b", "a&b", "a<b", "a>b", "(a)", "{a", "a\nb"};
	static const char *const open[] = {"\"a", "'a", "$(a", "${a", "`a"};

	for (size_t n = 0; n < sizeof(bad) / sizeof(*bad); n++)
		CHECK_EQ(expand(bad[n], 0, ""), WRDE_BADCHAR);
	for (size_t n = 0; n < sizeof(open) / sizeof(*open); n++)
		CHECK_EQ(expand(open[n], 0, ""), WRDE_SYNTAX);
	unsetenv("NONE");
	CHECK_EQ(expand("$(echo a)", WRDE_NOCMD, ""), WRDE_CMDSUB);
	CHECK_EQ(expand("`echo a`", WRDE_NOCMD, ""), WRDE_CMDSUB);
	CHECK_EQ(expand("\"$((1 + $(echo 1)))\"", WRDE_NOCMD, ""), WRDE_CMDSUB);
	CHECK_EQ(expand("'$(echo a)'", WRDE_NOCMD, "[$(echo a)]"), 0);
	CHECK_EQ(expand("$NONE", WRDE_UNDEF, ""), WRDE_BADVAL);
	CHECK_EQ(expand("$HOME_OF_NOBODY x", 0, "[x]"), 0);
}

TEST(words_are_added_behind_others)
{
	wordexp_t w = {.we_offs = 2};

	REQUIRE_EQ(wordexp("a b", &w, WRDE_DOOFFS), 0);
	CHECK_EQ(w.we_wordc, 2);
	CHECK(!w.we_wordv[0] && !w.we_wordv[1]);
	CHECK_STR(w.we_wordv[3], "b");
	REQUIRE_EQ(wordexp("c", &w, WRDE_DOOFFS | WRDE_APPEND), 0);
	CHECK_EQ(w.we_wordc, 3);
	CHECK_STR(w.we_wordv[2], "a");
	CHECK_STR(w.we_wordv[4], "c");
	CHECK_EQ(wordexp("d |", &w, WRDE_DOOFFS | WRDE_APPEND), WRDE_BADCHAR);
	CHECK_EQ(w.we_wordc, 3);
	REQUIRE_EQ(wordexp("e", &w, WRDE_DOOFFS | WRDE_REUSE), 0);
	CHECK_EQ(w.we_wordc, 1);
	CHECK_STR(w.we_wordv[2], "e");
	wordfree(&w);
}

/* ---- small things ---- */

TEST(fexecve_runs_what_a_descriptor_leads_to)
{
	char *argv[] = {"sh", "-c", "exit 7", NULL};
	int fd = open("/bin/sh", O_RDONLY | O_CLOEXEC), status = 0, null;
	pid_t pid;

	REQUIRE(fd >= 0);
	pid = fork();
	if (pid == 0) {
		fexecve(fd, argv, environ);
		_exit(99);
	}
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	CHECK_EQ(WEXITSTATUS(status), 7);
	close(fd);
	CHECK_ERRNO(fexecve(fd, argv, environ), EBADF);
	null = open("/dev/null", O_RDONLY);
	CHECK_ERRNO(fexecve(null, argv, environ), EACCES);
	close(null);
}

TEST(keys_of_files)
{
	key_t a = ftok("/", 1), b = ftok("/etc", 1);

	CHECK(a != (key_t)-1);
	CHECK_EQ(a, ftok("/", 1));
	CHECK(a != b && a != ftok("/", 2));
	CHECK_ERRNO(ftok("/not/there", 1), ENOENT);
}

TEST(ulimit_is_the_limit_of_a_file)
{
	struct rlimit limit = {1 << 20, 1 << 20};
	int status = -1;
	pid_t pid = fork();

	if (pid == 0) {
		if (setrlimit(RLIMIT_FSIZE, &limit) || ulimit(UL_GETFSIZE) != 2048)
			_exit(1);
		if (ulimit(UL_SETFSIZE, 1000l) != 1000 || ulimit(UL_GETFSIZE) != 1000)
			_exit(2);
		getrlimit(RLIMIT_FSIZE, &limit);
		if (limit.rlim_cur != 512000)
			_exit(3);
		errno = 0;
		_exit(ulimit(99) == -1 && errno == EINVAL ? 0 : 4);
	}
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	CHECK_EQ(status, 0);
}

TEST(time_zones_have_names)
{
	CHECK_EQ(gethostid(), gethostid());
	setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3", 1);
	tzset();
	CHECK_EQ(timezone, -3600);
	CHECK(daylight);
	CHECK_STR(tzname[1], "CEST");
	setenv("TZ", "UTC0", 1);
	tzset();
	CHECK_EQ(timezone, 0);
	CHECK_EQ(daylight, 0);
	unsetenv("TZ");
	tzset();
}
