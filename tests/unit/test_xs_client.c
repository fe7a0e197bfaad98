/* SPDX-License-Identifier: MIT */
/*
 * The xenstore client against a xenstored that runs while the client sleeps (xs_server.h): first an
 * honest one that is only slow and takes bytes in any portions, then one of every kind of malice.
 * Whatever it does, calls end with an error that the header names, nothing leaks, and an honest
 * server afterwards is understood again.
 *
 * "Other threads" are calls made from within a sleep; so several requests are in flight.
 *
 * SOURCES: drivers/pvfront/xenbus/wire.c tests/unit/xs_server.c lib/string.c
 */
#include "test.h"

#include <hv.h>
#include <mm.h>
#include <printk.h>
#include <proc.h>
#include <string.h>
#include "xs_server.h"

static struct thread *test_thread;
static struct cpu test_cpu;
#undef current
#define current test_thread
#define this_cpu() (&test_cpu)

#include "../../drivers/pvfront/xenbus/client.c"
#include "../../drivers/pvfront/xenbus/calls.c"
#include "../../drivers/pvfront/xenbus/watch.c"

void *malloc(unsigned long n);
void *calloc(unsigned long n, unsigned long size);
void free(void *p);

static ktime_t now;
static int blocks;       /* allocated */
static unsigned fail_in; /* allocations until one fails; 0: never */
static int depth;
static void (*meanwhile)(void);

void *kmalloc(size_t size, unsigned flags)
{
	void *p;

	if (fail_in && !--fail_in)
		return NULL;
	p = flags & ALLOC_ZERO ? calloc(1, size) : malloc(size);
	blocks++;
	return p;
}

void kfree(void *p)
{
	blocks -= p != NULL;
	free(p);
}

ktime_t clock_now(void)
{
	return now;
}

struct hv_channel hv_store_channel(void)
{
	return (struct hv_channel){&server_page, 1};
}

int evtchn_bind_handler(unsigned port, void (*fn)(void *), void *arg, const char *name)
{
	return (int)port;
}

int evtchn_send(unsigned port)
{
	server_notified();
	return 0;
}

struct thread *kthread_create(const char *name, void (*fn)(void *), void *arg)
{
	return (struct thread *)&depth;
}

void waitq_init(struct waitq *wq)
{
	list_init(&wq->waiters);
}

static unsigned woken;

void waitq_wake_all(struct waitq *wq)
{
	woken++;
}

/* The world goes on while somebody sleeps; when nothing moves any more, it is the deadline. */
int sleep_on(struct waitq *wq, spinlock_t *lk, unsigned flags, ktime_t deadline)
{
	unsigned before = woken;

	spin_unlock(lk);
	if (meanwhile && depth < 6 && test_random() % 3 == 0) {
		depth++;
		meanwhile();
		depth--;
	}
	for (int idle = 0; woken == before && idle < 20; idle++) {
		now += test_random() % 1000000;
		if (server_step()) {
			store_event(NULL);
			idle = 0;
		}
		if (now > deadline)
			break;
	}
	spin_lock(lk);
	if (woken != before)
		return 0;
	now = max(now, deadline == KTIME_NEVER ? now : deadline);
	return -ETIMEDOUT;
}

/* xenstored works until there is nothing left. */
static void drain(void)
{
	while (server_step())
		store_event(NULL);
}

/* What the watch thread does; and it looks at the ring when the client is in doubt. */
static void watch_thread_runs(void)
{
	struct xs_watch *w;

	drain();
	spin_lock(&xs_lock);
	for (int i = 0; i < 100 && (w = next_watch()); i++)
		watch_serve(w);
	if (xs_suspect())
		xs_pump();
	spin_unlock(&xs_lock);
}

static void begin(void)
{
	static bool started;

	meanwhile = NULL;
	depth = 0;
	fail_in = 0;
	server_reset((uint32_t)test_random());
	wire_attach(&c.out, &c.in, &server_page);
	c.message.got = 0;
	if (!started)
		CHECK_EQ(xs_start(), 0);
	started = true;
	c.state = LINK_UP;
}

