/* SPDX-License-Identifier: MIT */
/*
 * Sizes of the types that cross the system call border, under names of our own so that they clash
 * with no C library's. The newlib port maps dev_t, ino_t and so on to exactly these.
 */
#ifndef PARVIX_TYPES_H
#define PARVIX_TYPES_H

typedef unsigned long parvix_dev_t; /* major << 20 | minor */
typedef unsigned long parvix_ino_t;
typedef unsigned int parvix_mode_t;
typedef unsigned int parvix_nlink_t;
typedef unsigned int parvix_uid_t;
typedef unsigned int parvix_gid_t;
typedef int parvix_pid_t;
typedef long parvix_off_t;
typedef long parvix_time_t;
typedef long parvix_blksize_t;
typedef long parvix_blkcnt_t;
typedef unsigned long parvix_sigset_t; /* bit number = signal number */

struct parvix_timespec {
	parvix_time_t tv_sec;
	long tv_nsec;
};

struct parvix_timeval {
	parvix_time_t tv_sec;
	long tv_usec;
};

struct parvix_itimerspec {
	struct parvix_timespec it_interval;
	struct parvix_timespec it_value;
};

struct parvix_itimerval {
	struct parvix_timeval it_interval;
	struct parvix_timeval it_value;
};

struct parvix_iovec {
	void *iov_base;
	unsigned long iov_len;
};

struct parvix_flock { /* fcntl: F_GETLK, F_SETLK, F_SETLKW */
	short l_type, l_whence;
	parvix_off_t l_start, l_len; /* l_len 0: to the end, however far; < 0: before l_start */
	int l_pid;
};

/* st_blocks counts 512-byte units, as everywhere. */
struct parvix_stat {
	parvix_dev_t st_dev;
	parvix_ino_t st_ino;
	parvix_mode_t st_mode;
	parvix_nlink_t st_nlink;
	parvix_uid_t st_uid;
	parvix_gid_t st_gid;
	parvix_dev_t st_rdev;
	parvix_off_t st_size;
	struct parvix_timespec st_atim;
	struct parvix_timespec st_mtim;
	struct parvix_timespec st_ctim;
	parvix_blksize_t st_blksize;
	parvix_blkcnt_t st_blocks;
	long st_spare4[2];
};

/* One record of getdents: d_reclen bytes, a multiple of 8; d_off is where lseek goes on after it.
 */
struct parvix_dirent {
	parvix_ino_t d_ino;
	parvix_off_t d_off;
	unsigned short d_reclen;
	unsigned char d_type;
	char d_name[256];
};
#define PARVIX_DIRENT_HEAD 19 /* bytes before d_name */

#define DT_UNKNOWN 0
#define DT_FIFO 1
#define DT_CHR 2
#define DT_DIR 4
#define DT_BLK 6
#define DT_REG 8
#define DT_LNK 10
#define DT_SOCK 12

struct parvix_utsname {
	char sysname[65];
	char nodename[65];
	char release[65];
	char version[65];
	char machine[65];
};

struct parvix_statfs {
	unsigned long f_type; /* magic number of the file system */
	unsigned long f_bsize;
	unsigned long f_blocks;
	unsigned long f_bfree;
	unsigned long f_bavail;
	unsigned long f_files;
	unsigned long f_ffree;
	unsigned long f_fsid;
	unsigned long f_namelen;
	unsigned long f_flags; /* MS_RDONLY ... */
	char f_fstypename[16];
};

struct parvix_sysinfo {
	unsigned long uptime_ns;
	unsigned long loads[3]; /* 16.16 fixed point: 1, 5, 15 minutes */
	unsigned long page_size;
	unsigned long pages_total;
	unsigned long pages_free;
	unsigned long pages_cache; /* file pages that could be given back */
	unsigned long processes;
};

struct parvix_rusage {
	struct parvix_timeval ru_utime;
	struct parvix_timeval ru_stime;
	long ru_maxrss; /* KiB */
	long ru_minflt;
	long ru_majflt;
	long ru_nvcsw;
	long ru_nivcsw;
};

struct parvix_rlimit {
	unsigned long rlim_cur;
	unsigned long rlim_max;
};
#define RLIM_INFINITY (~0ul)
#define RLIMIT_CPU 0
#define RLIMIT_FSIZE 1
#define RLIMIT_DATA 2
#define RLIMIT_STACK 3
#define RLIMIT_CORE 4
#define RLIMIT_NOFILE 5
#define RLIMIT_AS 6
#define RLIMIT_NPROC 7
#define RLIMIT_MEMLOCK 8
#define RLIM_NLIMITS 9

/* times(): units of 1/100 s. */
struct parvix_tms {
	unsigned long tms_utime;
	unsigned long tms_stime;
	unsigned long tms_cutime;
	unsigned long tms_cstime;
};

struct parvix_pollfd {
	int fd;
	short events;
	short revents;
};
#define POLLIN 0x001
#define POLLPRI 0x002
#define POLLOUT 0x004
#define POLLERR 0x008
#define POLLHUP 0x010
#define POLLNVAL 0x020
#define POLLRDNORM 0x040
#define POLLRDBAND 0x080
#define POLLWRNORM 0x100
#define POLLWRBAND 0x200
#define POLLRDHUP 0x2000 /* a socket's peer sends no more */

/* select(): 1024 descriptors, bit n of word n / 64. */
#define PARVIX_FD_SETSIZE 1024

#endif
