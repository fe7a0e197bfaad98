/* SPDX-License-Identifier: MIT */
/*
 * The C library's port: what stands between newlib and the system calls, and what was found wrong
 * in newlib and is patched. Functions that only pass a call on are tested with their system calls.
 */
#include "guest.h"

#include <dirent.h>
#include <getopt.h>
#include <grp.h>
#include <limits.h>
#include <math.h>
#include <pwd.h>
#include <setjmp.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static char text[200];
static int constructed;

__attribute__((constructor)) static void construct(void)
{
	constructed = 1;
}

TEST(start)
{
	CHECK_EQ(constructed, 1);
	CHECK(environ != NULL);
	CHECK(getenv("PATH") != NULL);
}

TEST(printf_formats)
{
	snprintf(text, sizeof(text), "%Lg %zu %lld %a|%5s|%-5s|%05d|%hhd", 1.5L, (size_t)7,
		 1ll << 40, 1.0, "x", "y", 42, 300);
	CHECK_STR(text, "1.5 7 1099511627776 0x1p+0|    x|y    |00042|44");
	snprintf(text, sizeof(text), "%2$s %1$d", 3, "second");
	CHECK_STR(text, "second 3");
	CHECK(strtold("1.25", NULL) == 1.25L);
	CHECK(sscanf("12 abc 1.5", "%*d %s", text) == 1);
	CHECK_STR(text, "abc");
}

TEST(errors_have_texts)
{
	CHECK_STR(strerror(ENOENT), "No such file or directory");
	CHECK(strlen(strerror(ENOTSUP)) > 0);
	CHECK(strlen(strerror(EOWNERDEAD)) > 0);
	CHECK_STR(strsignal(SIGSEGV), "Segmentation fault");
}

static jmp_buf env;
static sigjmp_buf sigenv;

TEST(longjmp_never_gives_zero)
{
	volatile int times = 0;
	int ret = setjmp(env);

	if (times++ == 0)
		longjmp(env, 0);
	CHECK_EQ(ret, 1);
	CHECK_EQ(times, 2);
}

static void jump_out(int sig)
{
	siglongjmp(sigenv, sig);
}

TEST(siglongjmp_restores_the_mask)
{
	sigset_t mask;
	int ret;

	signal(SIGUSR1, jump_out);
	ret = sigsetjmp(sigenv, 1);
	if (!ret)
		raise(SIGUSR1);
	CHECK_EQ(ret, SIGUSR1);
	sigprocmask(SIG_SETMASK, NULL, &mask);
	CHECK_EQ(sigismember(&mask, SIGUSR1), 0);
	signal(SIGUSR1, SIG_DFL);
}

TEST(signal_sets)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR2);
	CHECK_EQ(sigismember(&set, SIGUSR2), 1);
	CHECK_EQ(sigismember(&set, SIGUSR1), 0);
	CHECK_ERRNO(sigaddset(&set, 0), EINVAL);
	CHECK_ERRNO(sigaddset(&set, 1000), EINVAL);
}

TEST(memory)
{
	char *p = malloc(1000000);
	void *aligned = NULL;

	REQUIRE(p != NULL);
	memset(p, 1, 1000000);
#ifdef __parvix__
	char *top = sbrk(0);
	free(p);
	CHECK((char *)sbrk(0) < top - 500000);
#else
	free(p);
#endif
	size_t huge = 1ul << 46;
	errno = 0;
	p = malloc(huge);
	CHECK(p == NULL && errno == ENOMEM);
	REQUIRE_EQ(posix_memalign(&aligned, 4096, 10), 0);
	CHECK_EQ((unsigned long)aligned % 4096, 0);
	free(aligned);
}

TEST(options)
{
	static const struct option longopts[] = {{"file", 1, 0, 'f'}, {"force", 0, 0, 'F'}, {0}};
	char *argv[] = {"prog", "one", "-ab", "arg", "--fi=x", "two", "--force", "--", "-a", NULL};
	int argc = 9;

	optind = 0;
	CHECK_EQ(getopt_long(argc, argv, "ab:", longopts, NULL), 'a');
	CHECK_EQ(getopt_long(argc, argv, "ab:", longopts, NULL), 'b');
	CHECK_STR(optarg, "arg");
	CHECK_EQ(getopt_long(argc, argv, "ab:", longopts, NULL), 'f');
	CHECK_STR(optarg, "x");
	CHECK_EQ(getopt_long(argc, argv, "ab:", longopts, NULL), 'F');
	CHECK_EQ(getopt_long(argc, argv, "ab:", longopts, NULL), -1);
	CHECK_EQ(optind, 6);
	CHECK_STR(argv[optind], "one");
	CHECK_STR(argv[optind + 2], "-a");
	char *dash[] = {"prog", "-", "-x", NULL};
	optind = 0;
	CHECK_EQ(getopt(3, dash, "+x"), -1);
	CHECK_EQ(optind, 1);
	optind = 0;
	CHECK_EQ(getopt(3, dash, "x"), 'x');
	CHECK_EQ(getopt(3, dash, "x"), -1);
	CHECK_STR(dash[optind], "-");
}