/* Nothing is left of what was asked. */
static void check_idle(void)
{
	CHECK(list_empty(&c.queue));
	CHECK(list_empty(&c.waiting));
	CHECK_EQ(c.in_flight, 0);
	CHECK_EQ(blocks, 0);
}

TEST(values_come_back)
{
	char text[64], *value;
	uint64_t n = 0;
	size_t len;

	begin();
	CHECK_EQ(xs_write(0, "a/b", "hello", 5), 0);
	CHECK_EQ(xs_gets(0, "a", "b", text, sizeof(text)), 5);
	CHECK_STR(text, "hello");
	CHECK_EQ(xs_gets(0, "a", "b", text, 5), -E2BIG);
	CHECK_EQ(xs_read(0, "a/c", &value, &len), -ENOENT);
	CHECK_EQ(xs_printf(0, "a", "n", "%u", 4711), 0);
	CHECK_EQ(xs_scan(0, "a", "n", 0, 5000, &n), 0);
	CHECK_EQ(n, 4711);
	CHECK_EQ(xs_scan(0, "a", "n", 0, 4000, &n), -ERANGE);
	CHECK_EQ(xs_scan(0, "a", "b", 0, 4000, &n), -ERANGE);
	CHECK_EQ(xs_get_perms(0, "a", text, sizeof(text)), 5);
	CHECK_STR(text, "n1 r0");
	CHECK_EQ(xs_set_perms(0, "a", "n1 r0"), 0);
	CHECK_EQ(xs_set_perms(0, "a", "all"), -EINVAL);
	CHECK_EQ(xs_rm(0, "a/b"), 0);
	CHECK_EQ(xs_rm(0, "a/b"), -ENOENT);
	CHECK_EQ(xs_write(0, "a//b", "", 0), -EINVAL);
	CHECK_EQ(c.time_outs, 0);
	check_idle();
}

TEST(long_values_and_listings)
{
	static char big[5000];
	char *value, **names;
	size_t len;
	unsigned n;

	begin();
	memset(big, 'x', sizeof(big));
	for (size_t size = 1900; size <= 2048; size += 37) {
		CHECK_EQ(xs_write(0, "big", big, size), 0);
		REQUIRE_EQ(xs_read(0, "big", &value, &len), 0);
		CHECK_EQ(len, size);
		CHECK_MEM(value, big, size);
		kfree(value);
	}
	CHECK_EQ(xs_write(0, "big", big, 4093), -E2BIG);
	CHECK_EQ(xs_write(0, "big", big, 4092), -ENOSPC);
	for (unsigned many = 0; many < 3000; many = many * 3 + 1) {
		server_many(many);
		REQUIRE_EQ(xs_directory(0, "many", &names, &n), 0);
		REQUIRE_EQ(n, many);
		if (many)
			CHECK_STR(names[many - 1] + 6, names[many - 1] + 6);
		kfree(names);
	}
	malice.conflict = 1000;
	CHECK_EQ(xs_directory(0, "many", &names, &n), -EAGAIN);
	check_idle();
}

TEST(many_nodes_at_once)
{
	struct xs_field f[20], wrong = {.node = "a//b", .most = 1, .value = 17};
	char node[20][8], text[20][8];
	unsigned long before;

	begin();
	for (unsigned i = 0; i < 20; i++) {
		snprintk(node[i], sizeof(node[i]), "n%u", i);
		snprintk(text[i], sizeof(text[i]), "%u", i * 10);
		f[i] = (struct xs_field){.node = node[i], .text = text[i]};
	}
	before = c.requests;
	CHECK_EQ(xs_write_all(0, "many-nodes", f, 20), 0);
	CHECK_EQ(c.requests - before, 20);
	CHECK(c.max_in_flight >= 16);
	CHECK_EQ(xs_rm(0, "many-nodes/n3"), 0);
	for (unsigned i = 0; i < 20; i++)
		f[i] = (struct xs_field){.node = node[i], .most = 100, .value = 4711};
	xs_scan_all(0, "many-nodes", f, 20);
	for (unsigned i = 0; i < 20; i++) {
		CHECK_EQ(f[i].err, i == 3 ? -ENOENT : i > 10 ? -ERANGE : 0);
		CHECK_EQ(f[i].value, f[i].err ? 4711 : i * 10);
	}
	xs_scan_all(0, "many-nodes", &wrong, 1);
	CHECK_EQ(wrong.err, -EINVAL);
	CHECK_EQ(wrong.value, 17);
	check_idle();
}

