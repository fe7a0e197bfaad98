/* SPDX-License-Identifier: MIT */
/* What a program may ask about the system's limits. */
#include <aio.h>
#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/sysinfo.h>
#include <time.h>
#include <unistd.h>

static long pages(int which)
{
	struct sysinfo si;

	if (sysinfo(&si) < 0)
		return -1;
	return which == _SC_PHYS_PAGES ? si.pages_total : si.pages_free + si.pages_cache;
}

static long limit(int resource, long otherwise)
{
	struct rlimit r;

	if (getrlimit(resource, &r) < 0 || r.rlim_cur == RLIM_INFINITY)
		return otherwise;
	return (long)r.rlim_cur;
}

long sysconf(int name)
{
	switch (name) {
	case _SC_ARG_MAX:
		return ARG_MAX;
	case _SC_CHILD_MAX:
		return limit(RLIMIT_NPROC, CHILD_MAX);
	case _SC_CLK_TCK:
		return CLK_TCK;
	case _SC_NGROUPS_MAX:
		return NGROUPS_MAX;
	case _SC_OPEN_MAX:
		return limit(RLIMIT_NOFILE, OPEN_MAX);
	case _SC_AIO_MAX:
		return AIO_MAX;
	case _SC_AIO_LISTIO_MAX:
		return AIO_LISTIO_MAX;
	case _SC_AIO_PRIO_DELTA_MAX:
		return AIO_PRIO_DELTA_MAX;
	case _SC_TIMER_MAX:
		return TIMER_MAX;
	case _SC_DELAYTIMER_MAX:
		return DELAYTIMER_MAX;
	case _SC_STREAM_MAX:
		return OPEN_MAX;
	case _SC_PAGESIZE:
		return PAGESIZE;
	case _SC_NPROCESSORS_CONF:
	case _SC_NPROCESSORS_ONLN:
		return 1;
	case _SC_PHYS_PAGES:
	case _SC_AVPHYS_PAGES:
		return pages(name);
	case _SC_GETPW_R_SIZE_MAX:
		return 1024;
	case _SC_GETGR_R_SIZE_MAX:
		return 2048;
	case _SC_LOGIN_NAME_MAX:
		return LOGIN_NAME_MAX;
	case _SC_TTY_NAME_MAX:
		return TTY_NAME_MAX;
	case _SC_HOST_NAME_MAX:
		return HOST_NAME_MAX;
	case _SC_IOV_MAX:
		return IOV_MAX;
	case _SC_LINE_MAX:
		return LINE_MAX;
	case _SC_SYMLOOP_MAX:
		return SYMLOOP_MAX;
	case _SC_RTSIG_MAX:
		return RTSIG_MAX;
	case _SC_SIGQUEUE_MAX:
		return SIGQUEUE_MAX;
	case _SC_SEM_NSEMS_MAX: /* as many as fit into memory */
		return -1;
	case _SC_SEM_VALUE_MAX:
		return SEM_VALUE_MAX;
	case _SC_THREAD_DESTRUCTOR_ITERATIONS:
		return PTHREAD_DESTRUCTOR_ITERATIONS;
	case _SC_THREAD_KEYS_MAX:
		return PTHREAD_KEYS_MAX;
	case _SC_THREAD_STACK_MIN:
		return PTHREAD_STACK_MIN;
	case _SC_THREAD_THREADS_MAX:
		return PTHREAD_THREADS_MAX;
	case _SC_RE_DUP_MAX:
		return RE_DUP_MAX;
	case _SC_ATEXIT_MAX:
		return 32;
	case _SC_JOB_CONTROL:
	case _SC_SAVED_IDS:
	case _SC_REGEXP:
	case _SC_SHELL:
		return 1;
	case _SC_VERSION:
	case _SC_2_VERSION:
	case _SC_2_C_BIND:
	case _SC_ADVISORY_INFO:
	case _SC_ASYNCHRONOUS_IO:
	case _SC_SYNCHRONIZED_IO:
	case _SC_FSYNC:
	case _SC_TIMERS:
	case _SC_MONOTONIC_CLOCK:
	case _SC_CLOCK_SELECTION:
	case _SC_CPUTIME:
	case _SC_SPAWN:
	case _SC_MEMORY_PROTECTION:
	case _SC_REALTIME_SIGNALS:
	case _SC_BARRIERS:
	case _SC_MAPPED_FILES:
	case _SC_PRIORITY_SCHEDULING:
	case _SC_READER_WRITER_LOCKS:
	case _SC_SEMAPHORES:
	case _SC_SHARED_MEMORY_OBJECTS:
	case _SC_SPIN_LOCKS:
	case _SC_THREADS:
	case _SC_THREAD_ATTR_STACKADDR:
	case _SC_THREAD_ATTR_STACKSIZE:
	case _SC_THREAD_CPUTIME:
	case _SC_THREAD_PROCESS_SHARED:
	case _SC_THREAD_SAFE_FUNCTIONS:
	case _SC_TIMEOUTS:
		return 200809L;
	case _SC_MESSAGE_PASSING:
	case _SC_IPV6:
		return -1;
	}
	errno = EINVAL;
	return -1;
}

/* The same on every file system. */
static long path_limit(int name)
{
	switch (name) {
	case _PC_LINK_MAX:
		return LINK_MAX;
	case _PC_MAX_CANON:
		return MAX_CANON;
	case _PC_MAX_INPUT:
		return MAX_INPUT;
	case _PC_NAME_MAX:
		return NAME_MAX;
	case _PC_PATH_MAX:
		return PATH_MAX;
	case _PC_PIPE_BUF:
		return PIPE_BUF;
	case _PC_CHOWN_RESTRICTED:
	case _PC_NO_TRUNC:
	case _PC_2_SYMLINKS:
		return 1;
	case _PC_VDISABLE:
		return _POSIX_VDISABLE;
	case _PC_FILESIZEBITS:
		return FILESIZEBITS;
	case _PC_SYMLINK_MAX:
		return SYMLINK_MAX;
	case _PC_ASYNC_IO:
	case _PC_PRIO_IO:
	case _PC_SYNC_IO:
		return -1;
	}
	errno = EINVAL;
	return -1;
}

long pathconf(const char *path, int name)
{
	return access(path, F_OK) < 0 ? -1 : path_limit(name);
}

long fpathconf(int fd, int name)
{
	return lseek(fd, 0, SEEK_CUR) < 0 && errno == EBADF ? -1 : path_limit(name);
}

size_t confstr(int name, char *buf, size_t size)
{
	static const char path[] = "/bin:/usr/bin";

	if (name != _CS_PATH) {
		errno = EINVAL;
		return 0;
	}
	if (size)
		strlcpy(buf, path, size);
	return sizeof(path);
}

int getpagesize(void)
{
	return PAGESIZE;
}

int getdtablesize(void)
{
	return (int)sysconf(_SC_OPEN_MAX);
}
