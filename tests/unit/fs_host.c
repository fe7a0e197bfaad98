/* SPDX-License-Identifier: MIT */
/*
 * What kernel/fs stands on, on the host: a few megabytes of pages (so that the page cache has to
 * give some back), one process, a disk in memory. One thread runs: whoever would sleep waits for
 * ever, which is an error.
 */
#include "fs_host.h"

#include <fs.h>
#include <machine.h>
#include <mm.h>
#include <printk.h>
#include <proc.h>
#include <string.h>
#include <usercopy.h>

#define FRAMES 1024ul /* 4 MiB */

void *mmap(void *addr, size_t n, int prot, int flags, int fd, long offset);
long syscall(long nr, ...);
int vprintf(const char *fmt, va_list ap);

static struct page frames[FRAMES];
struct page *pages = frames;
unsigned long nr_pages = FRAMES;
const unsigned long *machine_p2m, *machine_m2p;
spinlock_t proc_lock;
static unsigned next_frame;
static struct cpu host_cpu;
static struct thread host_thread;
static struct proc host_proc;
static struct fdtable host_fds;
static bool quiet;
static bool host_disk_step(void);
static ktime_t now = 1700000000l * NSEC_PER_SEC;

/* No page tables here, so nothing is mapped. */
void mappings_truncate(struct vnode *vn, uint64_t first)
{
}

void mappings_clean(struct vnode *vn, uint64_t first, uint64_t last)
{
}

/* ---- messages ---- */

void host_quiet(int on)
{
	quiet = on;
}

void printk(const char *fmt, ...)
{
	va_list ap;

	if (quiet)
		return;
	va_start(ap, fmt);
	vprintk(fmt, ap);
	va_end(ap);
}

static unsigned host_random(void)
{
	static unsigned long state = 1;

	state = state * 6364136223846793005ul + 1442695040888963407ul;
	return (unsigned)(state >> 33);
}

/* ---- pages ---- */

static bool run_free(unsigned long first, unsigned long n)
{
	for (unsigned long i = first; i < first + n; i++)
		if (frames[i].refs)
			return false;
	return true;
}

static struct page *take(unsigned order, unsigned flags)
{
	unsigned long n = 1ul << order;

	for (unsigned long k = 0; k < FRAMES / n; k++) {
		unsigned long i = (next_frame / n * n + k * n) % FRAMES;

		if (i + n > FRAMES || !run_free(i, n))
			continue;
		for (unsigned long j = i; j < i + n; j++)
			frames[j] = (struct page){.refs = 1};
		frames[i].order = order;
		list_init(&frames[i].link);
		memset(page_va(&frames[i]), flags & ALLOC_ZERO ? 0 : 0xa5, n * PAGE_SIZE);
		next_frame = (unsigned)(i + n) % FRAMES;
		return &frames[i];
	}
	return NULL;
}

struct page *page_alloc(unsigned order, unsigned flags)
{
	struct page *pg = take(order, flags);

	if (!pg && pcache_reclaim(32))
		pg = take(order, flags);
	return pg;
}

void page_get(struct page *pg)
{
	KASSERT(pg->refs > 0);
	pg->refs++;
}

void page_put(struct page *pg)
{
	KASSERT(pg->refs > 0);
	if (--pg->refs)
		return;
	KASSERT(!pg->owner && !(pg->flags & (PG_LOCKED | PG_DIRTY | PG_CACHE)));
	for (unsigned long i = 1; i < 1ul << pg->order; i++)
		pg[i].refs = 0;
}

unsigned long pages_total(void)
{
	return FRAMES;
}

unsigned long host_free_pages(void)
{
	unsigned long n = 0;

	for (unsigned long i = 0; i < FRAMES; i++)
		n += !frames[i].refs;
	return n;
}

/* Whoever waits lets the disk go on meanwhile; if that has nothing to do, it is for ever. */
static void host_sleep(void)
{
	if (!host_disk_step())
		panic("sleep: nobody is there to wake it up");
}

bool page_trylock(struct page *pg)
{
	bool was = pg->flags & PG_LOCKED;

	KASSERT(pg->refs > 0);
	pg->flags |= PG_LOCKED;
	return !was;
}

void page_lock(struct page *pg)
{
	while (!page_trylock(pg))
		host_sleep();
}

void page_unlock(struct page *pg)
{
	KASSERT(pg->flags & PG_LOCKED);
	pg->flags &= ~PG_LOCKED;
}