static unsigned calls;
static char last[128];

static void seen(struct xs_watch *w, const char *path)
{
	calls++;
	strlcpy(last, path, sizeof(last));
}

TEST(watches_tell_and_a_flood_is_bounded)
{
	struct xs_watch w = {.path = "w", .fn = seen};
	char path[32];

	begin();
	calls = 0;
	CHECK_EQ(xs_watch(&w), 0);
	watch_thread_runs();
	CHECK_EQ(calls, 1);
	CHECK_STR(last, "w");
	CHECK_EQ(xs_write(0, "w/x", "1", 1), 0);
	CHECK_EQ(xs_write(0, "elsewhere", "1", 1), 0);
	watch_thread_runs();
	CHECK_EQ(calls, 2);
	CHECK_STR(last, "w/x");
	/* The same path many times is one call ... */
	for (int i = 0; i < 1000; i++)
		CHECK_EQ(xs_write(0, "w/x", "1", 1), 0);
	watch_thread_runs();
	CHECK_EQ(calls, 3);
	/* ... and many paths are few, the last being that there were more. */
	for (int i = 0; i < 1000; i++) {
		snprintk(path, sizeof(path), "w/%d", i);
		server_touch(path);
	}
	drain();
	CHECK_EQ(w.nr_events, EVENTS_MAX);
	CHECK_EQ(blocks, EVENTS_MAX);
	watch_thread_runs();
	CHECK_EQ(calls, 3 + EVENTS_MAX + 1);
	CHECK_STR(last, "w");
	xs_unwatch(&w);
	spin_lock(&xs_lock);
	xs_pump();
	spin_unlock(&xs_lock);
	drain();
	CHECK_EQ(server_watches(), 0);
	check_idle();
}

static void unwatch_itself(struct xs_watch *w, const char *path)
{
	calls++;
	xs_unwatch(w);
	kfree(w);
}

TEST(a_watch_may_end_itself)
{
	struct xs_watch *w = kmalloc(sizeof(*w), 0);

	begin();
	*w = (struct xs_watch){.path = "w", .fn = unwatch_itself};
	CHECK_EQ(xs_watch(w), 0);
	calls = 0;
	watch_thread = test_thread = (struct thread *)&depth;
	watch_thread_runs();
	test_thread = NULL;
	CHECK_EQ(calls, 1);
	CHECK(list_empty(&watches));
	drain();
	CHECK_EQ(server_watches(), 0);
	check_idle();
}

TEST(no_reply_is_a_time_out_and_a_late_one_is_dropped)
{
	char *value;
	xs_tx_t tx;

	begin();
	CHECK_EQ(xs_write(0, "a", "1", 1), 0);
	malice.late = 1000;
	now = 0;
	c.suspect = false;
	CHECK_EQ(xs_read(0, "a", &value, NULL), -ETIMEDOUT);
	CHECK(now >= XS_TIMEOUT && now < XS_TIMEOUT + NSEC_PER_SEC);
	CHECK_EQ(xs_tx_start(&tx), -ETIMEDOUT);
	CHECK_EQ(server_transactions(), 1);
	malice.late = 0;
	for (int i = 0; i < 50; i++) {
		REQUIRE_EQ(xs_read(0, "a", &value, NULL), 0);
		CHECK_STR(value, "1");
		kfree(value);
	}
	CHECK(c.late >= 2);
	/* The transaction that nobody waited for has been ended. */
	CHECK_EQ(server_transactions(), 0);
	check_idle();
}

