/* SPDX-License-Identifier: MIT */
/*
 * Who a process is and what it may do: user and group ids, set-id programs, permission checks. As
 * root (in the guest): children become other users. As a user (on a host): what a user can see.
 */
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

static bool ids_are(uid_t r, uid_t e, uid_t s)
{
	uid_t ids[3];

	return getresuid(&ids[0], &ids[1], &ids[2]) == 0 && ids[0] == r && ids[1] == e &&
	       ids[2] == s && getuid() == r && geteuid() == e;
}

static bool gids_are(gid_t r, gid_t e, gid_t s)
{
	gid_t ids[3];

	return getresgid(&ids[0], &ids[1], &ids[2]) == 0 && ids[0] == r && ids[1] == e &&
	       ids[2] == s && getgid() == r && getegid() == e;
}

TEST(root_sets_all_three)
{
	NEEDS_ROOT;
	CHECK_EXIT(CHILD_STATUS({
			   CHILD_CHECK(setgid(USER) == 0 && gids_are(USER, USER, USER));
			   CHILD_CHECK(setuid(USER) == 0 && ids_are(USER, USER, USER));
			   CHILD_CHECK(refused(setuid(0), EPERM));
			   CHILD_CHECK(refused(setgid(0), EPERM));
			   CHILD_CHECK(setuid(USER) == 0);
		   }),
		   0);
}

TEST(step_down_and_come_back)
{
	NEEDS_ROOT;
	CHECK_EXIT(CHILD_STATUS({
			   CHILD_CHECK(seteuid(USER) == 0 && ids_are(0, USER, 0));
			   CHILD_CHECK(refused(setgroups(0, NULL), EPERM));
			   CHILD_CHECK(refused(seteuid(OTHER), EPERM));
			   CHILD_CHECK(seteuid(0) == 0 && ids_are(0, 0, 0));
			   CHILD_CHECK(setegid(USER) == 0 && gids_are(0, USER, 0));
			   CHILD_CHECK(setegid(0) == 0 && gids_are(0, 0, 0));
		   }),
		   0);
}

TEST(setres_takes_one_of_the_three)
{
	NEEDS_ROOT;
	CHECK_EXIT(CHILD_STATUS({
			   CHILD_CHECK(setresuid(1, 2, 3) == 0 && ids_are(1, 2, 3));
			   CHILD_CHECK(refused(setresuid(4, -1, -1), EPERM));
			   CHILD_CHECK(refused(setresuid(-1, 0, -1), EPERM));
			   CHILD_CHECK(refused(setresuid(1, 1, 4), EPERM));
			   CHILD_CHECK(ids_are(1, 2, 3));
			   CHILD_CHECK(setresuid(3, 1, 2) == 0 && ids_are(3, 1, 2));
			   CHILD_CHECK(setresuid(-1, -1, 1) == 0 && ids_are(3, 1, 1));
			   CHILD_CHECK(refused(setresuid(2, -1, -1), EPERM));
		   }),
		   0);
}

TEST(setre_and_the_saved_id)
{
	NEEDS_ROOT;
	CHECK_EXIT(CHILD_STATUS({
			   /* The saved id follows when the real one is set ... */
			   CHILD_CHECK(setreuid(1, 2) == 0 && ids_are(1, 2, 2));
			   CHILD_CHECK(setreuid(2, 1) == 0 && ids_are(2, 1, 1));
			   CHILD_CHECK(refused(setreuid(3, -1), EPERM));
			   CHILD_CHECK(refused(setreuid(-1, 3), EPERM));
		   }),
		   0);
	CHECK_EXIT(CHILD_STATUS({
			   /* ... or the effective one to another than the real. */
			   CHILD_CHECK(setreuid(-1, USER) == 0 && ids_are(0, USER, USER));
			   CHILD_CHECK(setreuid(-1, 0) == 0 && ids_are(0, 0, USER));
		   }),
		   0);
}

