/* SPDX-License-Identifier: MIT */
/*
 * What a hypervisor offers to the drivers of its devices (drivers/pvfront): event channels, grants,
 * the two channels that every domain is born with, and a few questions about the domain itself.
 *
 * A split driver needs three things of a hypervisor: a page that two domains share (a grant), a way
 * to say that something is in it (an event channel), and a place to tell each other about both
 * (xenstore, itself a shared page and an event channel, given at birth). Everything else is between
 * the two domains. The functions are in arch/pv-x86_64; this header has no Xen types, so that it
 * reads as what it is: the whole of what the drivers ask of the hypervisor.
 *
 * Domains are named by their number (domid); 0 is where the backends usually are.
 */
#ifndef HV_H
#define HV_H

#include <mm.h>
#include <types.h>

/* ---- event channels (arch: events.c) ---- */
/*
 * A handler runs in the interrupt: interrupts off, nothing may sleep; usually it wakes a thread.
 * @name lives for ever or until evtchn_close(). Both return the port (> 0), -EIO (Xen refuses), or
 * -ENOSPC (no memory for the port's handler). Any context, and so are all below.
 */
/* A port that domain @remote may bind to. */
int evtchn_alloc_unbound(unsigned remote, void (*fn)(void *), void *arg, const char *name);
/* A port that exists already (the console's, xenstore's). */
int evtchn_bind_handler(unsigned port, void (*fn)(void *), void *arg, const char *name);
/* No handler call after the return, on any CPU; the port is the hypervisor's again. */
void evtchn_close(unsigned port);
/* The handler goes, the port stays bound at the hypervisor (xenstore's and the console's). */
void evtchn_unbind_handler(unsigned port);
void evtchn_mask(unsigned port);
void evtchn_unmask(unsigned port); /* what came meanwhile is delivered */
int evtchn_send(unsigned port);    /* 0, or -EIO: nobody at the other end */
/*
 * Wait, with interrupts off, until an event is pending on the masked or unmasked @port or the
 * deadline (monotonic) is there, or a little less long: for a console that must be heard while
 * nothing else works. The event is taken: the handler will not be called for it, the caller looks
 * at what the handler would have looked at, before the next call and at the end.
 */
void evtchn_poll(unsigned port, ktime_t deadline);

/* ---- grants (arch: grant.c) ---- */
/*
 * A grant lets one other domain map, or have the hypervisor copy, one of our frames. Any context.
 *
 * The peer may keep its mapping as long as it likes: then the frame must not be used for anything
 * else, and the reference not be given away again. grant_end() says so; grant_end_page() takes
 * care.
 */
typedef uint32_t grant_t;
#define GRANT_NONE 0u
/* A new reference in *@out. -ENOSPC: the table is full and cannot grow; -ERANGE: the machine frame
 * lies above 16 TiB. */
int grant_access(unsigned domid, pfn_t pfn, bool read_only, grant_t *out);
/* 0: access has ended, the reference is free. -EBUSY: the peer still maps it, nothing has changed.
 */
int grant_end(grant_t ref);
/*
 * End access and drop a reference to @pg (NULL: none), now or, if the peer still maps the frame, as
 * soon as it does not any more: until then page and grant are kept aside. Never fails.
 */
void grant_end_page(grant_t ref, struct page *pg);
struct grant_usage {
	unsigned used, free, quarantined, entries, max_entries;
};
void grant_usage(struct grant_usage *u);

/* ---- memory (arch: memory.c): batches of at most HV_FRAMES_BATCH; threads only ---- */
#define HV_FRAMES_BATCH 128u
/*
 * Give the memory of @n frames back to the hypervisor; @wipe it first, since the next owner can
 * read it. Nobody uses them, nor will until hv_frames_take(). Returns how many, of the first ones;
 * the others are as before.
 */
unsigned hv_frames_give(const pfn_t *pfns, unsigned n, bool wipe);
/* Ask for memory for @n absent frames. Returns how many got some, of the first ones. */
unsigned hv_frames_take(const pfn_t *pfns, unsigned n);
/*
 * Frames that the toolstack counts as the domain's and that are not among pages_max(), given that
 * it was made for at most @most: what lies below 1 MiB, what the toolstack has kept for itself.
 */
unsigned long hv_frames_besides(unsigned long most);

/* ---- born with: xenstore and console ---- */
struct hv_channel {
	void *page; /* one page shared with the other end; NULL: there is none (initial domain) */
	unsigned port;
};
struct hv_channel hv_store_channel(void);
/*
 * The console's (drivers/pvfront/console_ring.h); printk() goes on writing to it, waiting for room
 * if it must. NULL in the initial domain.
 */
struct console_ring;
struct console_ring *hv_console_ring(void);

/* ---- the domain ---- */
void hv_uuid(uint8_t uuid[16]); /* zeros if the hypervisor does not tell */
/* Events bound, for /proc/xen/events: bytes of text. */
size_t hv_events_describe(char *buf, size_t size);

/* ---- the drivers ---- */
/*
 * Starts the frontends: xenstore, bus, console, life cycle. Called once by a thread, before the
 * root file system is mounted; devices come up on their own threads meanwhile. Does nothing in a
 * domain without xenstore. (drivers/pvfront/start.c; machine->start_drivers)
 */
void pvfront_start(void);

#endif
