/* SPDX-License-Identifier: MIT */
/* /proc: what is there, that it is true, that reading it piece by piece gives the same. */
#include "guest.h"

#include <dirent.h>
#include <sys/resource.h>

static char text[65536];

/* The whole of a file below /proc into text[]; its length, or -1. */
static ssize_t slurp(const char *path)
{
	int fd = open(path, O_RDONLY);
	size_t have = 0;
	ssize_t n = -1;

	if (fd < 0)
		return -1;
	while (have < sizeof(text) - 1 && (n = read(fd, text + have, sizeof(text) - 1 - have)) > 0)
		have += (size_t)n;
	text[have] = '\0';
	close(fd);
	return n < 0 ? -1 : (ssize_t)have;
}

TEST(numbers_are_processes)
{
	char path[32];
	pid_t pid = START(sleep_ms(10000));
	bool self = false, child = false, first = false;
	struct dirent *d;
	DIR *dir = opendir("/proc");

	REQUIRE(dir != NULL);
	while ((d = readdir(dir))) {
		self |= atoi(d->d_name) == getpid();
		child |= atoi(d->d_name) == pid;
		first |= atoi(d->d_name) == 1;
	}
	closedir(dir);
	CHECK(self && child && first);
	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	CHECK(slurp(path) > 0);
	CHECK_EQ(atoi(text), pid);
	kill(pid, SIGKILL);
	CHECK_KILLED(wait_status(pid), SIGKILL);
	CHECK_ERRNO(open(path, O_RDONLY), ENOENT);
	CHECK_ERRNO(open("/proc/99999", O_RDONLY), ENOENT);
	CHECK_ERRNO(open("/proc/x1", O_RDONLY), ENOENT);
}

TEST(self_is_oneself)
{
	char link[32] = "";

	if (readlink("/proc/self", link, sizeof(link) - 1) > 0)
		CHECK_EQ(atoi(link), getpid());
	CHECK(slurp("/proc/self/stat") > 0);
	CHECK_EQ(atoi(text), getpid());
	CHECK(slurp("/proc/self/cmdline") > 0);
	CHECK(strstr(text, "t_proc_fs") != NULL);
	CHECK_EQ(slurp("/proc/self/comm"), strlen("t_proc_fs\n"));
	CHECK_STR(text, "t_proc_fs\n");
	CHECK(slurp("/proc/self/statm") > 0);
	{
		long all = 0, here = 0;

		CHECK_EQ(sscanf(text, "%ld %ld 0 0 0 0 0", &all, &here), 2);
		CHECK(here > 0 && all >= here);
	}
}

TEST(a_file_outlives_its_process)
{
	char path[32], c;
	pid_t pid = START(sleep_ms(10000));
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	fd = open(path, O_RDONLY);
	REQUIRE(fd >= 0);
	kill(pid, SIGKILL);
	CHECK_KILLED(wait_status(pid), SIGKILL);
	n = read(fd, &c, 1);
	CHECK(n == 0 || (n == -1 && (errno == ESRCH || errno == ENOENT || errno == EIO)) || n == 1);
	close(fd);
}

TEST(piece_by_piece)
{
	static char whole[4096], pieces[4096];
	size_t have = 0;
	int fd = open("/proc/mounts", O_RDONLY);
	ssize_t n, total;

	REQUIRE(fd >= 0);
	total = read(fd, whole, sizeof(whole));
	REQUIRE(total > 20);
	CHECK_EQ(lseek(fd, 0, SEEK_SET), 0);
	while (have < sizeof(pieces) - 7 && (n = read(fd, pieces + have, 7)) > 0)
		have += (size_t)n;
	CHECK_EQ(have, total);
	CHECK_MEM(whole, pieces, (size_t)total);
	CHECK_EQ(pread(fd, pieces, 5, 10), 5);
	CHECK_MEM(pieces, whole + 10, 5);
	CHECK_EQ(pread(fd, pieces, 5, 100000), 0);
	close(fd);
}

TEST(memory_and_time)
{
	unsigned long total = 0, available = 0;
	double up1, up2;
	char *p;

	REQUIRE(slurp("/proc/meminfo") > 0);
	REQUIRE((p = strstr(text, "MemTotal:")) && sscanf(p, "MemTotal: %lu", &total) == 1);
	REQUIRE((p = strstr(text, "MemAvailable:")) &&
		sscanf(p, "MemAvailable: %lu", &available) == 1);
	CHECK(available > 0 && available <= total);
	REQUIRE(slurp("/proc/uptime") > 0);
	CHECK_EQ(sscanf(text, "%lf", &up1), 1);
	sleep_ms(60);
	REQUIRE(slurp("/proc/uptime") > 0);
	CHECK_EQ(sscanf(text, "%lf", &up2), 1);
	CHECK(up2 - up1 > 0.03 && up2 - up1 < 5);
}