TEST(setuid_of_a_user_sets_the_effective_id)
{
	NEEDS_ROOT;
	CHECK_EXIT(CHILD_STATUS({
			   CHILD_CHECK(setresuid(1, 2, 3) == 0);
			   CHILD_CHECK(refused(setuid(2), EPERM) || ids_are(1, 2, 3));
			   CHILD_CHECK(setuid(3) == 0 && ids_are(1, 3, 3));
			   CHILD_CHECK(setuid(1) == 0 && ids_are(1, 1, 3));
			   CHILD_CHECK(setuid(3) == 0 && ids_are(1, 3, 3));
		   }),
		   0);
}

TEST(a_user_cannot_become_another)
{
	uid_t me = getuid();

	NEEDS_ROOT;
	CHECK_EXIT(CHILD_STATUS({
			   become(USER);
			   CHILD_CHECK(refused(setuid(me), EPERM));
			   CHILD_CHECK(refused(setreuid(me, -1), EPERM));
			   CHILD_CHECK(refused(setresuid(-1, -1, me), EPERM));
			   CHILD_CHECK(refused(setgid(me), EPERM));
			   CHILD_CHECK(refused(setgroups(0, NULL), EPERM));
			   CHILD_CHECK(refused(initgroups("root", 0), EPERM));
		   }),
		   0);
}

TEST(ids_that_are_none)
{
	CHECK_ERRNO(setuid((uid_t)-1), EINVAL);
	CHECK_ERRNO(setgid((gid_t)-1), EINVAL);
	CHECK_EQ(setreuid((uid_t)-1, (uid_t)-1), 0);
	CHECK_EQ(setregid((gid_t)-1, (gid_t)-1), 0);
	CHECK_EQ(setresuid((uid_t)-1, (uid_t)-1, (uid_t)-1), 0);
}

TEST(supplementary_groups)
{
	gid_t list[4], many[NGROUPS_MAX + 1] = {0};

	NEEDS_ROOT;
	CHECK(sysconf(_SC_NGROUPS_MAX) == NGROUPS_MAX);
	CHECK_ERRNO(setgroups(NGROUPS_MAX + 1, many), EINVAL);
	CHECK_EXIT(CHILD_STATUS({
			   gid_t set[] = {7, 8, 9};

			   CHILD_CHECK(setgroups(3, set) == 0);
			   CHILD_CHECK(getgroups(0, NULL) == 3);
			   CHILD_CHECK(refused(getgroups(2, list), EINVAL));
			   CHILD_CHECK(getgroups(4, list) == 3 && list[0] == 7 && list[2] == 9);
			   CHILD_CHECK(setgroups(0, NULL) == 0 && getgroups(4, list) == 0);
		   }),
		   0);
}

TEST(groups_of_a_user_by_name)
{
	gid_t list[8];
	int n = 8, one = 1;

	CHECK(getgrouplist("nobody-has-this-name", 77, list, &n) == 1 && list[0] == 77);
	CHECK_EQ(getgrouplist("nobody-has-this-name", 77, list, &one), 1);
	CHECK_EQ(one, 1);
}

/* -- files -- */

TEST(access_by_class)
{
	NEEDS_ROOT;
	REQUIRE(enter_scratch("/var/tmp"));
	CHECK(chmod(".", 0755) == 0 && make_file("f", "x", 1));
	CHECK(chown("f", USER, 77) == 0 && chmod("f", 0640) == 0);
	CHECK_EXIT(CHILD_STATUS({
			   become(USER);
			   CHILD_CHECK(access("f", R_OK | W_OK) == 0);
			   CHILD_CHECK(refused(access("f", X_OK), EACCES));
		   }),
		   0);
	CHECK_EXIT(CHILD_STATUS({
			   gid_t g = 77;

			   CHILD_CHECK(setgroups(1, &g) == 0 && setgid(OTHER) == 0 &&
				       setuid(OTHER) == 0);
			   CHILD_CHECK(open("f", O_RDONLY) >= 0);
			   CHILD_CHECK(refused(open("f", O_WRONLY), EACCES));
			   CHILD_CHECK(refused(truncate("f", 0), EACCES));
		   }),
		   0);
	CHECK_EXIT(CHILD_STATUS({
			   become(OTHER);
			   CHILD_CHECK(refused(open("f", O_RDONLY), EACCES));
			   CHILD_CHECK(refused(chmod("f", 0777), EPERM));
			   CHILD_CHECK(refused(chown("f", OTHER, -1), EPERM));
			   CHILD_CHECK(refused(unlink("f"), EACCES));
			   CHILD_CHECK(refused(open("g", O_CREAT | O_WRONLY, 0600), EACCES));
			   CHILD_CHECK(refused(mkdir("d", 0700), EACCES));
			   CHILD_CHECK(refused(rename("f", "g"), EACCES));
			   CHILD_CHECK(refused(mknod("n", S_IFCHR | 0600, 0), EPERM) ||
				       errno == EACCES);
		   }),
		   0);
	/* The owner has the owner's rights even if others have more. */
	CHECK_EQ(chmod("f", 0077), 0);
	CHECK_EXIT(CHILD_STATUS({
			   become(USER);
			   CHILD_CHECK(refused(open("f", O_RDONLY), EACCES));
		   }),
		   0);
	leave_scratch("/var/tmp");
}

