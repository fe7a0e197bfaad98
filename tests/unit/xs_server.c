/* SPDX-License-Identifier: MIT */
/* A xenstored for unit tests (xs_server.h). */
#include <string.h>
#include "test.h"
#include "xs_server.h"

/* The host's library, whose headers do not go with the kernel's. */
void *realloc(void *p, unsigned long n);
void free(void *p);
int atoi(const char *s);
int snprintf(char *buf, unsigned long size, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

#define NODES 64
#define WATCHES 32
#define RING XENSTORE_RING_SIZE

struct malice malice;
struct xenstore_domain_interface server_page;

static struct {
	uint32_t req_cons, rsp_prod;
	bool awake, dead;
	char in[16 + 4096];
	size_t got;
	char *out;
	size_t out_len;
	char *late;
	size_t late_len;
	struct node {
		char path[64], value[2048];
		size_t len;
	} nodes[NODES];
	struct {
		char path[64], token[16];
	} watches[WATCHES];
	unsigned transactions, last_tx, many, generation;
} s;

static bool chance(unsigned in_1000)
{
	return test_random() % 1000 < in_1000;
}

void server_notified(void)
{
	s.awake = true;
}

void server_anew(void)
{
	s.req_cons = s.rsp_prod = 0;
	server_page.req_cons = server_page.req_prod = 0;
	server_page.rsp_cons = server_page.rsp_prod = 0;
	server_page.error = 0;
	server_page.connection = XENSTORE_CONNECTED;
	memset(s.watches, 0, sizeof(s.watches));
	s.transactions = 0;
	s.got = s.out_len = s.late_len = 0;
	s.dead = false;
}

void server_reset(uint32_t at)
{
	free(s.out);
	free(s.late);
	memset(&s, 0, sizeof(s));
	memset(&malice, 0, sizeof(malice));
	memset(&server_page, 0, sizeof(server_page));
	server_page.req_cons = server_page.req_prod = s.req_cons = at;
	server_page.rsp_cons = server_page.rsp_prod = s.rsp_prod = at + 99;
}

void server_many(unsigned n)
{
	s.many = n;
}

unsigned server_transactions(void)
{
	return s.transactions;
}

unsigned server_watches(void)
{
	unsigned n = 0;

	for (int i = 0; i < WATCHES; i++)
		n += s.watches[i].path[0] != 0;
	return n;
}

static void append(char **buf, size_t *len, const void *data, size_t n)
{
	*buf = realloc(*buf, *len + n + 1);
	memcpy(*buf + *len, data, n);
	*len += n;
}

static void message(uint32_t type, uint32_t id, uint32_t tx, const void *body, size_t len)
{
	struct xsd_sockmsg head = {type, id, tx, len};

	append(&s.out, &s.out_len, &head, sizeof(head));
	append(&s.out, &s.out_len, body, len);
}

static void event(const char *path, const char *token)
{
	char body[128];
	int n = snprintf(body, sizeof(body), "%s%c%s", path, 0, token);

	if (chance(malice.events)) {
		n = test_random() % sizeof(body);
		for (int i = 0; i < n; i++)
			body[i] = (char)test_random();
		message(XS_WATCH_EVENT, 0, 0, body, n);
		return;
	}
	message(XS_WATCH_EVENT, 0, 0, body, n + 1);
}

void server_touch(const char *path)
{
	for (int i = 0; i < WATCHES; i++) {
		size_t n = strlen(s.watches[i].path);

		if (n && !strncmp(path, s.watches[i].path, n) && (!path[n] || path[n] == '/'))
			event(path, s.watches[i].token);
	}
}

static void reply(const struct xsd_sockmsg *to, const void *body, size_t len)
{
	struct xsd_sockmsg head = *to;
	char noise[300];

	head.len = len;
	if (chance(malice.drop))
		return;
	if (chance(malice.garbage)) {
		head.len = len = test_random() % sizeof(noise);
		for (size_t i = 0; i < len; i++)
			noise[i] = (char)test_random();
		body = noise;
	}
	if (chance(malice.wrong))
		(&head.type)[test_random() % 3] ^= 1 << test_random() % 5;
	if (chance(malice.length)) {
		head.len = 4097 + (uint32_t)test_random() % 100000;
		append(&s.out, &s.out_len, &head, sizeof(head));
		return;
	}
	if (chance(malice.late)) {
		append(&s.late, &s.late_len, &head, sizeof(head));
		append(&s.late, &s.late_len, body, len);
		return;
	}
	for (int n = chance(malice.twice); n >= 0; n--) {
		append(&s.out, &s.out_len, &head, sizeof(head));
		append(&s.out, &s.out_len, body, len);
	}
}

static void fail(struct xsd_sockmsg to, const char *error)
{
	to.type = XS_ERROR;
	reply(&to, error, strlen(error) + 1);
}

static struct node *node(const char *path, bool make)
{
	struct node *empty = NULL;

	for (int i = 0; i < NODES; i++) {
		if (!strcmp(s.nodes[i].path, path))
			return &s.nodes[i];
		if (!s.nodes[i].path[0])
			empty = &s.nodes[i];
	}
	if (!make || !empty || strlen(path) >= sizeof(empty->path))
		return NULL;
	strlcpy(empty->path, path, sizeof(empty->path));
	return empty;
}

static size_t listing(char *buf, size_t size)
{
	size_t len = 0;

	for (unsigned i = 0; i < s.many; i++) {
		char name[32];
		int n = snprintf(name, sizeof(name), "entry-%u", i) + 1;

		if (len + n > size)
			return size + 1;
		memcpy(buf + len, name, n);
		len += n;
	}
	return len;
}

static void directory(const struct xsd_sockmsg *to, const char *path)
{
	static char all[65536];
	size_t len = strcmp(path, "many") ? 0 : listing(all, sizeof(all));

	if (len > XENSTORE_PAYLOAD_MAX)
		fail(*to, "E2BIG");
	else
		reply(to, all, len);
}

static void directory_part(const struct xsd_sockmsg *to, const char *path)
{
	static char all[65536], part[4096];
	size_t len = listing(all, sizeof(all)), from, n, head;

	from = atoi(path + strlen(path) + 1);
	if (chance(malice.conflict))
		s.generation++;
	head = snprintf(part, sizeof(part), "%u", s.generation) + 1;
	for (n = 0; from + n < len; n += strlen(all + from + n) + 1)
		if (head + n + strlen(all + from + n) + 2 > sizeof(part))
			break;
	memcpy(part + head, all + from, n);
	n += head;
	if (from >= len || from + n - head == len)
		part[n++] = 0;
	reply(to, part, n);
}

static void watch(const struct xsd_sockmsg *to, const char *path, const char *token, bool set)
{
	for (int i = 0; i < WATCHES; i++) {
		if (set && !s.watches[i].path[0]) {
			snprintf(s.watches[i].path, sizeof(s.watches[i].path), "%s", path);
			snprintf(s.watches[i].token, sizeof(s.watches[i].token), "%s", token);
			/* Either order is possible. */
			if (test_random() % 2)
				reply(to, "OK", 3);
			else
				set = false;
			event(path, token);
			if (!set)
				reply(to, "OK", 3);
			return;
		}
		if (!set && !strcmp(s.watches[i].token, token)) {
			s.watches[i].path[0] = s.watches[i].token[0] = 0;
			reply(to, "OK", 3);
			return;
		}
	}
	fail(*to, set ? "E2BIG" : "ENOENT");
}

static void transaction(const struct xsd_sockmsg *to, const char *body)
{
	char number[16];

	if (to->type == XS_TRANSACTION_START) {
		s.transactions++;
		reply(to, number, snprintf(number, sizeof(number), "%u", ++s.last_tx) + 1);
		return;
	}
	if (s.transactions)
		s.transactions--;
	if (body[0] == 'T' && chance(malice.conflict))
		fail(*to, "EAGAIN");
	else
		reply(to, "OK", 3);
}

static void handle(void)
{
	struct xsd_sockmsg head;
	char body[4097];
	struct node *n;

	memcpy(&head, s.in, sizeof(head));
	memcpy(body, s.in + sizeof(head), head.len);
	body[head.len] = 0;
	n = node(body, head.type == XS_WRITE);
	switch (head.type) {
	case XS_READ:
		n ? reply(&head, n->value, n->len) : fail(head, "ENOENT");
		break;
	case XS_WRITE:
		if (!n || head.len - strlen(body) - 1 > sizeof(n->value)) {
			fail(head, "ENOSPC");
			break;
		}
		n->len = head.len - strlen(body) - 1;
		memcpy(n->value, body + strlen(body) + 1, n->len);
		server_touch(body);
		reply(&head, "OK", 3);
		break;
	case XS_RM:
		if (n)
			n->path[0] = 0;
		n ? reply(&head, "OK", 3) : fail(head, "ENOENT");
		break;
	case XS_DIRECTORY:
		directory(&head, body);
		break;
	case XS_DIRECTORY_PART:
		directory_part(&head, body);
		break;
	case XS_GET_PERMS:
		reply(&head, "n1\0r0", 6);
		break;
	case XS_WATCH:
	case XS_UNWATCH:
		watch(&head, body, body + strlen(body) + 1, head.type == XS_WATCH);
		break;
	case XS_TRANSACTION_START:
	case XS_TRANSACTION_END:
		transaction(&head, body);
		break;
	default:
		reply(&head, "OK", 3);
	}
}

/* Some bytes of requests, often not a whole one. */
static bool read_some(void)
{
	uint32_t prod = server_page.req_prod, n = prod - s.req_cons;
	struct xsd_sockmsg head;
	size_t whole = sizeof(head);

	if (n > RING) {
		/* As the real one: it gives the connection up, and says so. */
		server_page.error = XENSTORE_ERROR_RINGIDX;
		s.dead = true;
		return true;
	}
	if (!n)
		return false;
	n = 1 + test_random() % n;
	while (n--) {
		s.in[s.got++] = server_page.req[s.req_cons++ % RING];
		server_page.req_cons = s.req_cons;
		if (s.got < sizeof(head))
			continue;
		memcpy(&head, s.in, sizeof(head));
		if (head.len > XENSTORE_PAYLOAD_MAX) {
			/* After an index that was a lie it is this server that is out of step. */
			if (!malice.indexes)
				test_failed(__FILE__, __LINE__, "length %u", head.len);
			server_page.error = XENSTORE_ERROR_PROTO;
			s.dead = true;
			return true;
		}
		whole = sizeof(head) + head.len;
		if (s.got == whole) {
			handle();
			s.got = 0;
		}
	}
	return true;
}

static bool write_some(void)
{
	uint32_t room = RING - (s.rsp_prod - server_page.rsp_cons);
	size_t n;

	if (room > RING || !s.out_len || !room)
		return false;
	n = 1 + test_random() % (s.out_len < room ? s.out_len : room);
	for (size_t i = 0; i < n; i++)
		server_page.rsp[(s.rsp_prod + i) % RING] = s.out[i];
	s.rsp_prod += n;
	server_page.rsp_prod = s.rsp_prod;
	memmove(s.out, s.out + n, s.out_len - n);
	s.out_len -= n;
	return true;
}

static void do_evil(void)
{
	uint32_t *const words[] = {&server_page.req_cons, &server_page.req_prod,
				   &server_page.rsp_cons, &server_page.rsp_prod,
				   &server_page.error,    &server_page.connection};

	if (chance(malice.indexes))
		*words[test_random() % 6] = test_random() % 2 ? (uint32_t)test_random() : 0;
	if (chance(malice.anew))
		server_anew();
	if (chance(malice.events))
		event("nowhere", "123456");
	if (s.late_len && malice.late < 1000 && chance(500)) {
		append(&s.out, &s.out_len, s.late, s.late_len);
		s.late_len = 0;
	}
}

bool server_step(void)
{
	bool did = false;

	server_page.server_features = malice.reconnects ? 3 : 0;
	if (server_page.connection == XENSTORE_RECONNECT && malice.reconnects && s.awake) {
		server_anew();
		return true;
	}
	do_evil();
	if (!s.awake && !s.out_len)
		return false;
	if (!s.dead) {
		did |= read_some();
		did |= write_some();
	}
	if (!did)
		s.awake = false;
	return did;
}
