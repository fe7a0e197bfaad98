/* SPDX-License-Identifier: MIT */
/* The flags of open, what writers at the end do to each other, holes, vectors. */
#include "guest.h"

#include <limits.h>
#include <sys/uio.h>

static const char *const places[] = {"/tmp", "/var/tmp"};

static void flags_in(const char *place)
{
	struct stat st;
	int fd;

	REQUIRE(enter_scratch(place));
	CHECK_ERRNO(open("f", O_RDONLY), ENOENT);
	fd = open("f", O_RDWR | O_CREAT | O_EXCL, 0644);
	CHECK_EQ(write(fd, "text", 4), 4);
	close(fd);
	CHECK_ERRNO(open("f", O_RDWR | O_CREAT | O_EXCL, 0644), EEXIST);
	CHECK_EQ(symlink("f", "l"), 0);
	CHECK_EQ(symlink("absent", "dangling"), 0);
	CHECK_EQ(mkdir("d", 0755), 0);
	CHECK_EQ(symlink("d", "ld"), 0);
	CHECK_ERRNO(open("l", O_WRONLY | O_CREAT | O_EXCL, 0644), EEXIST);
	CHECK_ERRNO(open("dangling", O_WRONLY | O_CREAT | O_EXCL, 0644), EEXIST);
	CHECK_ERRNO(open("l", O_RDONLY | O_NOFOLLOW), ELOOP);
	CHECK_EQ(close(open("ld/../f", O_RDONLY | O_NOFOLLOW)), 0); /* the last name only */
	CHECK_ERRNO(open("f", O_RDONLY | O_DIRECTORY), ENOTDIR);
	CHECK_ERRNO(open("d", O_WRONLY), EISDIR);
	CHECK_ERRNO(open("d", O_RDWR), EISDIR);
	CHECK_ERRNO(open("d", O_RDONLY | O_CREAT, 0644), EISDIR);
	CHECK_ERRNO(open("f/x", O_RDONLY), ENOTDIR);
	CHECK_ERRNO(open("f/", O_RDONLY), ENOTDIR);
	CHECK_ERRNO(open("new/", O_WRONLY | O_CREAT, 0644), EISDIR);
	CHECK_EQ(close(open("ld", O_RDONLY | O_DIRECTORY)), 0);
	fd = open("dangling", O_WRONLY | O_CREAT, 0600); /* makes what it leads to */
	CHECK(fd >= 0);
	close(fd);
	CHECK_EQ(stat("absent", &st), 0);
	CHECK_EQ(st.st_mode, S_IFREG | 0600);
	fd = open("f", O_WRONLY | O_TRUNC);
	CHECK_EQ(fstat(fd, &st), 0);
	CHECK_EQ(st.st_size, 0);
	CHECK_EQ(fcntl(fd, F_GETFL) & O_ACCMODE, O_WRONLY);
	CHECK_ERRNO(read(fd, &st, 1), EBADF);
	close(fd);
	fd = open("f", O_RDONLY | O_CLOEXEC | O_APPEND | O_NONBLOCK);
	CHECK_EQ(fcntl(fd, F_GETFD), FD_CLOEXEC);
	CHECK_EQ(fcntl(fd, F_GETFL) & (O_ACCMODE | O_APPEND | O_NONBLOCK),
		 O_RDONLY | O_APPEND | O_NONBLOCK);
	CHECK_EQ(fcntl(fd, F_SETFL, 0), 0);
	CHECK_EQ(fcntl(fd, F_GETFL) & (O_ACCMODE | O_APPEND | O_NONBLOCK), O_RDONLY);
	CHECK_ERRNO(write(fd, "x", 1), EBADF);
	close(fd);
	fd = open("f", O_WRONLY | O_SYNC);
	CHECK_EQ(write(fd, "kept", 4), 4);
	CHECK_EQ(fsync(fd), 0);
	CHECK_EQ(fdatasync(fd), 0);
	close(fd);
	leave_scratch(place);
}

TEST(flags)
{
	for (size_t i = 0; i < ARRAY_LEN(places); i++)
		flags_in(places[i]);
}

