/* SPDX-License-Identifier: MIT */
/*
 * xenstore on the wire: bytes come out of a ring as they went in, whatever the indexes; nonsense
 * from the other side is an error and never an access outside the ring.
 * SOURCES: drivers/pvfront/xenbus/wire.c
 */
#include "test.h"

#include <printk.h>
#include <string.h>
#include "../../drivers/pvfront/xenbus/wire.h"

static struct xenstore_domain_interface page;
static struct wire_ring out, in;

static void begin(uint32_t at)
{
	memset(&page, 0, sizeof(page));
	page.req_cons = page.req_prod = at;
	page.rsp_cons = page.rsp_prod = at;
	wire_attach(&out, &in, &page);
}

/* What the n-th byte that ever went in was. */
static char pattern(uint32_t n)
{
	return (char)(n * 7 + n / 251);
}

TEST(bytes_go_out_in_order_across_all_wraps)
{
	char buf[1500];
	uint32_t start = (uint32_t)test_random(), put = start, got = start;

	begin(start);
	for (int round = 0; round < 50000; round++) {
		size_t n = test_random() % 1400;

		if (test_random() % 2) {
			ssize_t did;

			for (size_t i = 0; i < n; i++)
				buf[i] = pattern(put + i);
			did = wire_put(&out, buf, n);
			REQUIRE_EQ(did, min(n, (size_t)(1024 - (put - got))));
			put += did;
			REQUIRE_EQ(page.req_prod, put);
		} else {
			for (n = min(n, (size_t)(put - got)); n; n--, got++)
				REQUIRE_EQ(page.req[got % 1024], pattern(got));
			page.req_cons = got;
		}
	}
}

TEST(indexes_that_cannot_be_are_refused)
{
	char buf[64];

	for (int round = 0; round < 20000; round++) {
		uint32_t at = (uint32_t)test_random(), ahead = (uint32_t)test_random();

		begin(at);
		if (round % 2)
			ahead %= 1030;
		page.rsp_prod = at + ahead;
		page.req_cons = at - ahead;
		if (ahead > 1024) {
			REQUIRE_EQ(wire_get(&in, buf, sizeof(buf)), -EIO);
			REQUIRE_EQ(wire_put(&out, buf, sizeof(buf)), -EIO);
			REQUIRE_EQ(page.rsp_cons, at);
			REQUIRE_EQ(page.req_prod, at);
		} else {
			REQUIRE_EQ(wire_get(&in, buf, sizeof(buf)), min(ahead, 64u));
			REQUIRE_EQ(wire_put(&out, buf, sizeof(buf)), min(1024 - ahead, 64u));
		}
	}
}

TEST(an_index_that_somebody_else_moved_is_seen)
{
	begin(77);
	CHECK(!wire_moved(&out) && !wire_moved(&in));
	page.req_prod = 0;
	CHECK(wire_moved(&out) && !wire_moved(&in));
	page.rsp_cons = 0;
	CHECK(wire_moved(&in));
}

/* The other side puts @n bytes, as far as there is room; how many. */
static size_t answer(const void *data, size_t n)
{
	uint32_t prod = page.rsp_prod;

	n = min(n, (size_t)(1024 - (prod - page.rsp_cons)));
	for (size_t i = 0; i < n; i++)
		page.rsp[(prod + i) % 1024] = ((const char *)data)[i];
	page.rsp_prod = prod + n;
	return n;
}

TEST(messages_of_every_length_arrive_in_pieces)
{
	static struct wire_message m;
	static char body[XS_PAYLOAD_MAX];

	begin((uint32_t)test_random());
	for (int round = 0; round < 3000; round++) {
		struct xsd_sockmsg head = {round % 20, round, round * 3, test_random() % 4097};
		size_t sent = 0, taken = 0, whole;
		int ret = 0;

		if (round % 3)
			head.len %= 40;
		for (unsigned i = 0; i < head.len; i++)
			body[i] = pattern(i + round);
		whole = sizeof(head) + head.len;
		while (ret == 0) {
			size_t n = 1 + test_random() % 700;

			if (sent < sizeof(head))
				sent += answer((char *)&head + sent, min(n, sizeof(head) - sent));
			else
				sent += answer(body + (sent - sizeof(head)), min(n, whole - sent));
			ret = wire_receive(&m, &in, &taken);
			REQUIRE(ret == 0 || sent == whole);
		}
		REQUIRE_EQ(ret, 1);
		REQUIRE_EQ(taken, whole);
		CHECK_MEM(&m.head, &head, sizeof(head));
		CHECK_MEM(m.body, body, head.len);
		CHECK_EQ(m.body[head.len], 0);
	}
}

TEST(a_message_that_is_too_long_ends_the_connection)
{
	static struct wire_message m;
	struct xsd_sockmsg head = {XS_READ, 1, 0, XS_PAYLOAD_MAX + 1};
	size_t taken = 0;

	begin(5);
	answer(&head, sizeof(head));
	CHECK_EQ(wire_receive(&m, &in, &taken), -EIO);
	/* And it stays so. */
	answer(&head, sizeof(head));
	CHECK_EQ(wire_receive(&m, &in, &taken), -EIO);
}