/* What a program reads of itself, or of a child that it knows all of. */
TEST(of_one_process)
{
	char path[64], want[96], *envp[] = {"ONE=1", "TWO=two", NULL},
				 *argv[] = {"sleep", "9", NULL};
	struct rlimit limit = {40, 50};
	int fd, pos = -1, status = -1;
	unsigned flags = 0;
	pid_t pid;

	pid = fork();
	if (pid == 0) {
		setrlimit(RLIMIT_NOFILE, &limit);
		execve("/bin/sleep", argv, envp);
		_exit(99);
	}
	snprintf(path, sizeof(path), "/proc/%d/environ", (int)pid);
	for (int i = 0; i < 500 && (slurp(path) <= 0 || !strstr(text, "ONE=1")); i++)
		sleep_ms(2);
	CHECK_MEM(text, "ONE=1\0TWO=two", 14);
	snprintf(path, sizeof(path), "/proc/%d/limits", (int)pid);
	CHECK(slurp(path) > 0);
	snprintf(want, sizeof(want), "%-26s%-21d%-21d%s\n", "Max open files", 40, 50, "files");
	{
		char *line = strstr(text, "Max open files"),
		     *end = line ? strchr(line, '\n') : NULL;

		while (end && end > line && end[-1] == ' ')
			end--; /* Linux fills the line up */
		CHECK(line && end && !strncmp(line, want, (size_t)(end - line)));
		CHECK(strstr(text, "Max cpu time") && strstr(text, "unlimited"));
	}
	kill(pid, SIGKILL);
	CHECK_EQ(waitpid(pid, &status, 0), pid);

	fd = open("/dev/zero", O_RDONLY | O_NONBLOCK);
	REQUIRE(fd >= 0);
	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	CHECK(slurp(path) > 0);
	CHECK_EQ(sscanf(text, "pos: %d flags: %o", &pos, &flags), 2);
	CHECK_EQ(pos, 0);
	CHECK(flags & O_NONBLOCK);
	close(fd);
	CHECK_ERRNO(open(path, O_RDONLY), ENOENT);
	fd = open("/etc/passwd", O_RDONLY);
	CHECK_EQ(read(fd, text, 7), 7);
	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	CHECK(slurp(path) > 0);
	CHECK_EQ(sscanf(text, "pos: %d", &pos), 1);
	CHECK_EQ(pos, 7);
	close(fd);
}

/* The fields that vmstat, top and the like look for. */
TEST(of_the_system)
{
	unsigned long user, system, idle, switches = 0, later = 0, forks = 0, more = 0, booted = 0;
	time_t now = time(NULL);
	char *p;

	REQUIRE(slurp("/proc/stat") > 0);
	REQUIRE_EQ(sscanf(text, "cpu %lu %*u %lu %lu", &user, &system, &idle), 3);
	REQUIRE((p = strstr(text, "ctxt ")) && sscanf(p, "ctxt %lu", &switches) == 1);
	REQUIRE((p = strstr(text, "btime ")) && sscanf(p, "btime %lu", &booted) == 1);
	REQUIRE((p = strstr(text, "processes ")) && sscanf(p, "processes %lu", &forks) == 1);
	CHECK(strstr(text, "procs_running ") != NULL);
	CHECK((time_t)booted <= now);
	CHECK_EXIT(CHILD_STATUS(sleep_ms(20)), 0);
	REQUIRE(slurp("/proc/stat") > 0);
	CHECK((p = strstr(text, "ctxt ")) && sscanf(p, "ctxt %lu", &later) == 1);
	CHECK((p = strstr(text, "processes ")) && sscanf(p, "processes %lu", &more) == 1);
	CHECK(later > switches && more > forks);
	REQUIRE(slurp("/proc/cpuinfo") > 0);
	CHECK(strstr(text, "processor\t: 0\n") == text);
	CHECK((p = strstr(text, "vendor_id\t: ")) && p[12] > ' ');
	CHECK(strstr(text, "\nmodel name\t: ") != NULL);
	CHECK(slurp("/proc/filesystems") > 0);
	CHECK(strstr(text, "nodev\tproc\n") != NULL);
}

TEST(mounts)
{
	REQUIRE(slurp("/proc/mounts") > 0);
	CHECK(strstr(text, " / ") != NULL);
	CHECK(strstr(text, " /proc proc ") != NULL);
	CHECK(slurp("/proc/self/mounts") > 0);
	CHECK(strstr(text, " /proc proc ") != NULL);
}

TEST(it_cannot_be_written)
{
	CHECK(open("/proc/new", O_WRONLY | O_CREAT, 0644) == -1);
	CHECK(mkdir("/proc/new", 0755) == -1);
	CHECK(unlink("/proc/mounts") == -1);
	CHECK(rename("/proc/mounts", "/proc/x") == -1);
}

#ifdef __parvix__
static unsigned long total_calls(void)
{
	char *p;

	return slurp("/proc/hypercalls") > 0 && (p = strstr(text, "total "))
		       ? strtoul(p + 6, NULL, 10)
		       : 0;
}

TEST(counters_count)
{
	unsigned long before = total_calls(), after;

	if (before == 0) {
		test_note("no hypervisor here");
		return;
	}
	for (int i = 0; i < 100; i++)
		CHECK_EQ(getppid() > 0, 1);
	after = total_calls();
	/* The PV world: each system call returns by one. Elsewhere there may be none. */
	CHECK(after >= before);
	CHECK(slurp("/proc/counters") > 0);
	CHECK(strstr(text, "forks ") != NULL);
}

TEST(the_trace_shows_what_happened)
{
	CHECK_EXIT(CHILD_STATUS(_exit(0)), 0);
	CHECK(slurp("/proc/trace") > 0);
	CHECK(strstr(text, "fork") != NULL || strstr(text, "exit") != NULL);
	CHECK(slurp("/proc/kmsg") > 0);
	CHECK(slurp("/proc/machine") >= 0);
	CHECK(slurp("/proc/self/maps") > 0);
}

TEST(all_of_it_can_be_read)
{
	static const char *const names[] = {
		"processes",   "meminfo", "uptime",  "loadavg",    "version",  "cmdline", "mounts",
		"filesystems", "devices", "machine", "hypercalls", "counters", "trace",   "kmsg"};
	char path[64];

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		snprintf(path, sizeof(path), "/proc/%s", names[i]);
		CHECK_THAT(slurp(path) >= 0, "%s: errno %d", path, errno);
	}
}
#endif
