/* SPDX-License-Identifier: MIT */
/*
 * The grant table against a model, with a peer that maps and unmaps what is open to it whenever it
 * likes.
 * SOURCES: arch/pv-x86_64/grant_table.c
 */
#include "test.h"

#include "../../arch/pv-x86_64/grant_table.h"

#define FRAMES 4
#define N (FRAMES * GRANTS_PER_FRAME)
#define MFN_OF(i) (0x10000u + (i))

static struct grant_entry_v1 entries[N];
static struct grant_slot slots[FRAMES][GRANTS_PER_FRAME];
static struct grant_table t;

enum state { FREE, USED, OPEN, ASIDE };
static enum state state[N];
static uint32_t page[N]; /* that goes with one set aside */

static void start(unsigned frames)
{
	t = (struct grant_table){.entries = entries};
	for (unsigned i = 0; i < N; i++) {
		entries[i] = (struct grant_entry_v1){0};
		state[i] = FREE;
	}
	for (unsigned i = 0; i < frames; i++) {
		for (unsigned k = 0; k < GRANTS_PER_FRAME; k++)
			slots[i][k] = (struct grant_slot){0xdeadu, 0xbeefu};
		grant_table_add(&t, slots[i]);
	}
}

TEST(the_reserved_ones_are_not_handed_out)
{
	unsigned n = 0;
	uint32_t ref;

	start(1);
	entries[0].flags = entries[1].flags = GTF_permit_access; /* the toolstack's */
	while ((ref = grant_table_take(&t))) {
		CHECK(ref >= GNTTAB_NR_RESERVED_ENTRIES && ref < GRANTS_PER_FRAME);
		n++;
	}
	CHECK_EQ(n, GRANTS_PER_FRAME - GNTTAB_NR_RESERVED_ENTRIES);
	CHECK_EQ(t.free, 0);
	CHECK_EQ(t.used, n);
}

TEST(a_frame_more)
{
	start(1);
	while (grant_table_take(&t))
		;
	grant_table_add(&t, slots[1]);
	CHECK_EQ(grant_table_take(&t), GRANTS_PER_FRAME);
	CHECK_EQ(grant_table_take(&t), GRANTS_PER_FRAME + 1);
}

TEST(what_the_peer_sees)
{
	uint32_t ref;

	start(1);
	ref = grant_table_take(&t);
	CHECK_EQ(entries[ref].flags, 0);
	grant_table_allow(&t, ref, 7, 0x1234, true);
	CHECK_EQ(entries[ref].flags, GTF_permit_access | GTF_readonly);
	CHECK_EQ(entries[ref].domid, 7);
	CHECK_EQ(entries[ref].frame, 0x1234);
	entries[ref].flags |= GTF_reading;
	CHECK_EQ(grant_table_revoke(&t, ref), -EBUSY);
	CHECK_EQ(entries[ref].flags, GTF_permit_access | GTF_readonly | GTF_reading);
	entries[ref].flags &= ~GTF_reading;
	CHECK_EQ(grant_table_revoke(&t, ref), 0);
	CHECK_EQ(entries[ref].flags, 0);
	grant_table_give(&t, ref);
	CHECK_EQ(grant_table_take(&t), ref);
}

/* Frames that did not fit into one retry come with the next. */
TEST(many_set_aside)
{
	uint32_t pfns[16], n, seen = 0;
	unsigned freed;

	start(1);
	for (unsigned i = 0; i < 40; i++) {
		uint32_t ref = grant_table_take(&t);

		grant_table_allow(&t, ref, 1, MFN_OF(ref), false);
		entries[ref].flags |= GTF_reading | GTF_writing;
		REQUIRE_EQ(grant_table_revoke(&t, ref), -EBUSY);
		grant_table_set_aside(&t, ref, i % 2 ? 1000 + i : GRANT_NO_PFN);
	}
	CHECK_EQ(grant_table_retry(&t, pfns, 16, &freed), 0);
	CHECK_EQ(freed, 0);
	CHECK_EQ(t.aside, 40);
	for (unsigned i = 0; i < N; i++)
		entries[i].flags &= ~(GTF_reading | GTF_writing);
	while ((n = grant_table_retry(&t, pfns, 16, &freed)))
		seen += n;
	CHECK_EQ(seen, 20);
	CHECK_EQ(t.aside, 0);
	CHECK_EQ(t.used, 0);
	CHECK_EQ(t.free, GRANTS_PER_FRAME - GNTTAB_NR_RESERVED_ENTRIES);
}

