/* SPDX-License-Identifier: MIT */
/*
 * The backend's side of the handshake, without libxl: we are the toolstack as well. The directories
 * are made the way libxl makes them: the frontend's belongs to the guest and names the backend's,
 * which the guest may read. The backend's lies below backend/badblk rather than backend/vbd, so
 * that the Linux driver of this domain does not take it for one of its own.
 */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "badblk.h"

static bool put(struct backend *be, const char *dir, const char *node, const char *value)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/%s", dir, node);
	return xs_write(be->xs, be->tx, path, value, strlen(value));
}

static bool put_number(struct backend *be, const char *dir, const char *node, uint64_t n)
{
	char text[24];

	snprintf(text, sizeof(text), "%llu", (unsigned long long)n);
	return put(be, dir, node, text);
}

static char *get(struct backend *be, const char *dir, const char *node)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/%s", dir, node);
	return xs_read(be->xs, XBT_NULL, path, NULL);
}

bool store_number(struct backend *be, const char *dir, const char *node, uint64_t *out)
{
	char *text = get(be, dir, node), *end;
	bool ok = text && isdigit((unsigned char)*text);

	if (ok) {
		*out = strtoull(text, &end, 10);
		ok = !*end;
	}
	free(text);
	return ok;
}

void store_state(struct backend *be, const char *value)
{
	say("state %s", value);
	put(be, be->dir, "state", value);
}

void store_set_state(struct backend *be, enum xenbus_state state)
{
	char text[4];

	be->state = state;
	snprintf(text, sizeof(text), "%d", state);
	store_state(be, text);
}

/* "NAME=VALUE" in place of what was written; "NAME!" removes the node. */
static void override(struct backend *be, const char *dir, const char *text)
{
	const char *value = strchr(text, '=');
	char name[128], path[256];
	size_t len = value ? (size_t)(value - text) : strcspn(text, "!");

	snprintf(name, sizeof(name), "%.*s", (int)len, text);
	snprintf(path, sizeof(path), "%s/%s", dir, name);
	if (!(value ? put(be, dir, name, value + 1) : xs_rm(be->xs, be->tx, path)))
		say("node %s cannot be changed", path);
}

static void make_dir(struct backend *be, const char *dir, unsigned owner, unsigned reader)
{
	struct xs_permissions perms[2] = {{.id = owner, .perms = XS_PERM_NONE},
					  {.id = reader, .perms = XS_PERM_READ}};

	xs_rm(be->xs, be->tx, dir);
	if (!xs_mkdir(be->xs, be->tx, dir) || !xs_set_permissions(be->xs, be->tx, dir, perms, 2))
		die("cannot make %s", dir);
}

static void write_features(struct backend *be)
{
	put_number(be, be->dir, "feature-barrier", 0);
	put_number(be, be->dir, "feature-flush-cache", be->flush);
	put_number(be, be->dir, "feature-discard", be->discard);
	put_number(be, be->dir, "feature-persistent", be->persistent);
	if (be->order) {
		put_number(be, be->dir, "max-ring-page-order", be->order);
		put_number(be, be->dir, "max-ring-pages", 1u << be->order);
	}
	if (be->queues > 1)
		put_number(be, be->dir, "multi-queue-max-queues", be->queues);
	if (be->indirect)
		put_number(be, be->dir, "feature-max-indirect-segments", be->indirect);
}

static void write_geometry(struct backend *be)
{
	put_number(be, be->dir, "sectors", be->size / 512);
	put_number(be, be->dir, "sector-size", be->sector);
	put_number(be, be->dir, "physical-sector-size", be->sector);
	put_number(be, be->dir, "info", be->read_only ? 4 : 0);
}

/*
 * The backend's directory, then the frontend's, because the guest looks for that. Geometry belongs
 * just before Connected, as Linux does it; writing it here already makes no difference to who waits
 * for Connected.
 */
static void make_directories(struct backend *be)
{
	snprintf(be->dir, sizeof(be->dir), "/local/domain/0/backend/badblk/%u/%u", be->domid,
		 be->dev);
	snprintf(be->front, sizeof(be->front), "/local/domain/%u/device/vbd/%u", be->domid,
		 be->dev);
	make_dir(be, be->dir, 0, be->domid);
	put(be, be->dir, "frontend", be->front);
	put_number(be, be->dir, "frontend-id", be->domid);
	put(be, be->dir, "online", "1");
	put(be, be->dir, "dev", "bad");
	put(be, be->dir, "mode", be->read_only ? "r" : "w");
	write_features(be);
	write_geometry(be);
	for (unsigned i = 0; i < be->nr_node; i++)
		override(be, be->dir, be->node[i]);
	if (!be->states)
		store_set_state(be, XenbusStateInitWait);

	make_dir(be, be->front, be->domid, 0);
	put(be, be->front, "backend", be->dir);
	put_number(be, be->front, "backend-id", 0);
	put_number(be, be->front, "virtual-device", be->dev);
	put_number(be, be->front, "handle", be->dev);
	put(be, be->front, "device-type", "disk");
	for (unsigned i = 0; i < be->nr_front_node; i++)
		override(be, be->front, be->front_node[i]);
	put(be, be->front, "state", "1");
}

/* In one step, as a toolstack does: nobody sees a half of it. */
void store_create(struct backend *be)
{
	do {
		be->tx = xs_transaction_start(be->xs);
		make_directories(be);
	} while (!xs_transaction_end(be->xs, be->tx, false) && errno == EAGAIN);
	be->tx = XBT_NULL;
	xs_watch(be->xs, be->front, "front");
}

static void connect_now(struct backend *be)
{
	if (!ring_connect(be)) {
		say("the frontend's nodes make no sense");
		store_set_state(be, XenbusStateClosing);
		return;
	}
	if (!be->states)
		store_set_state(be, XenbusStateConnected);
	evil_connected(be);
}

/* What Linux's backends do on each state of the other side. */
static void front_state(struct backend *be, enum xenbus_state state)
{
	switch (state) {
	case XenbusStateInitialising:
		/* The driver there starts anew. */
		if (be->state == XenbusStateClosed && !be->stay_closed && !be->states)
			store_set_state(be, XenbusStateInitWait);
		break;
	case XenbusStateInitialised:
	case XenbusStateConnected:
		if (!be->nr_queues && be->state == XenbusStateInitWait)
			connect_now(be);
		break;
	case XenbusStateClosing:
		if (!be->keep)
			ring_disconnect(be);
		if (!be->states)
			store_set_state(be, XenbusStateClosing);
		break;
	case XenbusStateClosed:
		if (!be->keep)
			ring_disconnect(be);
		if (be->state != XenbusStateClosed && !be->states)
			store_set_state(be, XenbusStateClosed);
		break;
	default:
		break;
	}
}

void store_changed(struct backend *be)
{
	uint64_t state;
	char **event;

	while ((event = xs_check_watch(be->xs)))
		free(event);
	be->front_gone = !store_number(be, be->front, "state", &state);
	if (be->front_gone || state == be->front_state)
		return;
	be->front_state = state;
	say("frontend state %llu", (unsigned long long)state);
	front_state(be, state);
}

void store_remove(struct backend *be, bool backend, bool frontend)
{
	if (frontend)
		xs_rm(be->xs, XBT_NULL, be->front);
	if (backend)
		xs_rm(be->xs, XBT_NULL, be->dir);
	say("removed%s%s", backend ? " backend" : "", frontend ? " frontend" : "");
}
