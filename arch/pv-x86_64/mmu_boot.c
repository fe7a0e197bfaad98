/* SPDX-License-Identifier: MIT */
/*
 * The kernel's own page tables, built once at boot.
 *
 * Natively one fills tables and loads CR3. Under PV the processor walks the very tables that the
 * guest makes, so Xen must be sure that they map nothing but the guest's own frames: a frame is at
 * any time *either* a page table, with no writable mapping anywhere, *or* writable data. Xen counts
 * both uses of every frame and refuses a mixture. The way to cheap tables is therefore to fill them
 * while they are ordinary memory, by plain stores, then to take every writable mapping of them
 * away, and then to hand over the whole tree in one call, which checks it (MMUEXT_PIN_L4_TABLE):
 *
 *   1  Take frames for all tables from the 2 MiB below the image (pfn 0 .. 511), which the builder
 *      has mapped for us at KERNEL_BASE. Fill them:
 *        DIRECT_MAP   every frame of the domain, by pfn, in 4 KiB entries (a PV guest has no large
 *                     pages); frames that are absent have a table, and no entry; read-only where
 * the frame is a table, kernel text or constants KERNEL_BASE  the image: text read+execute,
 * constants read, data read+write; nothing else KVM_BASE     an empty L2 table, for kernel stacks
 * and the like (mmu.c) 2  Clear the one L2 entry of the builder's tables that maps those 2 MiB.
 * That takes away 512 mappings by one mmu_update. The direct map has read-only ones, in the new
 * tree. 3  One mmuext_op: pin the new tree, load it. The builder's p2m is still needed: its
 * top-level entry is in the new top table too. Copy it (p2m.c). 4  Clear that entry, unpin the
 * builder's tree: its tables are ordinary memory now. 5  Make them writable in the direct map, 64
 * entries a call; the page allocator gets them (boot_info.free).
 *
 * Half a dozen hypercalls for a small domain. What is left of the builder's mapping is gone with
 * its tables. If 2 MiB of tables cannot cover all memory (from about 1 GiB on), the rest
 * is added afterwards, with tables taken from memory that is mapped already.
 */
#include <string.h>
#include <printk.h>
#include <xen/features.h>
#include "hypercall.h"
#include "pv.h"

#define KERNEL_DATA (PTE_P | PTE_W | PTE_A | PTE_D | PTE_NX)
#define KERNEL_CONST (PTE_P | PTE_A | PTE_NX)
#define KERNEL_TEXT (PTE_P | PTE_A)
#define TABLE (PTE_P | PTE_W | PTE_U | PTE_A | PTE_D)
#define POOL_END ((unsigned long)((_text - (char *)KERNEL_BASE) >> PAGE_SHIFT))
#define PAGES_PER_L1 512ul
#define PAGES_PER_L2 (512ul * 512)

extern char _text[], _etext[], _rodata[], _erodata[], _data[], _end[], _image_limit[];
extern char boot_stack_guard[];

pte_t *dmap_l2[DMAP_L2_MAX];

static unsigned long pool_next;   /* pfn, below POOL_END: tables first, then other boot data */
static unsigned long frames_next; /* pfn, when the pool is used up */
static unsigned long covered;     /* pfns [0, covered) are in the direct map */

/* Frames that the builder used for tables (and p2m): read-only until its tree is gone. */
static struct {
	unsigned long first, n;
} builder_tables, builder_p2m;

/* Where the builder mapped @pfn. */
static void *builder_va(unsigned long pfn)
{
	return (void *)(KERNEL_BASE + (pfn << PAGE_SHIFT));
}

static void *table_of(pte_t entry)
{
	return builder_va(pte_pfn(entry).v);
}

static pte_t *new_table(void)
{
	pte_t *t;

	if (pool_next >= POOL_END)
		early_die("no room for the kernel's page tables");
	t = builder_va(pool_next++);
	memset(t, 0, PAGE_SIZE);
	return t;
}

static unsigned long builder_pfn(const void *va)
{
	return ((unsigned long)va - KERNEL_BASE) >> PAGE_SHIFT;
}

static pte_t link_to(const pte_t *table)
{
	count(pte_stores);
	return pte_make(PFN(builder_pfn(table)), TABLE);
}

/* Permissions of the direct-map entry of @pfn. All tables have been taken by now. */
static uint64_t dmap_flags(unsigned long pfn)
{
	if (pfn < pool_next)
		return KERNEL_CONST;
	if (pfn >= builder_pfn(_text) && pfn < builder_pfn(_data))
		return KERNEL_CONST;
	if (pfn - builder_tables.first < builder_tables.n ||
	    pfn - builder_p2m.first < builder_p2m.n)
		return KERNEL_CONST;
	return KERNEL_DATA;
}

static void dmap_fill_l1(pte_t *l1, unsigned long first)
{
	unsigned long i;

	for (i = 0; i < PAGES_PER_L1 && first + i < boot_info.nr_present; i++)
		l1[i] = pte_make(PFN(first + i), dmap_flags(first + i));
	count_add(pte_stores, i);
}