TEST(commands)
{
	pid_t pid;
	int status;
	FILE *f;

	CHECK_EQ(WEXITSTATUS(system("exit 7")), 7);
	CHECK(system(NULL) != 0);
	f = popen("echo from a pipe; exit 4", "r");
	REQUIRE(f != NULL);
	CHECK(fgets(text, sizeof(text), f) != NULL);
	CHECK_STR(text, "from a pipe\n");
	CHECK_EQ(WEXITSTATUS(pclose(f)), 4);
	REQUIRE_EQ(posix_spawnp(&pid, "sh", NULL, NULL, (char *[]){"sh", "-c", "exit 9", NULL},
				environ),
		   0);
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	CHECK_EQ(WEXITSTATUS(status), 9);
	CHECK_ERRNO(execvpe("no-such-program", (char *[]){"x", NULL}, environ), ENOENT);
}

TEST(paths)
{
	CHECK_STR(realpath("/etc/../etc//./passwd", text), "/etc/passwd");
	CHECK_STR(realpath("/..", text), "/");
	CHECK(realpath("/no/such/file", text) == NULL && errno == ENOENT);
	CHECK(realpath("/etc/passwd/x", text) == NULL && errno == ENOTDIR);
	CHECK(getcwd(text, 1) == NULL && errno == ERANGE);
	int dir = open("/etc", O_RDONLY | O_DIRECTORY);
	int under = openat(dir, "passwd", O_RDONLY);
	CHECK(under >= 0);
	close(under);
	close(dir);
	CHECK_ERRNO(openat(dir, "passwd", O_RDONLY), EBADF);
	int fd = openat(AT_FDCWD, "/etc/passwd", O_RDONLY);
	CHECK(fd >= 0);
	close(fd);
}

TEST(directories)
{
	struct dirent **list, *e;
	int n, seen = 0;
	DIR *d = opendir("/etc");

	REQUIRE(d != NULL);
	while ((e = readdir(d)))
		seen++;
	rewinddir(d);
	CHECK(readdir(d) != NULL);
	closedir(d);
	n = scandir("/etc", &list, NULL, alphasort);
	CHECK_EQ(n, seen);
	REQUIRE(n > 0);
	CHECK_STR(list[0]->d_name, ".");
	while (n > 0)
		free(list[--n]);
	free(list);
	CHECK(opendir("/etc/passwd") == NULL && errno == ENOTDIR);
}

TEST(users)
{
	struct passwd *pw = getpwuid(0);
	struct group *gr;

	REQUIRE(pw != NULL);
	CHECK_STR(pw->pw_name, "root");
	CHECK(getpwnam("no-such-user") == NULL);
	gr = getgrgid(0);
	REQUIRE(gr != NULL);
	CHECK_STR(gr->gr_name, "root");
}

TEST(streams)
{
	char name[] = "/tmp/t_libc.XXXXXX", *line = NULL;
	int fd = mkstemp(name);
	size_t size = 0;
	FILE *f;

	REQUIRE(fd >= 0);
	f = fdopen(fd, "w+");
	REQUIRE(f != NULL);
	fputs("one\ntwo\n", f);
	rewind(f);
	CHECK_EQ(getline(&line, &size, f), 4);
	CHECK_STR(line, "one\n");
	CHECK_EQ(ftell(f), 4);
	free(line);
	fclose(f);
	unlink(name);
}

TEST(times)
{
	struct tm tm = {0};
	time_t t = 1700000000;

	setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3", 1);
	tzset();
	CHECK_EQ(localtime(&t)->tm_hour, 23);
	CHECK_EQ(mktime(localtime(&t)), t);
	unsetenv("TZ");
	tzset();
	CHECK_EQ(gmtime(&t)->tm_hour, 22);
	CHECK(strptime("2023-02-03 04:05", "%Y-%m-%d %H:%M", &tm) != NULL);
	CHECK_EQ(tm.tm_mon, 1);
	CHECK_EQ(sysconf(_SC_CLK_TCK), 100);
}

TEST(long_double_functions)
{
	volatile long double x = 0.5L;
	int exp;

	/* The emulator computes sines no better than to double. */
	CHECK(fabsl(sinl(x) * sinl(x) + cosl(x) * cosl(x) - 1) < 1e-15L);
	CHECK(fabsl(expl(logl(x)) - x) < 1e-15L);
	CHECK(powl(x, -3) == 8);
	CHECK(floorl(-x) == -1 && ceill(x) == 1 && roundl(-x) == -1 && truncl(-x) == 0);
	CHECK(frexpl(48, &exp) == 0.75L && exp == 6);
}

TEST(modes_of_fopen)
{
	static const struct {
		const char *mode;
		int flags, cloexec;
	} cases[] = {
		{"r", O_RDONLY, 0},
		{"r+b", O_RDWR, 0},
		{"re", O_RDONLY, FD_CLOEXEC},
		{"wb+e", O_RDWR, FD_CLOEXEC},
		{"a", O_WRONLY | O_APPEND, 0},
		{"ae+", O_RDWR | O_APPEND, FD_CLOEXEC},
	};

	REQUIRE(enter_scratch("/tmp"));
	CHECK(make_file("f", "x", 1));
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		FILE *f = fopen("f", cases[i].mode);

		REQUIRE(f != NULL);
		CHECK_EQ(fcntl(fileno(f), F_GETFL) & (O_ACCMODE | O_APPEND), cases[i].flags);
		CHECK_EQ(fcntl(fileno(f), F_GETFD), cases[i].cloexec);
		fclose(f);
	}
	errno = 0;
	CHECK(fopen("f", "wx") == NULL && errno == EEXIST);
	errno = 0;
	CHECK(fopen("f", "q") == NULL && errno == EINVAL);
	leave_scratch("/tmp");
}