TEST(a_begun_request_is_finished_though_nobody_waits)
{
	static char big[2000];
	char *value;

	begin();
	/* xenstored stands still: more than a ring of requests. */
	memset(big, 'y', sizeof(big));
	for (int i = 0; i < 3; i++) {
		struct request *r = request_new(
			0, XS_WRITE, (struct xs_piece[]){XS_TEXT0("big"), {big, 2000}}, 2, 0);

		spin_lock(&xs_lock);
		r->msg.head.req_id = new_id(0);
		c.in_flight++;
		list_add_tail(&c.queue, &r->link);
		xs_pump();
		give_up(r);
		spin_unlock(&xs_lock);
	}
	/* Only the first had begun. */
	CHECK_EQ(blocks, 1);
	REQUIRE_EQ(xs_read(0, "big", &value, NULL), 0);
	CHECK_EQ(strlen(value), 2000);
	kfree(value);
	check_idle();
}

TEST(a_connection_begun_anew_is_followed)
{
	struct xs_watch w = {.path = "w", .fn = seen};
	char *value;
	xs_tx_t tx;

	begin();
	CHECK_EQ(xs_watch(&w), 0);
	watch_thread_runs();
	CHECK_EQ(xs_tx_start(&tx), 0);
	server_anew();
	CHECK_EQ(server_watches(), 0);
	CHECK_EQ(xs_write(0, "a", "1", 1), 0);
	calls = 0;
	watch_thread_runs();
	watch_thread_runs();
	CHECK_EQ(server_watches(), 1);
	/* It is told to look again. */
	CHECK(calls >= 1);
	/* In flight while it happens: asked again, but not within a transaction. */
	malice.drop = 1000;
	for (int i = 0; i < 2; i++) {
		struct request *r = request_new(i ? tx : 0, XS_READ, &XS_TEXT0("a"), 1, 0);

		spin_lock(&xs_lock);
		r->msg.head.req_id = new_id(0);
		c.in_flight++;
		list_add_tail(&c.queue, &r->link);
		xs_pump();
		spin_unlock(&xs_lock);
		drain();
		malice.drop = 0;
		server_anew();
		spin_lock(&xs_lock);
		for (int n = 0; n < 10 && !r->done; n++) {
			xs_pump();
			spin_unlock(&xs_lock);
			drain();
			spin_lock(&xs_lock);
		}
		spin_unlock(&xs_lock);
		REQUIRE(r->done);
		CHECK_EQ(r->err, i ? -EAGAIN : 0);
		kfree(r->reply.body);
		kfree(r);
		malice.drop = 1000;
	}
	malice.drop = 0;
	watch_thread_runs();
	REQUIRE_EQ(xs_read(0, "a", &value, NULL), 0);
	kfree(value);
	xs_unwatch(&w);
	CHECK_EQ(xs_write(0, "a", "1", 1), 0);
	check_idle();
}

TEST(nonsense_ends_the_connection_cleanly)
{
	char *value;

	begin();
	malice.length = 1000;
	CHECK_EQ(xs_read(0, "a", &value, NULL), -EIO);
	malice.length = 0;
	CHECK_EQ(c.state, LINK_BROKEN);
	CHECK_EQ(xs_read(0, "a", &value, NULL), -EIO);
	check_idle();
	/* Introduced again, it works again. */
	server_anew();
	CHECK_EQ(xs_write(0, "a", "1", 1), 0);
	CHECK_EQ(c.state, LINK_UP);
	/* A server that can reconnect is asked to, and the request goes on by itself. */
	malice.reconnects = true;
	server_step();
	malice.length = 300;
	c.complaints = COMPLAINTS;
	for (int i = 0; i < 100; i++) {
		CHECK_EQ(xs_read(0, "a", &value, NULL), 0);
		kfree(value);
	}
	check_idle();
}