TEST(access_asks_the_real_id)
{
	NEEDS_ROOT;
	REQUIRE(enter_scratch("/var/tmp"));
	CHECK(make_file("f", "x", 1) && chmod("f", 0600) == 0);
	CHECK_EXIT(CHILD_STATUS({
			   CHILD_CHECK(setresuid(USER, 0, 0) == 0);
			   CHILD_CHECK(open("f", O_RDONLY) >= 0);
			   CHILD_CHECK(refused(access("f", R_OK), EACCES));
		   }),
		   0);
	leave_scratch("/var/tmp");
}

TEST(directories_ask_for_search_and_write)
{
	NEEDS_ROOT;
	REQUIRE(enter_scratch("/var/tmp"));
	CHECK(chmod(".", 0755) == 0 && mkdir("d", 0700) == 0 && make_file("d/f", "x", 1));
	CHECK_EXIT(CHILD_STATUS({
			   become(USER);
			   CHILD_CHECK(refused(open("d/f", O_RDONLY), EACCES));
			   CHILD_CHECK(refused(chdir("d"), EACCES));
			   CHILD_CHECK(refused(open("d", O_RDONLY), EACCES));
		   }),
		   0);
	CHECK_EQ(chmod("d", 0711), 0); /* search, but do not list */
	CHECK_EXIT(CHILD_STATUS({
			   become(USER);
			   CHILD_CHECK(open("d/f", O_RDONLY) >= 0);
			   CHILD_CHECK(refused(open("d", O_RDONLY), EACCES));
			   CHILD_CHECK(refused(unlink("d/f"), EACCES));
		   }),
		   0);
	leave_scratch("/var/tmp");
}

TEST(sticky_directory)
{
	NEEDS_ROOT;
	REQUIRE(enter_scratch("/var/tmp"));
	CHECK(chmod(".", 0755) == 0 && mkdir("d", 0700) == 0 && chmod("d", 01777) == 0);
	CHECK(make_file("d/f", "x", 1) && chown("d/f", USER, USER) == 0);
	CHECK(make_file("d/g", "x", 1) && chown("d/g", OTHER, OTHER) == 0);
	CHECK_EXIT(CHILD_STATUS({
			   become(OTHER);
			   CHILD_CHECK(refused(unlink("d/f"), EPERM) || errno == EACCES);
			   CHILD_CHECK(refused(rename("d/f", "d/h"), EPERM) || errno == EACCES);
			   CHILD_CHECK(refused(rename("d/g", "d/f"), EPERM) || errno == EACCES);
			   CHILD_CHECK(make_file("d/mine", "x", 1) && unlink("d/mine") == 0);
		   }),
		   0);
	CHECK_EXIT(CHILD_STATUS({
			   become(USER);
			   CHILD_CHECK(unlink("d/f") == 0);
		   }),
		   0);
	leave_scratch("/var/tmp");
}

