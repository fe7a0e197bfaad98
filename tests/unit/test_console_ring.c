/* SPDX-License-Identifier: MIT */
/*
 * The console ring against an honest peer, one byte of whose view may lie anywhere in 2^32, and
 * against one that writes nonsense.
 *
 * SOURCES: lib/string.c
 */
#include "test.h"

#include "../../drivers/pvfront/console_ring.h"

#include <string.h>

/* Bytes on both sides of the page, to see that nothing is written beside it. */
static struct {
	char before[64];
	struct xencons_interface page;
	char after[64];
} mem;
static struct console_ring ring;

static void start(uint32_t index)
{
	memset(&mem, 0x5a, sizeof(mem));
	mem.page.in_cons = mem.page.in_prod = mem.page.out_cons = mem.page.out_prod = index;
	console_ring_attach(&ring, &mem.page);
}

static bool fence_whole(void)
{
	for (unsigned i = 0; i < sizeof(mem.before); i++)
		if (mem.before[i] != 0x5a || mem.after[i] != 0x5a)
			return false;
	return true;
}

/* The backend: takes up to @n bytes of output. */
static size_t peer_take(char *buf, size_t n)
{
	struct xencons_interface *p = &mem.page;
	size_t got = 0;

	while (got < n && p->out_cons != p->out_prod)
		buf[got++] = p->out[p->out_cons++ % sizeof(p->out)];
	return got;
}

/* Types up to @n bytes. */
static size_t peer_type(const char *buf, size_t n)
{
	struct xencons_interface *p = &mem.page;
	size_t put = 0;

	while (put < n && p->in_prod - p->in_cons < sizeof(p->in))
		p->in[p->in_prod++ % sizeof(p->in)] = buf[put++];
	return put;
}

TEST(output_arrives_in_order_whatever_the_index)
{
	static const uint32_t starts[] = {0, 1, 2047, 0x7fffffff, 0xfffffff0};

	for (unsigned s = 0; s < ARRAY_SIZE(starts); s++) {
		unsigned char next = 0, want = 0;
		char buf[700];

		start(starts[s]);
		for (unsigned i = 0; i < 200; i++) {
			size_t n = test_random() % sizeof(buf), put, got;

			for (size_t k = 0; k < n; k++)
				buf[k] = next + k;
			put = console_ring_put(&ring, buf, n);
			next += put;
			CHECK(put == n || console_ring_room(&ring) == 0);
			got = peer_take(buf, test_random() % sizeof(buf));
			for (size_t k = 0; k < got; k++)
				CHECK_EQ((unsigned char)buf[k], want++);
		}
		CHECK(!ring.broken);
	}
	CHECK(fence_whole());
}

TEST(input_arrives_in_order_and_the_peer_hears_of_room)
{
	unsigned char next = 0, want = 0;
	bool peer_waits = false, kick;
	char buf[1500];

	start(0xfffffe00);
	for (unsigned i = 0; i < 2000; i++) {
		size_t n = test_random() % sizeof(buf), put, got;

		if (!peer_waits) {
			for (size_t k = 0; k < n; k++)
				buf[k] = next + k;
			put = peer_type(buf, n);
			next += put;
			/* A real peer looks for room before it reads, and waits when there is none.
			 */
			peer_waits = mem.page.in_prod - mem.page.in_cons == sizeof(mem.page.in);
		}
		got = console_ring_get(&ring, buf, test_random() % 600, &kick);
		for (size_t k = 0; k < got; k++)
			CHECK_EQ((unsigned char)buf[k], want++);
		CHECK_EQ(kick, peer_waits && got > 0);
		if (kick)
			peer_waits = false;
	}
	CHECK(!ring.broken);
}

TEST(a_full_ring_takes_nothing)
{
	static char big[5000];

	start(0);
	CHECK_EQ(console_ring_put(&ring, big, sizeof(big)), 2048);
	CHECK_EQ(console_ring_put(&ring, big, 1), 0);
	CHECK_EQ(console_ring_unsent(&ring), 2048);
	CHECK(!ring.broken);
}

TEST(all_byte_values_pass)
{
	char out[256], back[256];
	bool kick;

	for (unsigned i = 0; i < 256; i++)
		out[i] = i;
	start(7);
	CHECK_EQ(console_ring_put(&ring, out, 256), 256);
	CHECK_EQ(peer_take(back, 256), 256);
	CHECK_MEM(out, back, 256);
	CHECK_EQ(peer_type(out, 256), 256);
	CHECK_EQ(console_ring_get(&ring, back, 256, &kick), 256);
	CHECK_MEM(out, back, 256);
	CHECK(!kick);
}

TEST(an_index_of_nonsense_breaks_the_ring_for_good)
{
	char buf[64];
	bool kick;

	start(100);
	mem.page.out_cons = 101; /* took what was never there */
	CHECK_EQ(console_ring_put(&ring, "abc", 3), 0);
	CHECK(ring.broken);
	mem.page.out_cons = 100;
	CHECK_EQ(console_ring_put(&ring, "abc", 3), 0);
	CHECK_EQ(console_ring_room(&ring), 0);

	start(100);
	mem.page.in_prod = 100 + 1025;
	CHECK_EQ(console_ring_get(&ring, buf, sizeof(buf), &kick), 0);
	CHECK(ring.broken && !kick);
}

TEST(our_indexes_are_not_the_page_s)
{
	char buf[8];

	start(0);
	CHECK_EQ(console_ring_put(&ring, "ab", 2), 2);
	mem.page.out_prod = 77; /* the peer writes where it may not */
	CHECK_EQ(console_ring_put(&ring, "cd", 2), 2);
	CHECK_EQ(mem.page.out_prod, 4);
	CHECK_EQ(peer_take(buf, 8), 4);
	CHECK_MEM(buf, "abcd", 4);
}

/* Anything in the page at any time: bounds hold, and a broken ring stays quiet. */
TEST(random_pages)
{
	char buf[3000];

	for (unsigned round = 0; round < 300; round++) {
		start(test_random());
		for (unsigned i = 0; i < 50; i++) {
			uint32_t *index = &mem.page.in_cons + test_random() % 4;
			bool was = ring.broken, kick;
			size_t n = test_random() % sizeof(buf), got;

			if (test_random() % 2)
				*index += test_random() % 4096 - 2048;
			else
				*index = test_random();
			got = test_random() % 2 ? console_ring_get(&ring, buf, n, &kick)
						: console_ring_put(&ring, buf, n);
			CHECK(got <= n && got <= 2048);
			CHECK(!was || (got == 0 && ring.broken));
		}
		CHECK(fence_whole());
	}
}
