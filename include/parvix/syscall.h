/* SPDX-License-Identifier: MIT */
/*
 * System call numbers, and how a call is made.
 *
 *   syscall instruction; %rax = number
 *   arguments  %rdi %rsi %rdx %r10 %r8 %r9     (C's own, with %r10 in place of %rcx)
 *   result     %rax: >= 0, or -errno (-1 .. -4095)
 *   clobbered  %rcx, %r11 (the instruction itself uses them); everything else is kept
 *
 * The list is one macro, so that the kernel's table, the C library and strace-like tools are all
 * made from it: PARVIX_SYSCALLS(X) expands to X(number, name, count of arguments) for each. A
 * number is never reused, and there are gaps, since families that came later have tens of their
 * own. Types are those of the headers beside this one; every pointer is a user's, never trusted by
 * the kernel.
 */
#ifndef PARVIX_SYSCALL_H
#define PARVIX_SYSCALL_H

/* clang-format off */
#define PARVIX_SYSCALLS(X)                                                              \
	X(0,  exit, 1)          /* int status */                                        \
	X(1,  fork, 0)                                                                  \
	X(2,  execve, 3)        /* path, argv[], envp[] */                              \
	X(3,  wait4, 4)         /* pid, int *status, options, struct rusage * */        \
	X(4,  getpid, 0)                                                                \
	X(5,  getppid, 0)                                                               \
	X(6,  getpgid, 1)       /* pid, 0: oneself */                                   \
	X(7,  setpgid, 2)       /* pid, pgid */                                         \
	X(8,  getsid, 1)                                                                \
	X(9,  setsid, 0)                                                                \
	X(10, kill, 2)          /* pid (> 0, 0, -1, -pgid), sig */                      \
	X(11, sigaction, 4)     /* sig, const struct ksigaction *, struct ksigaction *old, restorer */ \
	X(12, sigprocmask, 3)   /* how, const sigset *, sigset *old */                  \
	X(13, sigpending, 1)                                                            \
	X(14, sigsuspend, 1)    /* const sigset * */                                    \
	X(15, sigreturn, 0)     /* by the restorer only */                              \
	X(16, sigaltstack, 2)                                                           \
	X(17, alarm, 1)         /* seconds; the rest of the old one is returned */      \
	X(18, setitimer, 3)     /* which, const struct itimerval *, old */              \
	X(19, getitimer, 2)                                                             \
	X(20, nanosleep, 2)     /* const struct timespec *, rest */                     \
	X(21, clock_gettime, 2) /* clock, struct timespec * */                          \
	X(22, clock_settime, 2)                                                         \
	X(23, clock_getres, 2)                                                          \
	X(24, times, 1)         /* struct tms *; returns ticks since boot, 100 a second */ \
	X(25, getrusage, 2)                                                             \
	X(26, getrlimit, 2)                                                             \
	X(27, setrlimit, 2)                                                             \
	X(28, getuid, 0)                                                                \
	X(29, geteuid, 0)                                                               \
	X(30, getgid, 0)                                                                \
	X(31, getegid, 0)                                                               \
	X(32, setuid, 1)                                                                \
	X(33, setgid, 1)                                                                \
	X(34, umask, 1)                                                                 \
	X(35, uname, 1)         /* struct utsname * */                                  \
	X(36, sethostname, 2)   /* name, length */                                      \
	X(37, reboot, 1)        /* REBOOT_* of <parvix/reboot.h> */                     \
	X(38, sched_yield, 0)                                                           \
	X(39, brk, 1)           /* new end or 0; returns the end, unchanged if refused */ \
	X(40, mmap, 6)          /* addr, length, prot, flags, fd, offset */             \
	X(41, munmap, 2)                                                                \
	X(42, mprotect, 3)                                                              \
	X(43, set_tls, 1)       /* %fs base of the calling thread */                    \
	X(44, sigwait, 2)       /* const sigset *, int *sig */                          \
	X(45, sysinfo, 1)       /* struct sysinfo * */                                  \
	X(46, getrandom, 3)     /* buffer, length, flags */                             \
	X(47, isatty, 1)                                                                \
	X(48, setregid, 2)                                                              \
	X(49, setreuid, 2)                                                              \
	X(50, open, 3)          /* path, flags, mode */                                 \
	X(51, close, 1)                                                                 \
	X(52, read, 3)                                                                  \
	X(53, write, 3)                                                                 \
	X(54, lseek, 3)                                                                 \
	X(55, pread, 4)                                                                 \
	X(56, pwrite, 4)                                                                \
	X(57, readv, 3)                                                                 \
	X(58, writev, 3)                                                                \
	X(59, dup, 1)                                                                   \
	X(60, dup2, 2)                                                                  \
	X(61, pipe2, 2)         /* int fds[2], flags: O_CLOEXEC, O_NONBLOCK */          \
	X(62, fcntl, 3)                                                                 \
	X(63, ioctl, 3)                                                                 \
	X(64, stat, 2)                                                                  \
	X(65, lstat, 2)                                                                 \
	X(66, fstat, 2)                                                                 \
	X(67, access, 2)                                                                \
	X(68, chdir, 1)                                                                 \
	X(69, fchdir, 1)                                                                \
	X(70, getcwd, 2)        /* buffer, size; returns length with the final 0 */     \
	X(71, mkdir, 2)                                                                 \
	X(72, rmdir, 1)                                                                 \
	X(73, unlink, 1)                                                                \
	X(74, link, 2)                                                                  \
	X(75, symlink, 2)       /* target, path */                                      \
	X(76, readlink, 3)                                                              \
	X(77, rename, 2)                                                                \
	X(78, chmod, 2)                                                                 \
	X(79, fchmod, 2)                                                                \
	X(80, chown, 3)                                                                 \
	X(81, lchown, 3)                                                                \
	X(82, fchown, 3)                                                                \
	X(83, truncate, 2)                                                              \
	X(84, ftruncate, 2)                                                             \
	X(85, utimens, 4)       /* path or 0, fd if path is 0, struct timespec[2] or 0, flags: AT_SYMLINK_NOFOLLOW */ \
	X(86, mknod, 3)         /* path, mode, dev */                                   \
	X(87, getdents, 3)      /* fd, struct dirent records, size; returns bytes, 0 at the end */ \
	X(88, sync, 0)                                                                  \
	X(89, fsync, 1)                                                                 \
	X(90, mount, 5)         /* source, target, type, flags, options text or 0 */    \
	X(91, umount, 2)        /* target, flags */                                     \
	X(92, statfs, 2)                                                                \
	X(93, fstatfs, 2)                                                               \
	X(94, poll, 3)          /* struct pollfd *, count, milliseconds (-1: for ever) */ \
	X(95, select, 5)        /* n, read, write, except, struct timeval * */          \
	X(96, chroot, 1)                                                                \
	X(97, getgroups, 2)                                                             \
	X(98, setgroups, 2)                                                             \
	X(99, fallocate, 3)     /* fd, offset, length: space is there, or ENOSPC */     \
	X(100, thread_create, 5) /* entry, argument, stack pointer, %fs base, int *tid: set before it runs, 0 and a futex wake-up when it ends */ \
	X(101, thread_exit, 2)  /* range that is unmapped: address, length */           \
	X(102, gettid, 0)                                                               \
	X(103, futex, 5)        /* int *, op of <parvix/futex.h>, value, const struct timespec *deadline or 0, int *second */ \
	X(104, set_robust_list, 2) /* struct robust_list_head *, its size */            \
	X(105, tkill, 2)        /* thread of the own process, sig */                    \
	X(106, sigqueue, 3)     /* pid, sig, value */                                   \
	X(107, sigtimedwait, 3) /* const sigset *, siginfo * or 0, const struct timespec * (a span) or 0 */ \
	X(108, waitid, 5)       /* P_*, id, siginfo * or 0, options, struct rusage * or 0 */ \
	X(120, setresuid, 3)    /* real, effective, saved; -1: keep */			\
	X(121, getresuid, 3)								\
	X(122, setresgid, 3)								\
	X(123, getresgid, 3)								\
	X(124, getpriority, 2)  /* PRIO_*, who; returns 20 - nice, 1 .. 40 */		\
	X(125, setpriority, 3)  /* PRIO_*, who, nice */					\
	X(126, vfork, 1)        /* VFORK_SPAWN: caught signals get their default in the child */ \
	X(127, timer_create, 5) /* clock, SIGEV_* (0: SIGALRM with the number), sig, value, tid of SIGEV_THREAD_ID; returns the number */ \
	X(128, timer_settime, 4) /* timer, TIMER_ABSTIME, const struct itimerspec *, old or 0 */ \
	X(129, timer_gettime, 2)                                                        \
	X(130, timer_getoverrun, 1)                                                     \
	X(131, timer_delete, 1)                                                         \
	X(132, clock_nanosleep, 4) /* clock, TIMER_ABSTIME, const struct timespec *, rest */ \
	/* Names relative to a directory: its descriptor (or AT_FDCWD), then as those without. */ \
	X(140, openat, 4)       /* dir, path, flags, mode */                            \
	X(141, fstatat, 4)      /* dir, path, struct stat *, AT_SYMLINK_NOFOLLOW */     \
	X(142, faccessat, 4)    /* dir, path, mode, AT_EACCESS, AT_SYMLINK_NOFOLLOW */  \
	X(143, mkdirat, 3)                                                              \
	X(144, mknodat, 4)                                                              \
	X(145, unlinkat, 3)     /* dir, path, AT_REMOVEDIR */                           \
	X(146, linkat, 5)       /* dir, path, dir, new path, AT_SYMLINK_FOLLOW */       \
	X(147, symlinkat, 3)    /* target, dir, path */                                 \
	X(148, readlinkat, 4)                                                           \
	X(149, renameat, 4)     /* dir, path, dir, new path */                          \
	X(150, fchmodat, 4)     /* dir, path, mode, AT_SYMLINK_NOFOLLOW */              \
	X(151, fchownat, 5)     /* dir, path, uid, gid, AT_SYMLINK_NOFOLLOW */          \
	X(152, utimensat, 4)    /* dir, path (0: the file of the descriptor), times, flags */ \
	X(153, flock, 2)        /* fd, LOCK_* */                                        \
	X(155, preadv, 4)       /* fd, iovec[], count, offset */                        \
	X(156, pwritev, 4)                                                              \
	X(160, msync, 3)        /* addr, length, MS_* */				\
	X(161, madvise, 3)      /* addr, length, MADV_* */				\
	X(162, mincore, 3)      /* addr, length, char *: a byte for each page */	\
	X(163, mlock, 2)								\
	X(164, munlock, 2)								\
	X(165, mlockall, 1)     /* MCL_*; 0: munlockall */				\
	X(166, fdatasync, 1)                                                   \
	X(170, socket, 3)      /* AF_*, SOCK_* with flags, protocol */                  \
	X(171, socketpair, 4)  /* as above, int fds[2] */                               \
	X(172, bind, 3)        /* fd, struct sockaddr *, length */                      \
	X(173, listen, 2)                                                               \
	X(174, accept4, 4)     /* fd, struct sockaddr * or 0, int *length, SOCK_NONBLOCK, SOCK_CLOEXEC */ \
	X(175, connect, 3)                                                              \
	X(176, getsockname, 3)                                                          \
	X(177, getpeername, 3)                                                          \
	X(178, sendto, 6)      /* fd, buffer, length, MSG_*, struct sockaddr * or 0, length */ \
	X(179, recvfrom, 6)    /* fd, buffer, length, MSG_*, struct sockaddr * or 0, int *length */ \
	X(180, sendmsg, 3)     /* fd, struct msghdr *, MSG_* */                         \
	X(181, recvmsg, 3)                                                              \
	X(182, setsockopt, 5)  /* fd, level, option, value, length */                   \
	X(183, getsockopt, 5)  /* fd, level, option, value, int *length */              \
	X(184, shutdown, 2)    /* fd, SHUT_* */                                         \
	X(185, ppoll, 4)       /* struct pollfd *, count, const struct timespec * or 0, const sigset * or 0 */ \
	X(186, pselect, 6)     /* n, read, write, except, const struct timespec * or 0, const sigset * or 0 */ \
	X(195, trace_open, 2)   /* pid, TRACE_CHILDREN or 0: a descriptor, see <parvix/tracer.h> */ \
	/* the end */
/* clang-format on */

#ifndef __ASSEMBLER__
enum {
#define X(n, name, args) SYS_##name = n,
	PARVIX_SYSCALLS(X)
#undef X
		SYS_count = 200
};
#endif

/* What entry.S and crt0 need without the list. */
#define SYS_EXIT_NR 0
#define SYS_SIGRETURN_NR 15
#define SYS_VFORK_NR 126

#define VFORK_SPAWN 1

#endif