TEST(duplicates)
{
	int fd, copy;

	REQUIRE(enter_scratch("/tmp"));
	fd = open("f", O_RDWR | O_CREAT, 0644);
	copy = fcntl(fd, F_DUPFD, 50);
	CHECK_EQ(copy, 50);
	CHECK_EQ(fcntl(copy, F_GETFD), 0);
	CHECK_EQ(fcntl(fd, F_DUPFD_CLOEXEC, 50), 51);
	CHECK_EQ(fcntl(51, F_GETFD), FD_CLOEXEC);
	CHECK_EQ(write(fd, "abc", 3), 3);
	CHECK_EQ(lseek(copy, 0, SEEK_CUR), 3); /* one position */
	CHECK_EQ(fcntl(copy, F_SETFL, O_APPEND), 0);
	CHECK(fcntl(fd, F_GETFL) & O_APPEND); /* and one set of flags */
	CHECK_ERRNO(fcntl(fd, F_DUPFD, -1), EINVAL);
	CHECK_ERRNO(fcntl(fd, F_DUPFD, 1 << 30), EINVAL);
	CHECK_ERRNO(fcntl(99, F_GETFD), EBADF);
	CHECK_ERRNO(fcntl(fd, 9999), EINVAL);
	close(51);
	close(copy);
	close(fd);
	leave_scratch("/tmp");
}

#define WRITERS 3
#define LINES 200
#define LINE 50

static void appenders_in(const char *place)
{
	static char all[WRITERS * LINES * LINE + 1];
	int next[WRITERS] = {0}, fd;
	pid_t pid[WRITERS];

	REQUIRE(enter_scratch(place));
	for (int w = 0; w < WRITERS; w++)
		pid[w] = START({
			int out = open("log", O_WRONLY | O_CREAT | O_APPEND, 0644);
			char line[LINE + 1];

			for (int i = 0; i < LINES; i++) {
				snprintf(line, sizeof(line), "%d %03d %43s\n", w, i, "");
				CHILD_CHECK(write(out, line, LINE) == LINE);
			}
		});
	for (int w = 0; w < WRITERS; w++)
		CHECK_EXIT(wait_status(pid[w]), 0);
	fd = open("log", O_RDONLY);
	CHECK_EQ(read(fd, all, sizeof(all)), WRITERS * LINES * LINE);
	close(fd);
	for (int i = 0; i < WRITERS * LINES; i++) {
		int w = -1, n = -1;

		CHECK_EQ(sscanf(all + i * LINE, "%d %d", &w, &n), 2);
		REQUIRE(w >= 0 && w < WRITERS);
		CHECK_EQ(n, next[w]);
		next[w]++;
	}
	leave_scratch(place);
}

TEST(appending_writers_lose_nothing)
{
	for (size_t i = 0; i < ARRAY_LEN(places); i++)
		appenders_in(places[i]);
}

static void holes_in(const char *place)
{
	const off_t mib = 1 << 20;
	int fd;

	REQUIRE(enter_scratch(place));
	fd = open("f", O_RDWR | O_CREAT | O_TRUNC, 0644);
	CHECK_ERRNO(lseek(fd, 0, SEEK_DATA), ENXIO);
	CHECK_ERRNO(lseek(fd, 0, SEEK_HOLE), ENXIO);
	CHECK_EQ(pwrite(fd, "x", 1, mib), 1);
	CHECK_EQ(ftruncate(fd, 2 * mib), 0);
	CHECK_EQ(lseek(fd, 0, SEEK_HOLE), 0);
	CHECK_EQ(lseek(fd, 0, SEEK_DATA), mib);
	CHECK_EQ(lseek(fd, mib, SEEK_DATA), mib);
	CHECK(lseek(fd, mib, SEEK_HOLE) > mib && lseek(fd, mib, SEEK_HOLE) <= mib + 65536);
	CHECK_ERRNO(lseek(fd, mib + 65536, SEEK_DATA), ENXIO);
	CHECK_ERRNO(lseek(fd, 2 * mib, SEEK_HOLE), ENXIO);
	CHECK_ERRNO(lseek(fd, -1, SEEK_DATA), ENXIO);
	CHECK_EQ(pwrite(fd, "x", 1, 2 * mib - 1), 1);
	CHECK_EQ(lseek(fd, 2 * mib - 1, SEEK_HOLE), 2 * mib); /* one at the end, always */
	CHECK_ERRNO(lseek(fd, 0, 77), EINVAL);
	CHECK_ERRNO(lseek(fd, -1, SEEK_SET), EINVAL);
	close(fd);
	leave_scratch(place);
}

