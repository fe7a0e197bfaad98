/* SPDX-License-Identifier: MIT */
/*
 * Memory: pages, small objects, kernel stacks, address spaces (kernel/mm).
 *
 * Lock order within the room: aspace->lock (mutex) > page lock > slab > page allocator. See
 * <lock.h>.
 */
#ifndef MM_H
#define MM_H

#include <list.h>
#include <lock.h>
#include <mmu.h>
#include <types.h>

/* ---- pages (page.c): buddy allocator with a per-CPU stock of single pages ---- */

#define PG_CACHE 0x01u    /* in the page cache: owner, index are valid */
#define PG_UPTODATE 0x02u /* contents read */
#define PG_DIRTY 0x04u    /* differs from the disk */
#define PG_LOCKED 0x08u   /* under I/O; waiters sleep in page_lock() */
#define PG_ERROR 0x10u    /* the last I/O failed */
#define PG_ANON 0x20u     /* belongs to user address spaces */
#define PG_RESERVED 0x40u /* never the allocator's */
#define PG_SLAB 0x80u
#define PG_TABLE 0x100u      /* a page table: never mapped writable */
#define PG_REFERENCED 0x200u /* page cache: used since the last scan */
#define PG_BUDDY 0x400u      /* heads a free block */

struct pcache;

struct page {
	volatile int refs; /* 0: free. A page-cache page has one for the cache, one for each PTE,
			      one for each user */
	volatile unsigned flags;
	struct list link; /* free list, or LRU of the page cache */
	struct pcache *owner;
	uint64_t index; /* in the owner, in pages */
	struct page *hash_next;
	unsigned order; /* of the free block that this page heads */
	void *private;  /* slab, file system */
};

extern struct page *pages; /* by pfn */

static inline struct page *pfn_page(pfn_t pfn)
{
	return &pages[pfn.v];
}
static inline pfn_t page_pfn(const struct page *pg)
{
	return PFN(pg - pages);
}
static inline void *page_va(const struct page *pg)
{
	return pfn_va(page_pfn(pg));
}

#define ALLOC_ZERO 1u
/* May not reclaim, sleep or use more than half of the reserve: for interrupt handlers and for
 * callers with spinlocks. (With interrupts off nothing is reclaimed anyway.) */
#define ALLOC_ATOMIC 2u
/* For a user page: fails earlier, so that the kernel keeps a reserve. */
#define ALLOC_USER 4u

/* Set up struct page for all frames and free those from boot_info.first_free on (not the boot
 * module's). */
void page_init(void);
/* 2^order pages, refs = 1 on the first; NULL: none. Reclaims from the page cache first unless
 * ALLOC_ATOMIC. */
struct page *page_alloc(unsigned order, unsigned flags);
void page_get(struct page *pg);
/* Drop a reference; the last one frees (order as allocated). */
void page_put(struct page *pg);
/* Turn a block that page_alloc() gave into single pages, each with a reference. */
void page_split(struct page *pg);
pfn_t page_alloc_pfn(unsigned flags); /* one page, PFN_NONE if there is none */
void page_free_pfn(pfn_t pfn);
unsigned long pages_free(void);
unsigned long pages_total(void); /* that the allocator has to give, used or free */
void page_lock(struct page *pg);
bool page_trylock(struct page *pg);
void page_unlock(struct page *pg);
/* Add @n frames (a RAM disk given up, ballooning in). */
void page_add_range(pfn_t first, unsigned long n);
/*
 * Memory that comes and goes. A frame without memory is absent: it has a struct page and nothing
 * else. Frames go: page_alloc_spare(), the machine takes the memory away, page_leave(). They come:
 * page_absent(), the machine puts memory there, page_add_range(); or page_leave() if it cannot.
 */
struct page *page_alloc_spare(void); /* NULL: the rest is needed (a sixteenth stays free) */
void page_leave(struct page *pg);
struct page *page_absent(void);    /* NULL: all frames have memory */
unsigned long pages_max(void);     /* frames that there can be: present or absent */
unsigned long pages_present(void); /* frames that have memory, the kernel's own included */

