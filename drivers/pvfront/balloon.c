/* SPDX-License-Identifier: MIT */
/*
 * The balloon: `xl mem-set` while the domain runs.
 *
 * The toolstack cannot take memory from a running domain, for it does not know which pages are
 * free. It writes what it wants into xenstore, memory/target in KiB, and the domain does it: it
 * allocates pages from itself, as if a balloon grew in its memory, and hands their frames to the
 * hypervisor; or lets the balloon shrink, by asking for frames for those pages again. One
 * thread does it, 128 frames at a time, and lets others run in between.
 *
 * Growing the balloon must not harm: pages come from the free ones and from the cache of files
 * (what is dirty is written first), and a sixteenth of the memory that is left stays free. If that
 * is all that can be given, a line says so, and it is tried again later, less and less often.
 * Processes are never killed for it. In the other direction the host may have no memory: the same.
 *
 * The toolstack's figure may include frames that are not in our memory map; how many is found out
 * once, at the start.
 *
 * Memory can grow to what the domain's `maxmem` was at its start: that many frames have had their
 * struct page from the beginning.
 */
#include <fs.h>
#include <hv.h>
#include <lock.h>
#include <mm.h>
#include <printk.h>
#include <proc.h>
#include "balloon.h"
#include "xenbus/xs.h"

#define KIB_PER_PAGE (PAGE_SIZE / 1024)
#define RETRY_FIRST NSEC_PER_SEC
#define RETRY_LAST (60 * NSEC_PER_SEC)

static struct waitq wait = WAITQ(wait);
static volatile unsigned long target; /* frames */
static unsigned long besides;         /* frames that count and are not ours to give */
static volatile bool told;            /* the target has been written anew */
static volatile bool stuck;           /* the last round did not get there */

static void target_changed(struct xs_watch *w, const char *changed)
{
	uint64_t kib;

	(void)w;
	(void)changed;
	if (xs_scan(XS_NO_TX, "memory", "target", 1, UINT64_MAX / 1024, &kib))
		return; /* removed, or nonsense: stay as we are */
	kib /= KIB_PER_PAGE;
	target = kib > besides ? min(kib - besides, pages_max()) : 0;
	told = true;
	waitq_wake_all(&wait);
}

static struct xs_watch watch = {.path = "memory/target", .fn = target_changed};

/* As the toolstack counts. */
static unsigned long told_kib(unsigned long frames)
{
	return (frames + besides) * KIB_PER_PAGE;
}

static bool boot_is_over; /* before that nobody's secrets are in memory */

/* Give up to @n frames away. Returns how many. */
static unsigned grow_balloon(unsigned n)
{
	pfn_t pfns[HV_FRAMES_BATCH];
	unsigned got = 0, done;
	struct page *pg;

	while (got < n && (pg = page_alloc_spare()))
		pfns[got++] = page_pfn(pg);
	if (!got)
		return 0;
	done = hv_frames_give(pfns, got, boot_is_over);
	for (unsigned i = 0; i < got; i++)
		i < done ? page_leave(pfn_page(pfns[i])) : page_put(pfn_page(pfns[i]));
	return done;
}

static unsigned shrink_balloon(unsigned n)
{
	pfn_t pfns[HV_FRAMES_BATCH];
	unsigned got = 0, done;
	struct page *pg;

	while (got < n && (pg = page_absent()))
		pfns[got++] = page_pfn(pg);
	if (!got)
		return 0;
	done = hv_frames_take(pfns, got);
	for (unsigned i = 0; i < done; i++)
		page_add_range(pfns[i], 1);
	while (got > done)
		page_leave(pfn_page(pfns[--got]));
	return done;
}

/* One batch towards the target. False: not all of it. */
static bool step(void)
{
	unsigned long now = pages_present(), goal = target;
	unsigned n = min(goal < now ? now - goal : goal - now, (unsigned long)HV_FRAMES_BATCH);

	return (goal < now ? grow_balloon(n) : shrink_balloon(n)) == n;
}

/* Go to the target. False: it cannot be reached now. */
static bool settle(void)
{
	bool synced = false;

	while (pages_present() != target) {
		if (!step()) {
			if (synced || target > pages_present())
				return false;
			fs_sync(); /* what was dirty in the cache can be spared now */
			synced = true;
		}
		sched_relax();
	}
	return true;
}

static void wait_for_news(ktime_t until)
{
	struct waiter w;

	waiter_add(&wait, &w);
	thread_prepare_sleep();
	if (told)
		thread_cancel_sleep();
	else
		thread_sleep(0, until);
	waiter_remove(&w);
}

static void balloon_thread(void *unused)
{
	ktime_t delay = RETRY_FIRST;

	(void)unused;
	for (;;) {
		if (told) {
			told = stuck = false;
			delay = RETRY_FIRST;
		}
		if (settle()) {
			stuck = false;
			wait_for_news(KTIME_NEVER);
			continue;
		}
		if (!stuck)
			printk("balloon: memory stays at %lu KiB, the target is %lu: %s\n",
			       told_kib(pages_present()), told_kib(target),
			       target < pages_present() ? "the rest is in use"
							: "the host does not give more");
		stuck = true;
		wait_for_news(clock_now() + delay);
		delay = min(2 * delay, RETRY_LAST);
	}
}

void balloon_start(void)
{
	uint64_t most;

	target = pages_present();
	if (!xs_scan(XS_NO_TX, "memory", "static-max", 0, UINT64_MAX / 1024, &most))
		besides = hv_frames_besides(most / KIB_PER_PAGE);
	/* A PVH domain sees the most it may have, and has less: Xen adds a frame when it is first
	 * touched, even for wiping, and kills the domain when it has no more. So before anybody
	 * can: */
	target_changed(&watch, NULL);
	if (target < pages_present())
		settle();
	boot_is_over = true;
	if (!kthread_create("balloon", balloon_thread, NULL) || xs_watch(&watch))
		printk("balloon: not started: memory stays as it is\n");
}

size_t balloon_describe(char *buf, size_t size)
{
	return snprintk(buf, size, "current %lu\nlargest %lu\nballoon %s\n",
			told_kib(pages_present()), told_kib(pages_max()),
			stuck                       ? "stuck"
			: pages_present() == target ? "settled"
						    : "moving");
}