TEST(holes_are_found)
{
	for (size_t i = 0; i < ARRAY_LEN(places); i++)
		holes_in(places[i]);
}

TEST(vectors)
{
	static struct iovec iov[IOV_MAX + 1];
	static char bytes[IOV_MAX + 1], back[IOV_MAX + 1];
	int fd, fds[2];

	REQUIRE(enter_scratch("/tmp"));
	fd = open("f", O_RDWR | O_CREAT, 0644);
	CHECK(sysconf(_SC_IOV_MAX) >= 16);
	for (int i = 0; i <= IOV_MAX; i++) {
		bytes[i] = (char)(i * 7);
		iov[i] = (struct iovec){bytes + i, 1};
	}
	CHECK_EQ(writev(fd, iov, IOV_MAX), IOV_MAX);
	CHECK_ERRNO(writev(fd, iov, IOV_MAX + 1), EINVAL);
	CHECK_ERRNO(writev(fd, iov, -1), EINVAL);
	for (int i = 0; i < IOV_MAX; i++)
		iov[i].iov_base = back + i;
	CHECK_EQ(preadv(fd, iov, IOV_MAX, 0), IOV_MAX);
	CHECK(memcmp(bytes, back, IOV_MAX) == 0);
	CHECK_EQ(lseek(fd, 0, SEEK_CUR), IOV_MAX);
	CHECK_EQ(pwritev(fd, iov + 1, 2, 10), 2);
	CHECK_EQ(pread(fd, back, 2, 10), 2);
	CHECK_EQ(back[0], bytes[1]);
	CHECK_ERRNO(preadv(fd, iov, 1, -1), EINVAL);
	REQUIRE_EQ(pipe(fds), 0);
	CHECK_ERRNO(preadv(fds[0], iov, 1, 0), ESPIPE);
	CHECK_ERRNO(pread(fds[0], back, 1, 0), ESPIPE);
	CHECK_ERRNO(lseek(fds[0], 0, SEEK_CUR), ESPIPE);
	close(fds[0]);
	close(fds[1]);
	close(fd);
	leave_scratch("/tmp");
}

TEST(sizes)
{
	int fd, rd, err;

	REQUIRE(enter_scratch("/tmp"));
	fd = open("f", O_RDWR | O_CREAT, 0644);
	rd = open("f", O_RDONLY);
	CHECK_ERRNO(ftruncate(fd, -1), EINVAL);
	CHECK_EQ(ftruncate(rd, 0), -1);
	CHECK(errno == EINVAL || errno == EBADF);
	CHECK_ERRNO(truncate("absent", 0), ENOENT);
	CHECK_ERRNO(truncate(".", 0), EISDIR);
	CHECK_EQ(truncate("f", 100), 0);
	CHECK_EQ(posix_fallocate(fd, 0, 1000), 0);
	CHECK_EQ(lseek(fd, 0, SEEK_END), 1000);
	CHECK_EQ(posix_fallocate(fd, 0, 0), EINVAL);
	CHECK_EQ(posix_fallocate(fd, -1, 10), EINVAL);
	CHECK_EQ(posix_fallocate(rd, 0, 10), EBADF);
	CHECK_EQ(posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL), 0);
	CHECK_EQ(posix_fadvise(fd, 0, 0, 77), EINVAL);
	CHECK_EQ(posix_fadvise(99, 0, 0, POSIX_FADV_NORMAL), EBADF);
	err = posix_fadvise(fd, 0, -1, POSIX_FADV_NORMAL);
	CHECK_EQ(err, EINVAL);
	close(rd);
	close(fd);
	leave_scratch("/tmp");
}
