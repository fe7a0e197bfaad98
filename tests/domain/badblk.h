/* SPDX-License-Identifier: MIT */
/*
 * The parts of badblk, a block backend that can lie (badblk.c):
 *
 *   badblk.c        options, the main loop
 *   badblk_store.c  its nodes in xenstore and the state machine
 *   badblk_ring.c   the rings, and requests served as they should be
 *   badblk_evil.c   the ways in which it misbehaves
 */
#ifndef BADBLK_H
#define BADBLK_H

#define __XEN_INTERFACE_VERSION__ 0x00040e00
#include <stdbool.h>
#include <stdint.h>
#include <xenevtchn.h>
#include <xengnttab.h>
#include <xenstore.h>
#define xen_mb() __sync_synchronize()
#define xen_rmb() __sync_synchronize()
#define xen_wmb() __sync_synchronize()
#include <xen/grant_table.h>
#include <xen/io/ring.h>
#include <xen/io/blkif.h>
#include <xen/io/xenbus.h>

#define PAGE 4096u
#define QUEUES_MAX 4
#define RING_PAGES_MAX 16
#define IN_FLIGHT_MAX (RING_PAGES_MAX * 64)
#define SEGMENTS_MAX 4096
#define EVILS_MAX 16
#define NODES_MAX 16

/* A request that was read and is not answered yet. */
struct held {
	uint64_t id;
	uint8_t op;
	int16_t status;
};

struct queue {
	bool up;
	evtchn_port_t port;
	blkif_back_ring_t ring;
	void *pages;
	unsigned nr_pages, nr_held;
	struct held held[IN_FLIGHT_MAX];
};

struct backend;
struct evil {
	const struct evil_kind *kind;
	uint64_t at;  /* done when this many requests have been read; 0: when it is connected */
	uint64_t arg; /* the kind's own */
	bool done;
};
struct evil_kind {
	const char *name;
	/* Before the held requests of @q are answered; it may answer some of them itself. */
	void (*act)(struct backend *be, struct queue *q, uint64_t arg);
	const char *what;
};

struct backend {
	/* What was asked for */
	unsigned domid, dev;
	unsigned order, queues, indirect; /* the largest offered; 0: not offered */
	bool persistent, read_only, flush, discard, reorder, verbose;
	unsigned delay;        /* ms before each batch of answers */
	unsigned sector, hold; /* answers wait until so many requests are held */
	const char *node[NODES_MAX], *front_node[NODES_MAX];
	unsigned nr_node, nr_front_node;
	const char *states; /* the state node takes these values, one after another */
	unsigned step;      /* ms between them */
	unsigned patience;  /* ms that the guest has to close when asked */
	struct evil evil[EVILS_MAX];
	unsigned nr_evil;
	/* The disk */
	uint8_t *disk;
	uint64_t size;
	/* The connection */
	struct xs_handle *xs;
	xs_transaction_t tx; /* XBT_NULL but while the directories are made */
	xenevtchn_handle *evtchn;
	xengnttab_handle *gnttab;
	char dir[128], front[128];
	enum xenbus_state state, front_state;
	bool front_gone, quit;
	struct queue queue[QUEUES_MAX];
	unsigned nr_queues;
	void **mapped; /* persistent grants and those kept, by reference */
	/* Misbehaviour that lasts */
	bool silent, keep, stay_closed;
	uint64_t late_at; /* ms: then the rings are written to, whatever the state */
	uint64_t storm_until;
	uint64_t random;
	/* What happened */
	uint64_t requests, segments, bytes, events, sent, responses, errors;
};

uint64_t now_ms(void);
uint64_t be_random(struct backend *be);
void say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void die(const char *fmt, ...) __attribute__((format(printf, 1, 2), noreturn));

/* badblk_store.c */
void store_create(struct backend *be);
void store_changed(struct backend *be); /* a watch has fired */
void store_state(struct backend *be, const char *value);
void store_set_state(struct backend *be, enum xenbus_state state);
void store_remove(struct backend *be, bool backend, bool frontend);
bool store_number(struct backend *be, const char *dir, const char *node, uint64_t *out);

/* badblk_ring.c */
bool ring_connect(struct backend *be); /* as the frontend's nodes say */
void ring_disconnect(struct backend *be);
void ring_event(struct backend *be, evtchn_port_t port);
void ring_serve(struct backend *be, struct queue *q);
void ring_flush(struct backend *be, struct queue *q);  /* answer now, or lie */
void ring_answer(struct backend *be, struct queue *q); /* all that is held */
void ring_put(struct backend *be, struct queue *q, uint64_t id, uint8_t op, int16_t status);
void ring_push(struct backend *be, struct queue *q, bool always);
void *ring_map(struct backend *be, grant_ref_t ref);

/* badblk_evil.c */
bool evil_add(struct backend *be, const char *text); /* NAME[=ARG][@REQUEST] */
void evil_list(void);
void evil_before_answers(struct backend *be, struct queue *q);
void evil_connected(struct backend *be);
int evil_timer(struct backend *be); /* ms until it wants to be called again; -1: never */

#endif