/* ---- one thread, which never waits ---- */

int sleep_on(struct waitq *wq, spinlock_t *lk, unsigned flags, ktime_t deadline)
{
	spin_unlock(lk);
	host_sleep();
	spin_lock(lk);
	return 0;
}

void waitq_init(struct waitq *wq)
{
}

void waitq_wake_all(struct waitq *wq)
{
}

void waiter_add(struct waitq *wq, struct waiter *w)
{
}

void waiter_remove(struct waiter *w)
{
}

int sleep_on_mutex(struct waitq *wq, mutex_t *m, unsigned flags, ktime_t deadline)
{
	mutex_unlock(m);
	host_sleep();
	mutex_lock(m);
	return 0;
}

bool thread_interrupted(void)
{
	return false;
}

void thread_prepare_sleep(void)
{
}

void thread_cancel_sleep(void)
{
}

int thread_sleep(unsigned flags, ktime_t deadline)
{
	host_sleep();
	return 0;
}

void sched_relax(void)
{
}

struct thread *kthread_create(const char *name, void (*fn)(void *), void *arg)
{
	return &host_thread;
}

int signal_send(struct proc *p, int sig, const struct parvix_siginfo *info)
{
	return 0;
}

ktime_t clock_now(void)
{
	return now += NSEC_PER_MSEC;
}

ktime_t clock_wall(void)
{
	return now += NSEC_PER_MSEC;
}

/* ---- user memory: all but the first page ---- */

int copy_from_user(void *dst, uaddr_t src, size_t n)
{
	if (src.v < PAGE_SIZE || !user_range_ok(src, n))
		return -EFAULT;
	memcpy(dst, (void *)src.v, n);
	return 0;
}

int copy_to_user(uaddr_t dst, const void *src, size_t n)
{
	if (dst.v < PAGE_SIZE || !user_range_ok(dst, n))
		return -EFAULT;
	memcpy((void *)dst.v, src, n);
	return 0;
}

int clear_user(uaddr_t dst, size_t n)
{
	if (dst.v < PAGE_SIZE || !user_range_ok(dst, n))
		return -EFAULT;
	memset((void *)dst.v, 0, n);
	return 0;
}

/* ---- rooms that are not built in ---- */

struct char_device *chrdev_find(dev_t dev)
{
	return NULL;
}

int fifo_open(struct vnode *vn, struct file *f)
{
	return -ENXIO;
}

void tmpfs_init(void)
{
}

void devfs_init(void)
{
}

void procfs_init(void)
{
}

/* ---- the root of the tree: "/", "/mnt" and the device "/disk" ---- */

static const struct vnode_ops root_ops;

static int root_get(struct mount *mnt, ino_t ino, struct vnode **out)
{
	bool fresh;
	int err = vnode_find(mnt, ino, out, &fresh);

	if (!err && fresh) {
		(*out)->ops = &root_ops;
		(*out)->mode = ino == 3 ? S_IFBLK | 0600 : S_IFDIR | 0755;
		(*out)->rdev = ino == 3 ? MKDEV(9, 0) : 0;
		(*out)->nlink = 1;
		vnode_ready(*out);
	}
	return err;
}

static int root_lookup(struct vnode *dir, const char *name, size_t len, struct vnode **out)
{
	if (len == 2 && !memcmp(name, "..", 2))
		return root_get(dir->mount, 1, out);
	if (dir->ino == 1 && len == 3 && !memcmp(name, "mnt", 3))
		return root_get(dir->mount, 2, out);
	if (dir->ino == 1 && len == 4 && !memcmp(name, "disk", 4))
		return root_get(dir->mount, 3, out);
	return -ENOENT;
}

static int root_readdir(struct vnode *dir, uint64_t *pos, struct dir_sink *sink)
{
	if (dir->ino == 1 && *pos == 0 && sink->put(sink, "mnt", 3, 2, DT_DIR, 1))
		*pos = 1;
	return 0;
}

static const struct vnode_ops root_ops = {.lookup = root_lookup, .readdir = root_readdir};

static int root_mount(struct mount *mnt, const char *options)
{
	return root_get(mnt, 1, &mnt->root);
}

static struct fs_type root_type = {.name = "hostroot", .mount = root_mount};

/* ---- the disk ---- */

static struct block_device disk;
unsigned long host_disk_fail, host_transfers;

static struct list disk_queue = LIST_INIT(disk_queue);
static unsigned disk_queued;
unsigned host_disk_async;
unsigned long host_disk_most;
void (*host_disk_written)(void), (*host_disk_flushed)(void);

