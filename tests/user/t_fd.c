/* SPDX-License-Identifier: MIT */
/* Descriptors: dup, fcntl, close-on-exec, offsets, open flags, limits. */
#include "guest.h"

#include <sys/resource.h>
#include <sys/uio.h>

TEST(the_lowest_number_is_given)
{
	int a = open("/dev/null", O_RDONLY), b = dup(a), c = dup(a);

	REQUIRE(a >= 0 && b > a && c > b);
	close(b);
	CHECK_EQ(dup(a), b);
	CHECK_EQ(fcntl(a, F_DUPFD, 50), 50);
	CHECK_EQ(fcntl(a, F_DUPFD, 50), 51);
	close(50);
	close(51);
	CHECK_ERRNO(fcntl(a, F_DUPFD, -1), EINVAL);
	CHECK_ERRNO(fcntl(a, F_DUPFD, 100000000), EINVAL);
	close(a);
	close(b);
	close(c);
}

TEST(bad_descriptors)
{
	char c;
	struct stat st;

	for (int fd = -1; fd < 100000; fd += 33337) {
		if (fd >= 0 && fd < 3)
			continue;
		CHECK_ERRNO(close(fd), EBADF);
		CHECK_ERRNO(read(fd, &c, 1), EBADF);
		CHECK_ERRNO(write(fd, &c, 1), EBADF);
		CHECK_ERRNO(dup(fd), EBADF);
		CHECK_ERRNO(dup2(fd, 5), EBADF);
		CHECK_ERRNO(lseek(fd, 0, SEEK_SET), EBADF);
		CHECK_ERRNO(fstat(fd, &st), EBADF);
		CHECK_ERRNO(fcntl(fd, F_GETFD), EBADF);
	}
	CHECK_ERRNO(dup2(1, -1), EBADF);
	CHECK_ERRNO(dup2(1, 1000000), EBADF);
	CHECK_ERRNO(fcntl(1, 9999), EINVAL);
}

TEST(dup2_replaces)
{
	int null = open("/dev/null", O_RDWR), zero = open("/dev/zero", O_RDWR);
	char c = 1;

	REQUIRE(null >= 0 && zero >= 0);
	CHECK_EQ(dup2(null, null), null);
	CHECK_EQ(dup2(zero, null), null);
	CHECK_EQ(read(null, &c, 1), 1);
	CHECK_EQ(c, 0);
	close(null);
	close(zero);
}

TEST(flags_of_descriptor_and_file)
{
	int fd = open("/dev/null", O_WRONLY | O_APPEND | O_CLOEXEC), copy;

	REQUIRE(fd >= 0);
	CHECK_EQ(fcntl(fd, F_GETFD), FD_CLOEXEC);
	CHECK_EQ(fcntl(fd, F_GETFL) & (O_ACCMODE | O_APPEND), O_WRONLY | O_APPEND);
	copy = dup(fd);
	CHECK_EQ(fcntl(copy, F_GETFD), 0); /* the copy's own */
	CHECK_EQ(fcntl(copy, F_SETFL, O_NONBLOCK), 0);
	CHECK_EQ(fcntl(fd, F_GETFL) & (O_APPEND | O_NONBLOCK), O_NONBLOCK); /* shared */
	CHECK_EQ(fcntl(fd, F_GETFL) & O_ACCMODE, O_WRONLY);
	CHECK_EQ(fcntl(fd, F_SETFD, 0), 0);
	CHECK_EQ(fcntl(fd, F_GETFD), 0);
	close(copy);
	copy = fcntl(fd, F_DUPFD_CLOEXEC, 10);
	CHECK(copy >= 10);
	CHECK_EQ(fcntl(copy, F_GETFD), FD_CLOEXEC);
	close(copy);
	close(fd);
}

TEST(close_on_exec)
{
	int keep = open("/dev/null", O_RDONLY), gone = open("/dev/null", O_RDONLY | O_CLOEXEC);
	char script[96];

	snprintf(script, sizeof(script),
		 "true <&%d || exit 1; (true <&%d) 2>/dev/null && exit 2; exit 0", keep, gone);
	CHECK_EXIT(CHILD_STATUS(execl("/bin/sh", "sh", "-c", script, (char *)NULL)), 0);
	close(keep);
	close(gone);
}