/* ---- small objects (slab.c): size classes 16 .. 2048 bytes, larger ones in whole pages ---- */
void slab_init(void);
void *kmalloc(size_t size, unsigned flags);   /* 16-byte aligned, 64 from 64 bytes on; NULL */
void kfree(void *p);                          /* NULL is fine */
size_t kmalloc_used(void);                    /* bytes handed out now: for leak checks */
size_t slab_describe(char *buf, size_t size); /* a table for /proc/slabinfo; bytes */
void mm_proc_init(void);                      /* makes /proc/slabinfo */

/* ---- mappings with guard pages (kvm.c) ---- */
#define KSTACK_PAGES 4
void kvm_init(void);
/* A kernel stack with an unmapped page below; returns its top, or NULL. Freed ones are kept for
 * reuse (no hypercall). */
void *kstack_alloc(void);
void kstack_free(void *top);
/* Contiguous mapping of @n pages allocated one by one; NULL: none. */
void *kvm_alloc(unsigned n);
void kvm_free(void *va, unsigned n);
bool kvm_is_guard(unsigned long va); /* for the panic message: "kernel stack overflow" */

/* ---- address spaces (aspace.c regions, fault.c faults, fork in copy.c) ---- */

#define REGION_SHARED 0x1u /* MAP_SHARED: fork shares the pages, writes go to the file */
#define REGION_STACK 0x2u  /* grows down on a fault, as far as the limit */
#define REGION_HEAP 0x4u   /* brk */
/* Shared mapping of a file that is not open for writing: PROT_WRITE is refused. */
#define REGION_NOWRITE 0x8u

/* Below this nothing is ever mapped, so that NULL and small offsets from it fault. */
#define USER_START 0x10000ul
#define REGIONS_MAX 4096 /* in one address space */

struct vnode;
struct shared_pages;

/* Half-open [start, end), page aligned, sorted by address in aspace->regions; never overlapping. */
struct region {
	struct list link;
	unsigned long start, end;
	unsigned prot;       /* PROT_* */
	unsigned flags;      /* REGION_* */
	struct vnode *vnode; /* NULL: anonymous. Holds a reference */
	uint64_t offset;     /* file offset of start, page aligned */
	uint64_t file_end;   /* file offset behind which pages are zero (ELF: end of p_filesz); ~0:
				none */
	struct shared_pages *shared; /* anonymous and REGION_SHARED: the pages, from offset on */
	struct aspace *as;           /* with a vnode: where it is, for mapping.c */
	struct list mapping;         /* in the file's list */
	uint64_t seen;
};

struct aspace {
	volatile int refs;
	mutex_t lock;
	struct mmu mmu;
	struct list regions;
	unsigned nr_regions;
	struct list parked; /* private pages whose region is PROT_NONE just now */
	unsigned long brk_start, brk;
	/* RLIMIT_STACK, _DATA and _AS in bytes */
	unsigned long stack_limit, data_limit, size_limit;
	unsigned long pages;                       /* resident user pages */
	unsigned long pages_mapped;                /* sum of region sizes in pages */
	unsigned long arg_start, arg_end, env_end; /* for /proc/PID/cmdline, environ */
	bool lock_future; /* mlockall(MCL_FUTURE): mmap makes pages present */
};

struct aspace *aspace_create(void); /* empty, not published; NULL: no memory */
struct parvix_rlimit;
void aspace_limits(struct aspace *as, const struct parvix_rlimit *limits); /* take over new ones */
void aspace_get(struct aspace *as);
void aspace_put(struct aspace *as); /* the last one unmaps and frees all: not the one loaded */
/* A reference to one that may be at its end: false if it is. */
bool aspace_tryget(struct aspace *as);
/* Add a region; takes its own reference on @vn. -ENOMEM, -EEXIST on overlap, -EINVAL: not user
 * addresses or not page aligned. Lock held or space private, here and down to aspace_find(). */
int aspace_map(struct aspace *as, unsigned long start, unsigned long end, unsigned prot,
	       unsigned flags, struct vnode *vn, uint64_t offset, uint64_t file_end);