/* Any bytes with any indexes: only the sanitizers and the results' range judge. */
TEST(random_bytes_as_a_ring)
{
	static struct wire_message m;

	for (int round = 0; round < 20000; round++) {
		uint32_t at = (uint32_t)test_random();
		size_t taken = 0;
		int ret;

		begin(at);
		memset(&m, 0, sizeof(m));
		for (unsigned i = 0; i < 1024; i++)
			page.rsp[i] = (char)test_random();
		/* Now and then a header that means something. */
		if (round % 2) {
			struct xsd_sockmsg head = {0, 0, 0, test_random() % 5000};

			page.rsp_prod = at;
			answer(&head, sizeof(head));
		}
		page.rsp_prod = at + test_random() % 1030;
		do
			ret = wire_receive(&m, &in, &taken);
		while (ret == 1);
		REQUIRE(ret == 0 || ret == -EIO);
		REQUIRE(taken <= 1024);
		REQUIRE(m.got <= sizeof(m.head) + XS_PAYLOAD_MAX);
	}
}

TEST(errors_by_their_names)
{
	CHECK_EQ(wire_error("ENOENT", 7), -ENOENT);
	CHECK_EQ(wire_error("EACCES", 7), -EACCES);
	CHECK_EQ(wire_error("EAGAIN", 7), -EAGAIN);
	CHECK_EQ(wire_error("EPERM", 6), -EPERM);
	CHECK_EQ(wire_error("ENOENT", 6), -EIO);
	CHECK_EQ(wire_error("EWHATEVER", 10), -EIO);
	CHECK_EQ(wire_error("", 1), -EIO);
	CHECK_EQ(wire_error("", 0), -EIO);
}

static int number(const char *text, uint64_t least, uint64_t most)
{
	uint64_t value = 4711;
	int err = wire_number(text, strlen(text), least, most, &value);

	if (err)
		CHECK_EQ(value, 4711);
	return err ? err : (int)value;
}

TEST(numbers_are_digits_within_a_range)
{
	static const char *const wrong[] = {"",   " 1",  "1 ",  "-1",
					    "+1", "0x1", "1\n", "11",
					    "a",  "1a",  "4",   "99999999999999999999999"};

	CHECK_EQ(number("0", 0, 9), 0);
	CHECK_EQ(number("0009", 0, 9), 9);
	CHECK_EQ(number("10", 5, 10), 10);
	for (unsigned i = 0; i < ARRAY_SIZE(wrong); i++)
		CHECK_EQ(number(wrong[i], 5, 10), -ERANGE);
	CHECK_EQ(number("18446744073709551616", 0, UINT64_MAX), -ERANGE);
	for (int i = 0; i < 1000; i++) {
		uint64_t value = test_random() >> (test_random() % 64), got = 0;
		char text[24];
		int len = snprintk(text, sizeof(text), "%lu", value);

		CHECK_EQ(wire_number(text, len, 0, UINT64_MAX, &got), 0);
		CHECK_EQ(got, value);
	}
}

TEST(paths)
{
	static char path[XS_PATH_MAX + 2];

	CHECK_EQ(wire_path("/"), 0);
	CHECK_EQ(wire_path("device/vbd/51712"), 0);
	CHECK_EQ(wire_path("/local/domain/0/backend-1_x@y"), 0);
	CHECK_EQ(wire_path(""), -EINVAL);
	CHECK_EQ(wire_path("a//b"), -EINVAL);
	CHECK_EQ(wire_path("//"), -EINVAL);
	CHECK_EQ(wire_path("a/"), -EINVAL);
	CHECK_EQ(wire_path("a b"), -EINVAL);
	CHECK_EQ(wire_path("a\xc3\xa4"), -EINVAL);
	CHECK_EQ(wire_path("../x"), -EINVAL);
	memset(path, 'a', XS_PATH_MAX + 1);
	CHECK_EQ(wire_path(path), -ENAMETOOLONG);
	path[0] = '/';
	CHECK_EQ(wire_path(path), -ENAMETOOLONG);
	path[XS_PATH_MAX] = 0;
	CHECK_EQ(wire_path(path), 0);
	path[0] = 'a';
	path[2048] = 0;
	CHECK_EQ(wire_path(path), 0);
}

TEST(lists_of_strings)
{
	CHECK_EQ(wire_strings("", 0), 0);
	CHECK_EQ(wire_strings("a\0bc\0", 5), 2);
	CHECK_EQ(wire_strings("a\0bc", 4), -EIO);
	CHECK_EQ(wire_strings("\0\0", 2), 2);
}

TEST(permissions_there_and_back)
{
	char body[32], text[32];

	CHECK_EQ(wire_perms_text("n0\0r5", 6, text, sizeof(text)), 5);
	CHECK_STR(text, "n0 r5");
	CHECK_EQ(wire_perms_body("n0 r5", body, sizeof(body)), 6);
	CHECK_MEM(body, "n0\0r5", 6);
	CHECK_EQ(wire_perms_body("  b65535 ", body, sizeof(body)), 7);
	CHECK_EQ(wire_perms_body("", body, sizeof(body)), -EINVAL);
	CHECK_EQ(wire_perms_body("x0", body, sizeof(body)), -EINVAL);
	CHECK_EQ(wire_perms_body("n65536", body, sizeof(body)), -EINVAL);
	CHECK_EQ(wire_perms_body("n", body, sizeof(body)), -EINVAL);
	CHECK_EQ(wire_perms_body("n0 r5", body, 5), -E2BIG);
	CHECK_EQ(wire_perms_text("n0\0r5", 6, text, 5), -E2BIG);
	CHECK_EQ(wire_perms_text("n0\0r5", 5, text, sizeof(text)), -EIO);
	CHECK_EQ(wire_perms_text("", 0, text, sizeof(text)), -EIO);
	CHECK_EQ(wire_perms_text("\0", 1, text, sizeof(text)), -EIO);
	CHECK_EQ(wire_perms_text("nn", 3, text, sizeof(text)), -EIO);
}
