/* SPDX-License-Identifier: MIT */
/* What only root may do, and shares of the processor. */
#include "cred.h"

#include <grp.h>
#include <limits.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/time.h>
#ifdef __parvix__
#include <sys/auxv.h>
#include <sys/reboot.h>
#endif

TEST(priorities)
{
	pid_t root;

	NEEDS_ROOT;
	root = START(for (;;) pause());
	CHECK_EXIT(CHILD_STATUS({
			   errno = 0;
			   CHILD_CHECK(getpriority(PRIO_PROCESS, 0) == 0 && errno == 0);
			   CHILD_CHECK(setpriority(PRIO_PROCESS, 0, -5) == 0);
			   CHILD_CHECK(getpriority(PRIO_PROCESS, 0) == -5 && errno == 0);
			   CHILD_CHECK(nice(3) == -2 && nice(100) == 19);
			   CHILD_CHECK(nice(-100) == -20 && setpriority(PRIO_PROCESS, 0, 0) == 0);
			   become(USER);
			   CHILD_CHECK(setpriority(PRIO_PROCESS, 0, 4) == 0);
			   CHILD_CHECK(refused(setpriority(PRIO_PROCESS, 0, 3), EACCES));
			   CHILD_CHECK(refused(nice(-1), EPERM));
			   CHILD_CHECK(setpriority(PRIO_PROCESS, 0, 4) == 0);
			   CHILD_CHECK(refused(setpriority(PRIO_PROCESS, root, 5), EPERM));
			   CHILD_CHECK(getpriority(PRIO_PROCESS, root) == 0);
			   CHILD_CHECK(getpriority(PRIO_USER, USER) == 4);
			   CHILD_CHECK(setpriority(PRIO_USER, 0, 6) == 0);
			   CHILD_CHECK(getpriority(PRIO_PROCESS, 0) == 6);
			   CHILD_CHECK(setpgid(0, 0) == 0 && setpriority(PRIO_PGRP, 0, 7) == 0);
			   CHILD_CHECK(getpriority(PRIO_PGRP, getpid()) == 7);
			   CHILD_CHECK(refused(setpriority(PRIO_USER, 4321, 1), ESRCH));
		   }),
		   0);
	kill(root, SIGKILL);
	wait_status(root);
	CHECK_ERRNO(getpriority(9, 0), EINVAL);
	CHECK_ERRNO(setpriority(-1, 0, 0), EINVAL);
	CHECK_ERRNO(getpriority(PRIO_PROCESS, 32000000), ESRCH);
}

TEST(a_nice_program_gets_less)
{
	pid_t pid[2];
	int fds[2];
	long n[2] = {0, 0};

	NEEDS_ROOT;
	REQUIRE_EQ(pipe(fds), 0);
	for (int i = 0; i < 2; i++)
		pid[i] = START({
			long rounds = 0;
			long long end;

			if (i)
				nice(19);
			end = now_ns() + 600000000;
			while (now_ns() < end)
				rounds++;
			rounds = i ? -rounds : rounds;
			CHILD_CHECK(write(fds[1], &rounds, sizeof(rounds)) == sizeof(rounds));
		});
	for (int i = 0; i < 2; i++) {
		long got = 0;

		CHECK_EQ(read(fds[0], &got, sizeof(got)), sizeof(got));
		n[got < 0] = got < 0 ? -got : got;
	}
	CHECK_EXIT(wait_status(pid[0]), 0);
	CHECK_EXIT(wait_status(pid[1]), 0);
	CHECK_THAT(n[0] > 2 * n[1], "%ld rounds, the nice one %ld", n[0], n[1]);
	close(fds[0]);
	close(fds[1]);
}

TEST(what_only_root_may)
{
	NEEDS_ROOT;
	CHECK_EXIT(CHILD_STATUS({
			   struct timespec ts;
			   struct timeval tv = {1, 0};
			   struct rlimit r;

			   become(USER);
			   clock_gettime(CLOCK_REALTIME, &ts);
			   CHILD_CHECK(refused(clock_settime(CLOCK_REALTIME, &ts), EPERM));
			   CHILD_CHECK(refused(settimeofday(&tv, NULL), EPERM));
			   CHILD_CHECK(refused(sethostname("x", 1), EPERM));
			   CHILD_CHECK(refused(chroot("/"), EPERM));
			   CHILD_CHECK(refused(mknod("/tmp/n", S_IFBLK | 0600, 0), EPERM));
			   CHILD_CHECK(mkfifo("/tmp/cred-fifo", 0600) == 0 &&
				       unlink("/tmp/cred-fifo") == 0);
			   CHILD_CHECK(getrlimit(RLIMIT_NOFILE, &r) == 0);
			   r.rlim_max--;
			   r.rlim_cur = r.rlim_max;
			   CHILD_CHECK(setrlimit(RLIMIT_NOFILE, &r) == 0);
			   r.rlim_max++;
			   CHILD_CHECK(refused(setrlimit(RLIMIT_NOFILE, &r), EPERM));
#ifdef __parvix__
			   CHILD_CHECK(refused(mount("tmpfs", "/mnt", "tmpfs", 0, NULL), EPERM));
			   CHILD_CHECK(refused(umount2("/proc", 0), EPERM));
			   CHILD_CHECK(refused(reboot(REBOOT_RESTART), EPERM));
#endif
		   }),
		   0);
}

TEST(chroot_is_a_wall)
{
	NEEDS_ROOT;
	REQUIRE(enter_scratch("/var/tmp"));
	CHECK(mkdir("jail", 0755) == 0 && make_file("jail/inside", "x", 1) &&
	      symlink("/inside", "jail/link") == 0 && mkdir("jail/d", 0755) == 0);
	CHECK_ERRNO(chroot("nothing"), ENOENT);
	CHECK_ERRNO(chroot("jail/inside"), ENOTDIR);
	CHECK_EXIT(CHILD_STATUS({
			   char buf[PATH_MAX];

			   CHILD_CHECK(chroot("jail") == 0 && chdir("/") == 0);
			   CHILD_CHECK(access("/inside", F_OK) == 0);
			   CHILD_CHECK(access("/link", F_OK) == 0);
			   CHILD_CHECK(access("/../../inside", F_OK) == 0);
			   CHILD_CHECK(refused(access("/etc/passwd", F_OK), ENOENT));
			   CHILD_CHECK(refused(access("../../etc/passwd", F_OK), ENOENT));
			   CHILD_CHECK(chdir("d") == 0 && getcwd(buf, sizeof(buf)) != NULL);
			   CHILD_CHECK(strcmp(buf, "/d") == 0);
		   }),
		   0);
	leave_scratch("/var/tmp");
}
