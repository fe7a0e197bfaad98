/* SPDX-License-Identifier: MIT */
/*
 * Attacks by an ordinary user that go on until they are ended, so that a test can see whether the
 * console stays usable meanwhile:
 *
 *	flood KIND &    says "flood KIND" once the worst has been reached, and goes on
 *	flood stop      ends all of the user's processes; says "flood stopped" when none is left
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PAGE 4096
#define USER 1000

static const char *kind;
static const char folder[] = "/tmp/flood";

static void say(void)
{
	printf("flood %s\n", kind);
	fflush(stdout);
}

/* Every process forks as long as it can. */
static void forks(void)
{
	pid_t first = getpid();
	int said = 0;

	for (;;)
		if (fork() < 0 && !said++ && getpid() == first)
			say();
}

/* Some processes that ask for memory and touch it, again and again. */
static void memory(void)
{
	for (int i = 0; i < 8; i++)
		if (fork() == 0)
			break;
	say();
	for (;;) {
		char *p = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			       -1, 0);

		for (int at = 0; p != MAP_FAILED && at < 1 << 20; at += PAGE)
			p[at] = 1;
		if (p == MAP_FAILED && fork() == 0)
			continue;
	}
}

/* As memory(); but whoever is killed has a parent that makes another. */
static void phoenix(void)
{
	say();
	for (;;) {
		pid_t pid = fork();
		char *p;

		if (pid > 0)
			waitpid(pid, NULL, 0);
		while (pid == 0 && (p = sbrk(1 << 20)) != (void *)-1)
			memset(p, 1, 1 << 20);
		if (pid == 0)
			_exit(0);
	}
}

static void disk(void)
{
	static char block[65536];
	int fd = open("/tmp/flood/full", O_WRONLY | O_CREAT, 0600), said = 0;

	for (;;)
		if (write(fd, block, sizeof(block)) < 0 && !said++)
			say();
}

/* All descriptors of all processes that the user may have, all on pipes full of bytes. */
static void descriptors(void)
{
	static char block[65536];
	int fds[2], said = 0;

	for (;;) {
		while (pipe2(fds, O_NONBLOCK) == 0)
			while (write(fds[1], block, sizeof(block)) > 0)
				;
		if (fork() < 0 && !said++)
			say();
	}
}

/* Directories in directories, until nothing is left to make them of; then down and up again. */
static void deep(void)
{
	long depth = 0;

	chdir(folder);
	while (depth < 5000 && mkdir("d", 0700) == 0 && chdir("d") == 0)
		depth++;
	say();
	for (;;) {
		char path[PAGE];
		struct stat st;

		for (size_t i = 0; i + 3 < sizeof(path); i += 3)
			memcpy(path + i, "../", 4);
		stat(path, &st);
		getcwd(path, sizeof(path));
		if (chdir("..") || chdir("d"))
			chdir(folder);
	}
}

/* Links in a circle, and chains that are too long. */
static void symlinks(void)
{
	char name[32], target[32];
	struct stat st;

	chdir(folder);
	symlink("b", "a");
	symlink("a", "b");
	for (int i = 0; i < 200; i++) {
		snprintf(name, sizeof(name), "l%d", i + 1);
		snprintf(target, sizeof(target), "l%d", i);
		symlink(target, name);
	}
	say();
	for (;;) {
		stat("a/b/a", &st);
		stat("l200/x", &st);
		rename("a", "c");
		rename("c", "a");
	}
}

static void on_signal(int sig)
{
	(void)sig;
}

/* Processes that send each other signals as fast as they can, handled and not. */
static void signals(void)
{
	for (int sig = 1; sig < 32; sig++)
		signal(sig, on_signal);
	signal(SIGCHLD, SIG_IGN);
	for (int i = 0; i < 6; i++)
		fork();
	say();
	for (;;)
		for (int sig = 1; sig < 32; sig++)
			if (sig != SIGKILL && sig != SIGSTOP && sig != SIGTSTP && sig != SIGTTIN &&
			    sig != SIGTTOU)
				kill(-1, sig);
}

/* Children that stop themselves and are never waited for; zombies that nobody collects. */
static void zombies(void)
{
	int said = 0;

	for (;;) {
		pid_t pid = fork();

		if (pid == 0 && getpid() % 2)
			kill(getpid(), SIGSTOP);
		if (pid == 0)
			_exit(0);
		if (pid < 0 && !said++)
			say();
	}
}

static const struct {
	const char *name;
	void (*run)(void);
} kinds[] = {
	{"forks", forks},     {"memory", memory},   {"phoenix", phoenix},
	{"disk", disk},       {"deep", deep},       {"descriptors", descriptors},
	{"signals", signals}, {"zombies", zombies}, {"symlinks", symlinks},
};

/* The attackers make new processes while old ones are killed: until there is none. */
static int stop(void)
{
	for (int quiet = 0; quiet < 3; quiet++) {
		if (kill(-1, SIGKILL) == 0) /* otherwise only others' are left */
			quiet = -1;
		nanosleep(&(struct timespec){.tv_nsec = 20000000}, NULL);
	}
	printf("flood stopped\n");
	return 0;
}

int main(int argc, char **argv)
{
	kind = argc == 2 ? argv[1] : "";
	mkdir(folder, 0700);
	chown(folder, USER, USER);
	if (setgid(USER) || setuid(USER)) {
		perror("flood: setuid");
		return 1;
	}
	if (strcmp(kind, "stop") == 0)
		return stop();
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (strcmp(kind, kinds[i].name) == 0) {
			setpgid(0, 0);
			kinds[i].run();
		}
	fprintf(stderr, "flood: KIND is one of forks memory phoenix disk descriptors deep symlinks "
			"signals zombies stop\n");
	return 2;
}