TEST(only_root_gives_files_away)
{
	struct stat st;

	NEEDS_ROOT;
	REQUIRE(enter_scratch("/var/tmp"));
	CHECK(chmod(".", 0777) == 0);
	CHECK_EXIT(CHILD_STATUS({
			   gid_t g = 77;

			   CHILD_CHECK(setgroups(1, &g) == 0 && setgid(USER) == 0 &&
				       setuid(USER) == 0);
			   CHILD_CHECK(make_file("f", "x", 1));
			   CHILD_CHECK(refused(chown("f", OTHER, -1), EPERM));
			   CHILD_CHECK(refused(chown("f", -1, OTHER), EPERM));
			   CHILD_CHECK(chown("f", -1, 77) == 0); /* a group of one's own */
			   CHILD_CHECK(chown("f", USER, USER) == 0);
			   CHILD_CHECK(chown("f", -1, -1) == 0);
		   }),
		   0);
	CHECK(chown("f", OTHER, 5) == 0 && stat("f", &st) == 0);
	CHECK(st.st_uid == OTHER && st.st_gid == 5);
	leave_scratch("/var/tmp");
}

TEST(set_id_bits_go)
{
	struct stat st;

	NEEDS_ROOT;
	REQUIRE(enter_scratch("/var/tmp"));
	CHECK(chmod(".", 0777) == 0 && make_file("f", "x", 1) && chown("f", USER, USER) == 0);
	CHECK(chmod("f", 06755) == 0 && stat("f", &st) == 0 && (st.st_mode & 07777) == 06755);
	CHECK(chown("f", OTHER, OTHER) == 0 && stat("f", &st) == 0);
	CHECK_EQ(st.st_mode & 07777, 0755);
	/* A write by somebody who is not root. */
	CHECK(chmod("f", 06777) == 0);
	CHECK_EXIT(CHILD_STATUS({
			   int fd;

			   become(USER);
			   fd = open("f", O_WRONLY);
			   CHILD_CHECK(fd >= 0 && write(fd, "y", 1) == 1);
		   }),
		   0);
	CHECK(stat("f", &st) == 0);
	CHECK_EQ(st.st_mode & 07777, 0777);
	CHECK(chmod("f", 06777) == 0);
	CHECK_EXIT(CHILD_STATUS({
			   become(USER);
			   CHILD_CHECK(truncate("f", 0) == 0);
		   }),
		   0);
	CHECK(stat("f", &st) == 0);
	CHECK_EQ(st.st_mode & 07777, 0777);
	/* Nobody makes a program of a group's that he is not in. */
	CHECK(chown("f", USER, 77) == 0);
	CHECK_EXIT(CHILD_STATUS({
			   become(USER);
			   CHILD_CHECK(chmod("f", 02755) == 0);
		   }),
		   0);
	CHECK(stat("f", &st) == 0);
	CHECK_EQ(st.st_mode & 07777, 0755);
	leave_scratch("/var/tmp");
}

/* -- set-id programs: this program, copied; started as "show-ids" it prints what it is -- */

__attribute__((constructor)) static void show_ids(void)
{
	uid_t u[3];
	gid_t g[3];
	const char *how = getenv("SHOW_IDS");

	if (!how)
		return;
	getresuid(&u[0], &u[1], &u[2]);
	getresgid(&g[0], &g[1], &g[2]);
	dprintf(1, "%u %u %u %u %u %u", u[0], u[1], u[2], g[0], g[1], g[2]);
#ifdef __parvix__
	dprintf(1, " %lu", getauxval(23)); /* AT_SECURE */
#endif
	_exit(0);
}

/* What the copy @path of this program says when user @uid runs it. */
static const char *ids_when_run(const char *path, uid_t uid)
{
	static char said[100];
	size_t len = 0;
	int fds[2];
	ssize_t n;
	pid_t pid;

	if (pipe(fds) < 0)
		return "no pipe";
	pid = START({
		dup2(fds[1], 1);
		become(uid);
		setenv("SHOW_IDS", "1", 1);
		execl(path, path, NULL);
		dprintf(1, "errno %d", errno);
	});
	close(fds[1]);
	while ((n = read(fds[0], said + len, sizeof(said) - 1 - len)) > 0)
		len += (size_t)n;
	said[len] = 0;
	close(fds[0]);
	wait_status(pid);
	return said;
}

#ifdef __parvix__
static bool copy_self(const char *to)
{
	char command[64];

	snprintf(command, sizeof(command), "cp /usr/tests/t_cred %s", to);
	return system(command) == 0;
}