int aspace_unmap(struct aspace *as, unsigned long start, unsigned long end);
/* -ENOMEM: a part is not mapped; -EACCES: REGION_NOWRITE. */
int aspace_protect(struct aspace *as, unsigned long start, unsigned long end, unsigned prot);
/* The pages of [start, end) are forgotten, not the regions: the next access is a fault. */
void aspace_forget(struct aspace *as, unsigned long start, unsigned long end);
/* A free range of @size bytes for mmap, at or near @hint; 0: none. */
unsigned long aspace_find(struct aspace *as, unsigned long hint, unsigned long size);
/*
 * Make the pages of [start, end) present before the first access: used by exec while the space is
 * not published, when entries cost a store each. File pages already in the cache are mapped;
 * anonymous pages only if @anon. Best effort.
 */
void aspace_prefault(struct aspace *as, unsigned long start, unsigned long end, bool anon);
/* Copy for fork: new space, published; the parent's writable private pages become read-only in one
 * batch. */
int aspace_fork(struct aspace *parent, struct aspace **child, unsigned long user_rsp);
/*
 * Resolve a fault at user address @addr (@err: PF_*). 0: retry the instruction; -EFAULT: SIGSEGV,
 * no mapping; -EACCES: SIGSEGV, protection; -EIO: SIGBUS; -ENOMEM: out of memory (the caller kills
 * or has been killed).
 */
int aspace_fault(struct aspace *as, unsigned long addr, unsigned err);
/* Write into an unpublished or foreign space (exec's stack, core of setup). 0, -EFAULT, -ENOMEM. */
int aspace_write(struct aspace *as, unsigned long addr, const void *src, size_t n);
/* Read from a foreign space, as far as it may be read by somebody. The same. */
int aspace_read(struct aspace *as, unsigned long addr, void *dst, size_t n);
/* The new end of the heap; the old one if @new_brk is refused. Takes the lock. */
unsigned long aspace_brk(struct aspace *as, unsigned long new_brk);
/*
 * For futexes; lock held. The 32-bit word at @addr, aligned, through the kernel's mapping of its
 * page: NULL if it is not present, not the user's, or for @write not writable. And who shares it:
 * @key is set to the object and the offset in it if the region is shared, and else left alone.
 */
struct futex_key;
volatile uint32_t *aspace_word(struct aspace *as, unsigned long addr, bool write);
void aspace_futex_key(struct aspace *as, unsigned long addr, struct futex_key *key);
/* One line per region, as Linux's /proc/PID/maps. Returns bytes. */
size_t aspace_describe(struct aspace *as, char *buf, size_t size);

/*
 * The other direction: from a file to where it is mapped (mapping.c). vn->lock held; takes address
 * spaces' locks. Pages from index @first on leave every table, as the file ends before them; pages
 * [first, last] are about to be written to the disk and become read-only in every table.
 */
void mappings_truncate(struct vnode *vn, uint64_t first);
void mappings_clean(struct vnode *vn, uint64_t first, uint64_t last);

/*
 * advice.c: about what is mapped in [start, end), page aligned. They take the lock. -ENOMEM if a
 * part is not mapped (the rest is treated all the same).
 */
/* msync: the files behind shared mappings are written if @wait; else that is under way anyway. */
int aspace_sync(struct aspace *as, unsigned long start, unsigned long end, bool wait);
int aspace_advise(struct aspace *as, unsigned long start, unsigned long end, int advice);
/* mincore: a byte for each page. */
int aspace_resident(struct aspace *as, unsigned long start, unsigned long end, char *out);
int aspace_covered(struct aspace *as, unsigned long start, unsigned long end);
/* mlock: all become present, writable ones as own copies. -ENOMEM also for PROT_NONE and behind the
 * end of a file; -EAGAIN: no memory; -EINTR: the process is being killed. */
int aspace_populate(struct aspace *as, unsigned long start, unsigned long end);
int aspace_populate_all(struct aspace *as); /* what can be */

/* Choose a process and kill it, with a line that says so (oom.c). True if the chosen one is the
 * current process. */
bool oom_kill(void);

#define MMAP_BASE 0x40000000ul
#define STACK_TOP_LOW                                                              \
	0x1100000ul /* under programs linked by our own driver: see docs/memory.md \
		     */
#define STACK_TOP_HIGH 0x00007ffffffff000ul /* for others */

#endif