/* Tables for as much memory as the pool allows; filled later, when it is known what is a table. */
static pte_t *dmap_tables(void)
{
	pte_t *l3 = new_table();
	unsigned long l2s = DIV_ROUND_UP(nr_pages, PAGES_PER_L2);

	if (l2s > DMAP_L2_MAX) {
		l2s = DMAP_L2_MAX;
		nr_pages = l2s * PAGES_PER_L2;
		boot_info.nr_present = min(boot_info.nr_present, nr_pages);
	}
	for (unsigned long i = 0; i < l2s; i++) {
		dmap_l2[i] = new_table();
		l3[i] = link_to(dmap_l2[i]);
	}
	while (covered < nr_pages && pool_next < POOL_END) {
		dmap_l2[covered / PAGES_PER_L2][covered / PAGES_PER_L1 % 512] =
			link_to(new_table());
		covered += PAGES_PER_L1;
	}
	return l3;
}

static uint64_t image_flags(const char *va)
{
	if (va < _etext)
		return KERNEL_TEXT;
	return va < _erodata ? KERNEL_CONST : KERNEL_DATA;
}

static pte_t *image_tables(void)
{
	pte_t *l3 = new_table(), *l2 = new_table(), *l1 = NULL;

	l3[PT_INDEX(KERNEL_BASE, 3)] = link_to(l2);
	for (char *va = _text; va < _image_limit; va += PAGE_SIZE) {
		if (!l1 || PT_INDEX((unsigned long)va, 1) == 0) {
			l1 = new_table();
			l2[PT_INDEX((unsigned long)va, 2)] = link_to(l1);
		}
		if (va < _end && va != boot_stack_guard)
			l1[PT_INDEX((unsigned long)va, 1)] = pte_make(PFN(builder_pfn(va)),
								      image_flags(va));
		count(pte_stores);
	}
	/* shared_info belongs to Xen and has no pfn: its machine address is all we are told. */
	l1[PT_INDEX((unsigned long)&shared_info_page, 1)] = (pte_t){start_info.shared_info |
								    KERNEL_DATA};
	return l3;
}

static pte_t *kvm_tables(void)
{
	pte_t *l3 = new_table(), *l2 = new_table();

	l3[PT_INDEX(KVM_BASE, 3)] = link_to(l2);
	l2[PT_INDEX(KVM_BASE, 2)] = link_to(new_table()); /* the first 2 MiB; more: mmu.c */
	return l3;
}

static void dmap_fill(void)
{
	for (unsigned long pfn = 0; pfn < covered; pfn += PAGES_PER_L1)
		dmap_fill_l1(table_of(dmap_l2[pfn / PAGES_PER_L2][pfn / PAGES_PER_L1 % 512]), pfn);
	if (covered > nr_pages)
		covered = nr_pages;
}

uint64_t dmap_entry(pfn_t pfn)
{
	pte_t l2e = dmap_l2[pfn.v / PAGES_PER_L2][pfn.v / PAGES_PER_L1 % 512];

	return (l2e.v & PTE_FRAME) + pfn.v % PAGES_PER_L1 * sizeof(pte_t);
}

static void check(long err, const char *sentence)
{
	if (err) {
		early_print_hex("mmu: Xen's answer: ", err);
		early_die(sentence);
	}
}

/* Machine address of the builder's L2 entry for KERNEL_BASE. */
static uint64_t builder_l2_entry(const pte_t *top)
{
	const pte_t *l3 = table_of(top[PT_INDEX(KERNEL_BASE, 4)]);
	pte_t l3e = l3[PT_INDEX(KERNEL_BASE, 3)];

	return (l3e.v & PTE_FRAME) + PT_INDEX(KERNEL_BASE, 2) * sizeof(pte_t);
}

static long update(const struct mmu_update *u, unsigned n)
{
	count_updates(n);
	return hyp_mmu_update(u, n, NULL);
}

static void make_writable(unsigned long first, unsigned long n)
{
	static struct mmu_update u[64];
	unsigned used = 0;

	for (unsigned long pfn = first; pfn < first + n && pfn < covered; pfn++) {
		u[used].ptr = dmap_entry(PFN(pfn));
		u[used++].val = pte_make(PFN(pfn), KERNEL_DATA).v;
		if (used == ARRAY_SIZE(u) || pfn + 1 == first + n) {
			check(update(u, used),
			      "frames of the builder's tables cannot be made writable");
			used = 0;
		}
	}
	if (used)
		check(update(u, used), "frames of the builder's tables cannot be made writable");
}

/* Memory that the pool's tables did not reach: 2 MiB with each further table. */
static void dmap_extend(void)
{
	static struct mmu_update u[64];
	unsigned used = 0;

	while (covered < nr_pages) {
		pfn_t table = boot_frames(1);
		pte_t *l2 = dmap_l2[covered / PAGES_PER_L2];
		pte_t *l1 = pfn_va(table);

		memset(l1, 0, PAGE_SIZE);
		dmap_fill_l1(l1, covered);
		u[used].ptr = dmap_entry(table);
		u[used++].val = pte_make(table, KERNEL_CONST).v;
		u[used].ptr = pt_maddr(&l2[covered / PAGES_PER_L1 % 512]);
		u[used++].val = pte_make(table, TABLE).v;
		covered += PAGES_PER_L1;
		if (used == ARRAY_SIZE(u) || covered >= nr_pages) {
			check(update(u, used), "the direct map cannot be extended");
			used = 0;
		}
	}
}