TEST(set_id_programs)
{
	REQUIRE(enter_scratch("/var/tmp"));
	CHECK(chmod(".", 0755) == 0);
	REQUIRE(copy_self("p"));
	CHECK(chmod("p", 0755) == 0);
	CHECK_STR(ids_when_run("./p", USER), "1234 1234 1234 1234 1234 1234 0");
	CHECK(chown("p", OTHER, 77) == 0 && chmod("p", 04755) == 0);
	CHECK_STR(ids_when_run("./p", USER), "1234 2345 2345 1234 1234 1234 1");
	CHECK(chmod("p", 02755) == 0);
	CHECK_STR(ids_when_run("./p", USER), "1234 1234 1234 1234 77 77 1");
	CHECK(chmod("p", 06755) == 0);
	CHECK_STR(ids_when_run("./p", USER), "1234 2345 2345 1234 77 77 1");
	CHECK_STR(ids_when_run("./p", OTHER), "2345 2345 2345 2345 77 77 1");
	CHECK(chmod("p", 02745) == 0); /* without the group's x: not a set-id program */
	CHECK_STR(ids_when_run("./p", USER), "1234 1234 1234 1234 1234 1234 0");
	CHECK(chmod("p", 04700) == 0);
	CHECK_STR(ids_when_run("./p", USER), "errno 13");
	leave_scratch("/var/tmp");
}

TEST(set_id_is_for_programs_not_scripts)
{
	REQUIRE(enter_scratch("/var/tmp"));
	CHECK(chmod(".", 0755) == 0);
	REQUIRE(copy_self("p"));
	CHECK(make_file("s", "#!./p\n", 6) && chmod("s", 04755) == 0 && chmod("p", 04755) == 0);
	CHECK_STR(ids_when_run("./p", USER), "1234 0 0 1234 1234 1234 1");
	/* Neither the script's bits count, nor those of its interpreter. */
	CHECK_STR(ids_when_run("./s", USER), "1234 1234 1234 1234 1234 1234 0");
	leave_scratch("/var/tmp");
}

TEST(nosuid_mount)
{
	REQUIRE(enter_scratch("/var/tmp"));
	CHECK(chmod(".", 0755) == 0 && mkdir("m", 0755) == 0);
	REQUIRE_EQ(mount("tmpfs", "m", "tmpfs", MS_NOSUID, NULL), 0);
	CHECK(chmod("m", 0755) == 0 && copy_self("m/p") && chown("m/p", OTHER, 77) == 0 &&
	      chmod("m/p", 06755) == 0);
	CHECK_STR(ids_when_run("m/p", USER), "1234 1234 1234 1234 1234 1234 0");
	CHECK_EQ(umount2("m", 0), 0);
	leave_scratch("/var/tmp");
}
#endif

/* -- processes and the system -- */

TEST(who_may_signal_whom)
{
	pid_t root, user;

	NEEDS_ROOT;
	root = START(for (;;) pause());
	user = START({
		become(USER);
		for (;;)
			pause();
	});
	sleep_ms(50);
	CHECK_EXIT(CHILD_STATUS({
			   become(USER);
			   CHILD_CHECK(refused(kill(root, SIGTERM), EPERM));
			   CHILD_CHECK(refused(kill(root, 0), EPERM));
			   CHILD_CHECK(kill(root, SIGCONT) == 0); /* in the same session */
			   CHILD_CHECK(kill(user, 0) == 0);
		   }),
		   0);
	CHECK_EXIT(CHILD_STATUS({
			   become(OTHER);
			   CHILD_CHECK(refused(kill(user, SIGTERM), EPERM));
			   CHILD_CHECK(setsid() > 0 && refused(kill(user, SIGCONT), EPERM));
		   }),
		   0);
	/* A receiver that has stepped down can still be told by whom it was started. */
	CHECK_EXIT(CHILD_STATUS({
			   CHILD_CHECK(setresuid(OTHER, USER, OTHER) == 0);
			   CHILD_CHECK(kill(user, SIGTERM) == 0);
		   }),
		   0);
	CHECK_KILLED(wait_status(user), SIGTERM);
	kill(root, SIGKILL);
	wait_status(root);
}