static int scratch_file(const char *text)
{
	if (!enter_scratch("/tmp") || !make_file("f", text, strlen(text)))
		return -1;
	return open("f", O_RDWR);
}

TEST(the_offset_is_shared)
{
	int fd = scratch_file("0123456789"), copy;
	char buf[16] = "";

	REQUIRE(fd >= 0);
	copy = dup(fd);
	CHECK_EQ(read(fd, buf, 2), 2);
	CHECK_EQ(lseek(copy, 0, SEEK_CUR), 2);
	CHECK_EXIT(CHILD_STATUS(CHILD_CHECK(read(fd, buf, 3) == 3)), 0);
	CHECK_EQ(lseek(fd, 0, SEEK_CUR), 5);
	close(copy);
	copy = open("f", O_RDONLY);
	CHECK_EQ(lseek(copy, 0, SEEK_CUR), 0);
	close(copy);
	close(fd);
	leave_scratch("/tmp");
}

TEST(seeking)
{
	int fd = scratch_file("0123456789");
	char c = 0;

	REQUIRE(fd >= 0);
	CHECK_EQ(lseek(fd, -1, SEEK_END), 9);
	CHECK_EQ(read(fd, &c, 1), 1);
	CHECK_EQ(c, '9');
	CHECK_EQ(lseek(fd, 100, SEEK_SET), 100);
	CHECK_EQ(read(fd, &c, 1), 0);
	CHECK_EQ(lseek(fd, -50, SEEK_CUR), 50);
	CHECK_ERRNO(lseek(fd, -51, SEEK_CUR), EINVAL);
	CHECK_ERRNO(lseek(fd, -1, SEEK_SET), EINVAL);
	CHECK_ERRNO(lseek(fd, 0, 77), EINVAL);
	CHECK_EQ(lseek(fd, 20, SEEK_SET), 20);
	CHECK_EQ(write(fd, "x", 1), 1);
	CHECK_EQ(lseek(fd, 0, SEEK_END), 21);
	CHECK_EQ(pread(fd, &c, 1, 15), 1);
	CHECK_EQ(c, 0);
	close(fd);
	leave_scratch("/tmp");
}

TEST(pread_and_pwrite_do_not_move)
{
	int fd = scratch_file("0123456789");
	char buf[8] = "";

	REQUIRE(fd >= 0);
	CHECK_EQ(pwrite(fd, "AB", 2, 4), 2);
	CHECK_EQ(lseek(fd, 0, SEEK_CUR), 0);
	CHECK_EQ(pread(fd, buf, 4, 3), 4);
	CHECK_STR(buf, "3AB6");
	CHECK_EQ(lseek(fd, 0, SEEK_CUR), 0);
	CHECK_EQ(pread(fd, buf, 4, 10), 0);
	CHECK_ERRNO(pread(fd, buf, 4, -1), EINVAL);
	close(fd);
	leave_scratch("/tmp");
}

TEST(append)
{
	int fd = scratch_file("0123"), other;
	char buf[16] = "";

	REQUIRE(fd >= 0);
	other = open("f", O_WRONLY | O_APPEND);
	CHECK_EQ(lseek(other, 0, SEEK_SET), 0);
	CHECK_EQ(write(other, "ab", 2), 2);
	CHECK_EQ(pwrite(fd, "X", 1, 6), 1);
	CHECK_EQ(write(other, "cd", 2), 2);
	CHECK_EQ(pread(fd, buf, 16, 0), 9);
	CHECK_STR(buf, "0123abXcd");
	close(other);
	close(fd);
	leave_scratch("/tmp");
}