static void disk_finish(struct block_request *rq)
{
	char *at = (char *)rq->bd->private + rq->offset;

	host_transfers++;
	rq->status = host_disk_fail && (host_disk_fail == 1 || !--host_disk_fail) ? -EIO : 0;
	if (rq->bd->gone)
		rq->status = -ENODEV;
	for (unsigned i = 0; i < rq->nr_vecs && !rq->status; at += rq->vecs[i++].len) {
		if (rq->op == BLOCK_WRITE)
			memcpy(at, rq->vecs[i].va, rq->vecs[i].len);
		else
			memcpy(rq->vecs[i].va, at, rq->vecs[i].len);
	}
	if (rq->op == BLOCK_WRITE && host_disk_written)
		host_disk_written();
	if (rq->op == BLOCK_FLUSH && host_disk_flushed)
		host_disk_flushed();
	rq->done(rq);
}

static void disk_submit(struct block_device *bd, struct block_request *rq)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < rq->nr_vecs; i++) {
		uintptr_t va = (uintptr_t)rq->vecs[i].va;

		KASSERT(va % 512 == 0 && rq->vecs[i].len % 512 == 0 && rq->vecs[i].len);
		KASSERT(va / PAGE_SIZE == (va + rq->vecs[i].len - 1) / PAGE_SIZE);
		sum += rq->vecs[i].len;
	}
	KASSERT((rq->offset | rq->size) % bd->sector == 0);
	KASSERT(sum == rq->size && rq->nr_vecs <= bd->max_vecs);
	if (!host_disk_async) {
		disk_finish(rq);
		return;
	}
	list_add_tail(&disk_queue, &rq->link);
	disk_queued++;
	host_disk_most = max(host_disk_most, (unsigned long)disk_queued);
}

/* One of those that wait, any. */
static bool host_disk_step(void)
{
	struct block_request *rq;
	unsigned n;

	if (!disk_queued)
		return false;
	n = host_random() % disk_queued;
	list_for_each (rq, &disk_queue, link)
		if (!n--)
			break;
	list_del(&rq->link);
	disk_queued--;
	disk_finish(rq);
	return true;
}

int host_disk_released;
unsigned host_disk_sector = SECTOR_SIZE;

static void disk_release(struct block_device *bd)
{
	KASSERT(!disk_queued && !bd->in_flight);
	host_disk_released = 1;
}

static const struct block_driver disk_driver = {.submit = disk_submit, .release = disk_release};

void host_disk_unplug(void)
{
	block_unregister(&disk);
}

int host_disk_plug(void)
{
	static char nothing[SECTOR_SIZE];
	void *image = disk.private ? disk.private : nothing;
	uint64_t size = disk.size;

	host_disk_released = 0;
	disk = (struct block_device){.name = "disk",
				     .dev = MKDEV(9, 0),
				     .size = size,
				     .sector = host_disk_sector,
				     .max_vecs = 32,
				     .can_flush = true,
				     .driver = &disk_driver,
				     .private = image};
	return block_register(&disk);
}

void host_disk_set(void *image, unsigned long size)
{
	disk.private = image;
	disk.size = size;
}

bool cred_root(void)
{
	return host_proc.cred.euid == 0;
}

void host_user(unsigned uid)
{
	host_proc.cred.uid = host_proc.cred.euid = uid;
	host_proc.cred.gid = host_proc.cred.egid = uid;
}

void host_start(void)
{
	static bool started;
	void *at = (void *)DIRECT_MAP;

	if (started)
		return;
	started = true;
	if (mmap(at, FRAMES * PAGE_SIZE, 3, 0x100022, -1, 0) != at) /* private, anonymous, fixed */
		panic("no memory at %p", at);
	host_cpu.self = &host_cpu;
	host_cpu.thread = &host_thread;
	host_thread.proc = &host_proc;
	host_proc.fds = &host_fds;
	host_proc.umask = 022;
	for (unsigned i = 0; i < RLIM_NLIMITS; i++)
		host_proc.limits[i].rlim_cur = RLIM_INFINITY;
	syscall(158, 0x1001, &host_cpu); /* arch_prctl(ARCH_SET_GS) */
	fs_init();
	disk.size = SECTOR_SIZE;
	fs_register(&root_type);
	if (host_disk_plug() || fs_mount_root("none", "hostroot", 0))
		panic("no root");
}