static bool known_error(int err)
{
	static const int known[] = {0,       -EIO,    -ETIMEDOUT, -ENOENT,   -EAGAIN,
				    -ENOSPC, -ENOMEM, -ERANGE,    -E2BIG,    -EINVAL,
				    -EACCES, -EEXIST, -EISDIR,    -EROFS,    -EBUSY,
				    -ENOSYS, -EPERM,  -EISCONN,   -ENOTEMPTY};

	for (unsigned i = 0; i < ARRAY_SIZE(known); i++)
		if (known[i] == err)
			return true;
	return false;
}

static bool honest;

static void any_call(void)
{
	char text[64], path[16], *value, **names;
	size_t len = 0;
	unsigned n = 0;
	uint64_t number;
	xs_tx_t tx;
	int err = 0;

	snprintk(path, sizeof(path), "p/%lu", test_random() % 8);
	switch (test_random() % 9) {
	case 8: {
		struct xs_field f[3] = {{.node = "0", .most = 9},
					{.node = "1", .most = 9},
					{.node = "2", .most = 9}};

		xs_scan_all(0, "p", f, 3);
		err = f[test_random() % 3].err;
		break;
	}
	case 0:
		err = xs_read(0, path, &value, &len);
		if (!err)
			kfree(value);
		break;
	case 1:
		err = xs_printf(0, "p", path + 2, "%lu", test_random());
		break;
	case 2:
		err = xs_scan(0, "p", path + 2, 0, UINT64_MAX, &number);
		break;
	case 3:
		server_many(test_random() % 900);
		err = xs_directory(0, "many", &names, &n);
		if (!err)
			kfree(names);
		break;
	case 4:
		err = (int)xs_get_perms(0, path, text, sizeof(text));
		err = min(err, 0);
		break;
	case 5:
		err = xs_tx_start(&tx);
		if (!err)
			err = xs_write(tx, path, "x", 1);
		if (!err)
			err = xs_tx_end(tx, test_random() % 2);
		break;
	case 6:
		err = xs_rm(0, path);
		break;
	case 7:
		server_touch("p/1");
		break;
	}
	if (!known_error(err) || (honest && (err == -EIO || err == -ETIMEDOUT)))
		test_failed(__FILE__, __LINE__, "unexpected error %d", err);
}

TEST(many_requests_in_flight)
{
	begin();
	honest = true;
	meanwhile = any_call;
	for (int i = 0; i < 3000; i++)
		any_call();
	meanwhile = NULL;
	CHECK(c.max_in_flight > 3);
	CHECK_EQ(c.state, LINK_UP);
	check_idle();
}

TEST(every_kind_of_malice)
{
	unsigned *const kinds[] = {&malice.drop,    &malice.late,    &malice.twice,   &malice.wrong,
				   &malice.garbage, &malice.length,  &malice.indexes, &malice.anew,
				   &malice.events,  &malice.conflict};
	struct xs_watch w = {.path = "p", .fn = seen};

	c.complaints = COMPLAINTS;
	honest = false;
	for (int round = 0; round < 80; round++) {

		begin();
		malice.reconnects = test_random() % 2;
		for (unsigned i = 0; i < ARRAY_SIZE(kinds); i++)
			if (test_random() % 3 == 0)
				*kinds[i] = test_random() % 3 ? test_random() % 30
							      : test_random() % 500;
		if (test_random() % 4 == 0)
			fail_in = 1 + test_random() % 200;
		bool watched = xs_watch(&w) == 0;

		meanwhile = any_call;
		for (int i = 0; i < 40; i++) {
			any_call();
			watch_thread_runs();
		}
		meanwhile = NULL;
		fail_in = 0;
		if (watched)
			xs_unwatch(&w);
		/* It comes to its senses. */
		memset(&malice, 0, sizeof(malice));
		server_anew();
		for (int i = 0; i < 3; i++) {
			int err = xs_write(0, "sane", "1", 1);

			if (i || err != -EAGAIN)
				REQUIRE_EQ(err, 0);
		}
		drain();
		check_idle();
	}
}