static void free_add(unsigned long first, unsigned long n)
{
	if (!n || boot_info.nr_free == BOOT_RANGES)
		return;
	boot_info.free[boot_info.nr_free].first = PFN(first);
	boot_info.free[boot_info.nr_free++].n = n;
}

/* First pfn at or after @first from which @n frames are free of the boot module and the old p2m. */
static unsigned long skip_used(unsigned long first, unsigned long n)
{
	unsigned long mod = boot_info.ramdisk.v;
	unsigned long mod_end = mod + DIV_ROUND_UP(boot_info.ramdisk_size, PAGE_SIZE);

	for (;;) {
		if (boot_info.ramdisk_size && first < mod_end && first + n > mod)
			first = mod_end;
		else if (first < builder_p2m.first + builder_p2m.n && first + n > builder_p2m.first)
			first = builder_p2m.first + builder_p2m.n;
		else
			return first;
	}
}

/*
 * @n frames for ever, reachable by the direct map: what is left of the pool, else from behind the
 * builder's area.
 */
pfn_t boot_frames(unsigned long n)
{
	unsigned long first, gap_end;

	if (pool_next + n <= POOL_END) {
		first = pool_next;
		pool_next += n;
		return PFN(first);
	}
	first = skip_used(frames_next, n);
	if (first + n > min(covered, boot_info.nr_present))
		early_die("not enough memory");
	gap_end = first;
	if (frames_next <= boot_info.ramdisk.v)
		gap_end = min(gap_end, boot_info.ramdisk.v);
	if (frames_next <= builder_p2m.first)
		gap_end = min(gap_end, builder_p2m.first);
	free_add(frames_next, gap_end - frames_next);
	frames_next = first + n;
	return PFN(first);
}

/* No more boot_frames(): what is left belongs to the page allocator. */
void boot_frames_done(void)
{
	free_add(pool_next, POOL_END - pool_next);
	free_add(builder_tables.first, builder_tables.n);
	if (builder_p2m.first < frames_next)
		free_add(builder_p2m.first, builder_p2m.n);
	free_add(frames_next, boot_info.nr_present - frames_next);
}

/* @builder_end: top of the builder's stack, the last thing in its area. */
void mmu_boot(unsigned long builder_end)
{
	const pte_t *builder_top = (const pte_t *)start_info.pt_base;
	struct mmuext_op op[2];
	struct mmu_update u;
	pte_t *top;

	frames_next = (builder_end - KERNEL_BASE + PAGE_SIZE - 1) >> PAGE_SHIFT;
	builder_tables.first = builder_pfn(builder_top);
	builder_tables.n = start_info.nr_pt_frames;
	builder_p2m.first = start_info.first_p2m_pfn;
	builder_p2m.n = start_info.nr_p2m_frames;

	top = new_table();
	top[KERNEL_SLOT_IMAGE] = link_to(image_tables());
	top[KERNEL_SLOT_KVM] = link_to(kvm_tables());
	top[KERNEL_SLOT_DIRECT] = link_to(dmap_tables());
	top[PT_INDEX(start_info.mfn_list, 4)] = builder_top[PT_INDEX(start_info.mfn_list, 4)];
	dmap_fill();

	u.ptr = builder_l2_entry(builder_top);
	u.val = 0;
	check(update(&u, 1), "the new page tables cannot be unmapped");
	op[0].cmd = MMUEXT_PIN_L4_TABLE;
	op[0].arg1.mfn = pfn_to_mfn(PFN(builder_pfn(top))).v;
	op[1].cmd = MMUEXT_NEW_BASEPTR;
	op[1].arg1.mfn = op[0].arg1.mfn;
	check(hyp_mmuext_op(op, 2, NULL), "Xen does not accept the new page tables");
	count(pins);
	count(tlb_full);

	if (birth.console.page)
		birth.console.page = pfn_va(PFN(builder_pfn(birth.console.page)));
	console_moved();
	/* Tables are reached by the direct map from here on. */
	for (unsigned i = 0; i < DMAP_L2_MAX && dmap_l2[i]; i++)
		dmap_l2[i] = pfn_va(PFN(builder_pfn(dmap_l2[i])));
	top = pfn_va(PFN(builder_pfn(top)));
	p2m_relocate();

	u.ptr = pt_maddr(&top[PT_INDEX(start_info.mfn_list, 4)]);
	check(update(&u, 1), "the builder's p2m cannot be unmapped");
	op[0].cmd = MMUEXT_UNPIN_TABLE;
	op[0].arg1.mfn = pfn_to_mfn(PFN(builder_tables.first)).v;
	check(hyp_mmuext_op(op, 1, NULL), "the builder's page tables cannot be unpinned");
	count(unpins);
	make_writable(builder_tables.first, builder_tables.n);
	make_writable(builder_p2m.first, builder_p2m.n);
	dmap_extend();
	mmu_kernel_half_init(top);
}