/* The peer: map or unmap any entry that is open, or that it has. */
static void peer(void)
{
	uint32_t ref = test_random() % (t.frames * GRANTS_PER_FRAME);
	uint16_t *flags = &entries[ref].flags;

	if (*flags & (GTF_reading | GTF_writing)) {
		*flags &= ~(GTF_reading | GTF_writing);
	} else if (*flags & GTF_permit_access) {
		CHECK_EQ(entries[ref].frame, MFN_OF(ref));
		CHECK_EQ(entries[ref].domid, ref % 5);
		*flags |= *flags & GTF_readonly ? GTF_reading : GTF_reading | GTF_writing;
	}
}

static void one_take(void)
{
	uint32_t ref = grant_table_take(&t);

	if (!ref) {
		CHECK_EQ(t.free, 0);
		if (t.frames < FRAMES)
			grant_table_add(&t, slots[t.frames]);
		return;
	}
	CHECK_EQ(state[ref], FREE);
	CHECK_EQ(entries[ref].flags, 0);
	state[ref] = USED;
}

static void one_change(uint32_t ref)
{
	if (state[ref] == USED) {
		grant_table_allow(&t, ref, ref % 5, MFN_OF(ref), ref % 3 == 0);
		state[ref] = OPEN;
	} else if (state[ref] == OPEN) {
		bool mapped = entries[ref].flags & (GTF_reading | GTF_writing);

		CHECK_EQ(grant_table_revoke(&t, ref), mapped ? -EBUSY : 0);
		if (!mapped) {
			grant_table_give(&t, ref);
			state[ref] = FREE;
		} else if (test_random() % 2) {
			page[ref] = test_random() % 3 ? 5000 + ref : GRANT_NO_PFN;
			grant_table_set_aside(&t, ref, page[ref]);
			state[ref] = ASIDE;
		}
	}
}

static void one_retry(void)
{
	uint32_t pfns[8];
	unsigned freed, gone = 0, n = grant_table_retry(&t, pfns, 8, &freed);

	CHECK(n <= 8);
	for (unsigned i = 0; i < n; i++) {
		uint32_t ref = pfns[i] - 5000;

		REQUIRE(ref < N);
		CHECK_EQ(state[ref], ASIDE);
		CHECK_EQ(page[ref], pfns[i]);
	}
	for (uint32_t ref = 0; ref < t.frames * GRANTS_PER_FRAME; ref++)
		if (state[ref] == ASIDE && entries[ref].flags == 0) {
			state[ref] = FREE;
			gone++;
		}
	CHECK_EQ(gone, freed);
}

TEST(random_use_with_a_random_peer)
{
	start(1);
	for (unsigned i = 0; i < 300000; i++) {
		unsigned n[4] = {0};

		for (unsigned k = test_random() % 4; k; k--)
			peer();
		switch (test_random() % 8) {
		case 0:
		case 1:
			one_take();
			break;
		case 2:
			if (test_random() % 50 == 0)
				one_retry();
			break;
		default:
			one_change(test_random() % (t.frames * GRANTS_PER_FRAME));
		}
		if (i % 4096)
			continue;
		for (uint32_t ref = GNTTAB_NR_RESERVED_ENTRIES; ref < t.frames * GRANTS_PER_FRAME;
		     ref++)
			n[state[ref]]++;
		REQUIRE_EQ(t.free, n[FREE]);
		REQUIRE_EQ(t.used, n[USED] + n[OPEN]);
		REQUIRE_EQ(t.aside, n[ASIDE]);
	}
	CHECK(t.frames > 1);
}
