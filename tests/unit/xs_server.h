/* SPDX-License-Identifier: MIT */
/*
 * A xenstored for unit tests: one page, a small store, and as much malice as is asked for. It runs
 * whenever the client sleeps, and like the real one only if it has been notified.
 */
#ifndef XS_SERVER_H
#define XS_SERVER_H

#include <types.h>
#include <xen/io/xs_wire.h>

/* Chances in 1000 that a step, or a reply, goes wrong in this way. */
struct malice {
	unsigned drop;     /* no reply */
	unsigned late;     /* the reply comes after the time-out */
	unsigned twice;    /* the same reply again */
	unsigned wrong;    /* another type, number or transaction in the reply */
	unsigned garbage;  /* random bytes as body */
	unsigned length;   /* a length that is not allowed */
	unsigned indexes;  /* random index in the page */
	unsigned anew;     /* the connection begins anew */
	unsigned events;   /* watch events that nobody asked for */
	unsigned conflict; /* a transaction fails */
	bool reconnects;   /* it has the feature */
};

extern struct malice malice;
extern struct xenstore_domain_interface server_page;

void server_reset(uint32_t at); /* everything new, an empty store */
void server_notified(void);
/* Work as long as there is something to do; true if something was done: the client has an event. */
bool server_step(void);
void server_anew(void); /* as INTRODUCE does: indexes 0, watches and transactions forgotten */
/* Somebody else changes this path. */
void server_touch(const char *path);
unsigned server_watches(void);
unsigned server_transactions(void);
/* Entries named "entry-N" in the directory "many". */
void server_many(unsigned n);

#endif