TEST(vectors)
{
	int fd = scratch_file("");
	char a[4] = "", b[8] = "";
	struct iovec out[3] = {{"one", 3}, {"", 0}, {"three", 5}};
	struct iovec in[2] = {{a, 3}, {b, 7}};

	REQUIRE(fd >= 0);
	CHECK_EQ(writev(fd, out, 3), 8);
	CHECK_EQ(lseek(fd, 0, SEEK_SET), 0);
	CHECK_EQ(readv(fd, in, 2), 8);
	CHECK_STR(a, "one");
	CHECK_STR(b, "three");
	CHECK_ERRNO(writev(fd, out, -1), EINVAL);
	CHECK_ERRNO(writev(fd, out, 100000), EINVAL);
	out[0].iov_len = out[2].iov_len = (size_t)-1 / 2;
	CHECK(writev(fd, out, 3) == -1 && (errno == EINVAL || errno == EFAULT));
	close(fd);
	leave_scratch("/tmp");
}

TEST(open_flags)
{
	int fd = scratch_file("0123456789");
	struct stat st;
	char c;

	REQUIRE(fd >= 0);
	close(fd);
	CHECK_ERRNO(open("f", O_WRONLY | O_CREAT | O_EXCL, 0600), EEXIST);
	CHECK_ERRNO(open("g", O_WRONLY), ENOENT);
	CHECK_ERRNO(open("f", O_RDONLY | O_DIRECTORY), ENOTDIR);
	CHECK_ERRNO(open("f/g", O_RDONLY), ENOTDIR);
	CHECK_ERRNO(open(".", O_WRONLY), EISDIR);
	CHECK_ERRNO(open("", O_RDONLY), ENOENT);
	CHECK_EQ(symlink("f", "link"), 0);
	CHECK_ERRNO(open("link", O_RDONLY | O_NOFOLLOW), ELOOP);
	fd = open("link", O_WRONLY | O_TRUNC);
	CHECK(fd >= 0);
	CHECK_EQ(fstat(fd, &st), 0);
	CHECK_EQ(st.st_size, 0);
	CHECK_ERRNO(read(fd, &c, 1), EBADF);
	close(fd);
	fd = open("f", O_RDONLY);
	CHECK_ERRNO(write(fd, "x", 1), EBADF);
	CHECK(ftruncate(fd, 0) == -1 && (errno == EINVAL || errno == EBADF));
	close(fd);
	umask(022);
	fd = open("new", O_RDWR | O_CREAT | O_EXCL, 0666);
	CHECK(fd >= 0);
	CHECK_EQ(fstat(fd, &st), 0);
	CHECK_EQ(st.st_mode & 07777, 0644);
	close(fd);
	fd = open(".", O_RDONLY | O_DIRECTORY);
	CHECK(fd >= 0);
	CHECK_ERRNO(read(fd, &c, 1), EISDIR);
	close(fd);
	leave_scratch("/tmp");
}

TEST(the_limit)
{
	struct rlimit limit;
	int fd, last = -1;

	CHECK_EQ(getrlimit(RLIMIT_NOFILE, &limit), 0);
	CHECK_EXIT(CHILD_STATUS({
			   struct rlimit small = {20, 20};

			   CHILD_CHECK(setrlimit(RLIMIT_NOFILE, &small) == 0);
			   while ((fd = open("/dev/null", O_RDONLY)) >= 0)
				   last = fd;
			   CHILD_CHECK(errno == EMFILE && last == 19);
			   CHILD_CHECK(dup(0) == -1 && errno == EMFILE);
			   int fds[2];

			   CHILD_CHECK(pipe(fds) == -1 && errno == EMFILE);
			   close(5);
			   CHILD_CHECK(pipe(fds) == -1 && errno == EMFILE);
			   CHILD_CHECK(open("/dev/null", O_RDONLY) ==
				       5); /* nothing of the pipe was left */
		   }),
		   0);
	CHECK_ERRNO(getrlimit(99, &limit), EINVAL);
	limit.rlim_cur = 10;
	limit.rlim_max = 5;
	CHECK_ERRNO(setrlimit(RLIMIT_NOFILE, &limit), EINVAL);
}

#ifdef __parvix__
TEST(as_many_as_there_are)
{
	CHECK_EXIT(CHILD_STATUS({
			   int count = 0;

			   while (open("/dev/null", O_RDONLY) >= 0)
				   count++;
			   CHILD_CHECK(errno == EMFILE && count > 200 && count < 100000);
		   }),
		   0);
}
#endif
