/* SPDX-License-Identifier: MIT */
/*
 * A block backend that can lie: a program for the initial domain, over the real grant and event
 * devices, that gives a running domain one more disk. Without further options it is correct, and
 * offers what it is told to offer (several pages of ring, several queues, indirect requests,
 * persistent grants, flush, discard): a second backend beside Linux's to try a frontend with. With
 * options it writes nonsense into xenstore, into the ring, or into its own state at a chosen
 * moment.
 *
 *   badblk DOMID [options] [NAME=VALUE nodes]        docs/hostile.md lists what it is used for
 *
 * What it does is said on its standard output, a line each. It ends when the guest's domain has
 * gone, or on SIGTERM: then it closes the device as a toolstack would, and removes the directories.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include "badblk.h"

static volatile sig_atomic_t asked_to_end;
static bool mute;

uint64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000ull + t.tv_nsec / 1000000;
}

/* splitmix64 */
uint64_t be_random(struct backend *be)
{
	uint64_t z = be->random += 0x9e3779b97f4a7c15u;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

void say(const char *fmt, ...)
{
	va_list ap;

	if (mute)
		return;
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	putchar('\n');
	fflush(stdout);
}

void die(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	fputs("badblk: ", stderr);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	exit(2);
}

static void on_term(int number)
{
	(void)number;
	asked_to_end = 1;
}

/* A file is mapped, so that what the guest writes is in it; memory otherwise, with a pattern. */
static void open_disk(struct backend *be, const char *file)
{
	struct stat st;
	int fd;

	if (!file) {
		be->disk = mmap(NULL, be->size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
				-1, 0);
		if (be->disk == MAP_FAILED)
			die("no memory for the disk");
		for (uint64_t i = 0; i < be->size / 8; i++)
			((uint64_t *)be->disk)[i] = i * 0x9e3779b97f4a7c15u;
		return;
	}
	fd = open(file, O_RDWR);
	if (fd < 0 || fstat(fd, &st))
		die("%s: %s", file, strerror(errno));
	be->size = st.st_size;
	be->disk = mmap(NULL, be->size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (be->disk == MAP_FAILED)
		die("%s: %s", file, strerror(errno));
	close(fd);
}

static void usage(void)
{
	puts("badblk DOMID [options]: one more disk for a running domain\n"
	     "  --dev N          number of the virtual device (51728: xvdb)\n"
	     "  --file FILE      the disk; --size MIB: memory with a pattern instead (4)\n"
	     "  --order N        largest ring offered, 2^N pages   --queues N   --indirect N "
	     "segments\n"
	     "  --persistent  --no-flush  --discard  --read-only   --sector BYTES\n"
	     "  --reorder        answers in random order           --hold N     until N are in "
	     "flight\n"
	     "  --delay MS       before answering                  --verbose  --mute\n"
	     "  --node NAME=VALUE, NAME!  a node of the backend is written so, or missing\n"
	     "  --front NAME=VALUE        the same of the frontend\n"
	     "  --states A,B,C   the state takes these values, whatever the guest does; --step MS\n"
	     "  --seed N         of random choices                 --patience MS  for an orderly "
	     "end\n"
	     "  --evil NAME[=ARG][@N]     when N requests have been read (1; 0: connected):");
	evil_list();
	exit(0);
}

enum {
	DEV = 256,
	FILE_NAME,
	SIZE,
	ORDER,
	QUEUES,
	INDIRECT,
	PERSISTENT,
	NO_FLUSH,
	DISCARD,
	READ_ONLY,
	SECTOR,
	REORDER,
	HOLD,
	DELAY,
	VERBOSE,
	MUTE,
	NODE,
	FRONT,
	STATES,
	STEP,
	SEED,
	EVIL,
	PATIENCE,
};

static const struct option options[] = {
	{"dev", 1, NULL, DEV},
	{"file", 1, NULL, FILE_NAME},
	{"size", 1, NULL, SIZE},
	{"order", 1, NULL, ORDER},
	{"queues", 1, NULL, QUEUES},
	{"indirect", 1, NULL, INDIRECT},
	{"persistent", 0, NULL, PERSISTENT},
	{"no-flush", 0, NULL, NO_FLUSH},
	{"discard", 0, NULL, DISCARD},
	{"read-only", 0, NULL, READ_ONLY},
	{"sector", 1, NULL, SECTOR},
	{"reorder", 0, NULL, REORDER},
	{"hold", 1, NULL, HOLD},
	{"delay", 1, NULL, DELAY},
	{"verbose", 0, NULL, VERBOSE},
	{"mute", 0, NULL, MUTE},
	{"node", 1, NULL, NODE},
	{"front", 1, NULL, FRONT},
	{"states", 1, NULL, STATES},
	{"step", 1, NULL, STEP},
	{"seed", 1, NULL, SEED},
	{"evil", 1, NULL, EVIL},
	{"patience", 1, NULL, PATIENCE},
	{NULL, 0, NULL, 0},
};

static unsigned number(const char *text, unsigned max)
{
	char *end;
	unsigned long n = strtoul(text, &end, 0);

	if (*end || end == text || n > max)
		die("%s: a number up to %u is wanted", text, max);
	return n;
}

static void take_option(struct backend *be, int c, const char **file)
{
	switch (c) {
	case DEV:
		be->dev = number(optarg, 1u << 30);
		break;
	case FILE_NAME:
		*file = optarg;
		break;
	case SIZE:
		be->size = (uint64_t)number(optarg, 4096) << 20;
		break;
	case ORDER:
		be->order = number(optarg, 4);
		break;
	case QUEUES:
		be->queues = number(optarg, QUEUES_MAX);
		break;
	case INDIRECT:
		be->indirect = number(optarg, SEGMENTS_MAX);
		break;
	case PERSISTENT:
		be->persistent = true;
		break;
	case NO_FLUSH:
		be->flush = false;
		break;
	case DISCARD:
		be->discard = true;
		break;
	case READ_ONLY:
		be->read_only = true;
		break;
	case SECTOR:
		be->sector = number(optarg, 1u << 30);
		break;
	case REORDER:
		be->reorder = true;
		break;
	case HOLD:
		be->hold = number(optarg, IN_FLIGHT_MAX);
		break;
	case DELAY:
		be->delay = number(optarg, 60000);
		break;
	case VERBOSE:
		be->verbose = true;
		break;
	case MUTE:
		mute = true;
		break;
	case STATES:
		be->states = optarg;
		break;
	case STEP:
		be->step = number(optarg, 60000);
		break;
	case SEED:
		be->random = number(optarg, -1u);
		break;
	case PATIENCE:
		be->patience = number(optarg, 60000);
		break;
	case NODE:
		if (be->nr_node < NODES_MAX)
			be->node[be->nr_node++] = optarg;
		break;
	case FRONT:
		if (be->nr_front_node < NODES_MAX)
			be->front_node[be->nr_front_node++] = optarg;
		break;
	case EVIL:
		if (!evil_add(be, optarg))
			die("%s: there is no such misbehaviour", optarg);
		break;
	default:
		usage();
	}
}

static void open_interfaces(struct backend *be)
{
	be->xs = xs_open(0);
	be->evtchn = xenevtchn_open(NULL, 0);
	be->gnttab = xengnttab_open(NULL, 0);
	if (!be->xs || !be->evtchn || !be->gnttab)
		die("xenstore, /dev/xen/evtchn or /dev/xen/gntdev cannot be opened");
}

/* One round: what has happened, or @timeout ms. */
static void wait_and_handle(struct backend *be, int timeout)
{
	struct pollfd fds[2] = {{.fd = xs_fileno(be->xs), .events = POLLIN},
				{.fd = xenevtchn_fd(be->evtchn), .events = POLLIN}};

	if (poll(fds, 2, timeout) <= 0)
		return;
	if (fds[1].revents) {
		xenevtchn_port_or_error_t port = xenevtchn_pending(be->evtchn);

		if (port >= 0) {
			xenevtchn_unmask(be->evtchn, port);
			ring_event(be, port);
		}
	}
	if (fds[0].revents)
		store_changed(be);
}

/* As `xl block-detach` does: ask, wait for the guest to agree, take the directories away. */
static void close_device(struct backend *be)
{
	uint64_t until = now_ms() + be->patience;

	be->stay_closed = true;
	be->states = NULL;
	be->keep = be->silent = false;
	if (be->front_state >= XenbusStateInitialised && be->front_state < XenbusStateClosed) {
		store_set_state(be, XenbusStateClosing);
		while (be->front_state != XenbusStateClosed && !be->front_gone && now_ms() < until)
			wait_and_handle(be, 100);
	}
	say("end: frontend state %d", be->front_gone ? 0 : be->front_state);
	ring_disconnect(be);
	store_remove(be, true, true);
}

int main(int argc, char **argv)
{
	static struct backend be = {.dev = 51728,
				    .size = 4 << 20,
				    .flush = true,
				    .sector = 512,
				    .step = 100,
				    .patience = 3000};
	const char *file = NULL;
	int c;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1)
		take_option(&be, c, &file);
	if (optind != argc - 1)
		usage();
	be.domid = number(argv[optind], 32767);
	signal(SIGTERM, on_term);
	signal(SIGINT, on_term);
	open_disk(&be, file);
	open_interfaces(&be);
	store_create(&be);
	while (!asked_to_end) {
		int timeout = evil_timer(&be);
		char path[64], *alive;

		wait_and_handle(&be, timeout < 0 || timeout > 500 ? 500 : timeout);
		snprintf(path, sizeof(path), "/local/domain/%u/name", be.domid);
		alive = be.storm_until > now_ms() ? NULL : xs_read(be.xs, XBT_NULL, path, NULL);
		if (!alive && be.storm_until <= now_ms())
			break;
		free(alive);
	}
	close_device(&be);
	say("stats requests=%llu segments=%llu bytes=%llu events=%llu responses=%llu errors=%llu "
	    "sent=%llu",
	    (unsigned long long)be.requests, (unsigned long long)be.segments,
	    (unsigned long long)be.bytes, (unsigned long long)be.events,
	    (unsigned long long)be.responses, (unsigned long long)be.errors,
	    (unsigned long long)be.sent);
	return 0;
}
