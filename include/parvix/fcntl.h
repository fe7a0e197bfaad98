/* SPDX-License-Identifier: MIT */
/* Flags of open and fcntl, mode bits, access, mount, wait: newlib's values where newlib has them.
 */
#ifndef PARVIX_FCNTL_H
#define PARVIX_FCNTL_H

#define O_RDONLY 0
#define O_WRONLY 1
#define O_RDWR 2
#define O_ACCMODE 3
#define O_APPEND 0x0008
#define O_CREAT 0x0200
#define O_TRUNC 0x0400
#define O_EXCL 0x0800
#define O_SYNC 0x2000
#define O_NONBLOCK 0x4000
#define O_NOCTTY 0x8000
#define O_CLOEXEC 0x40000
#define O_DIRECT 0x80000 /* block devices: whole sectors only */
#define O_NOFOLLOW 0x100000
#define O_DIRECTORY 0x200000

#define FD_CLOEXEC 1
#define F_DUPFD 0
#define F_GETFD 1
#define F_SETFD 2
#define F_GETFL 3
#define F_SETFL 4
#define F_GETLK 7
#define F_SETLK 8
#define F_SETLKW 9
#define F_DUPFD_CLOEXEC 14
#define F_RDLCK 1 /* struct flock */
#define F_WRLCK 2
#define F_UNLCK 3
#define LOCK_SH 1 /* flock() */
#define LOCK_EX 2
#define LOCK_NB 4
#define LOCK_UN 8

#define S_IFMT 0170000
#define S_IFSOCK 0140000
#define S_IFLNK 0120000
#define S_IFREG 0100000
#define S_IFBLK 0060000
#define S_IFDIR 0040000
#define S_IFCHR 0020000
#define S_IFIFO 0010000
#define S_ISUID 04000
#define S_ISGID 02000
#define S_ISVTX 01000
#define S_ISREG(m) (((m)&S_IFMT) == S_IFREG)
#define S_ISDIR(m) (((m)&S_IFMT) == S_IFDIR)
#define S_ISLNK(m) (((m)&S_IFMT) == S_IFLNK)
#define S_ISCHR(m) (((m)&S_IFMT) == S_IFCHR)
#define S_ISBLK(m) (((m)&S_IFMT) == S_IFBLK)
#define S_ISFIFO(m) (((m)&S_IFMT) == S_IFIFO)

#define F_OK 0
#define X_OK 1
#define W_OK 2
#define R_OK 4

#define SEEK_SET 0
#define SEEK_CUR 1
#define SEEK_END 2
#define SEEK_DATA 3
#define SEEK_HOLE 4

#define AT_FDCWD (-2)
#define AT_EACCESS 1
#define AT_SYMLINK_NOFOLLOW 2
#define AT_SYMLINK_FOLLOW 4
#define AT_REMOVEDIR 8

#define UTIME_NOW (-2l)
#define UTIME_OMIT (-1l)

#define PIPE_BUF 4096
#define PATH_MAX 4096
#define NAME_MAX 255
#define OPEN_MAX 1024
#define ARG_MAX 131072
#define IOV_MAX 1024
#define SYMLOOP_MAX 16

/* mount, umount */
#define MS_RDONLY 1
#define MS_NOSUID 2
#define MS_NOEXEC 8
#define MS_REMOUNT 32

#define WNOHANG 1
#define WUNTRACED 2
#define WCONTINUED 4
#define WEXITED 8  /* waitid only, as the next */
#define WNOWAIT 16 /* leave it to be waited for again */
#define P_ALL 0
#define P_PID 1
#define P_PGID 2
/* wait status: exited code << 8; killed by sig (| 0x80 never set: no core); stopped sig << 8 |
 * 0x7f; continued 0xffff */

#define GRND_NONBLOCK 1

#endif
