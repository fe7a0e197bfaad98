/* SPDX-License-Identifier: MIT */
/*
 * A SATA port with a disk made here: every byte arrives where it should, an error hits the request
 * that it belongs to and no other, a disk may be pulled out and put in, and whatever the registers
 * say, every request ends once.
 *
 * SOURCES: drivers/native/ahci_port.c drivers/native/ahci_queue.c drivers/native/ata.c
 */
#include "test.h"

#include <mm.h>
#include <printk.h>
#include <string.h>
#include "../../drivers/native/ahci.h"

void *mmap(void *addr, size_t n, int prot, int flags, int fd, long offset);
int _setjmp(void *env);
void _longjmp(void *env, int v) __noreturn;

#define PAGES 512ul
#define SECTORS 4096u
#define RQS 64u
#define NONE (~0u)

/* ---- the disk and its port ---- */

static struct {
	uint32_t reg[HBA_PORT_SIZE / 4];
	uint8_t data[SECTORS][SECTOR_SIZE];
	bool present;
	bool halted, lost;     /* after an error, until it is stopped; until it is reset */
	char serial;           /* another disk has another one */
	unsigned bad, bad_for; /* a sector, and how often it fails */
	unsigned stuck;        /* a sector whose commands are never done */
	bool deaf;             /* the engine does not stop */
	unsigned wild;         /* one in so many reads of registers is a random number */
	bool lied;             /* so it was: what the driver does need not make sense */
	unsigned trimmed, flushes;
} sim;

static char *memory;
static ktime_t now = NSEC_PER_SEC;
static struct ahci_hba hba = {.cap = CAP_QUEUEING | CAP_64 | 31u << 8};
static struct ahci_port port;
static bool cut_off;
static unsigned removed;
static void *thread_end[64];

#define REG(r) (sim.reg[(r) / 4])

static void link_is(bool up)
{
	REG(PORT_SSTS) = up ? 0x123 : 0;
	REG(PORT_TFD) = up ? 0x50 : 0x7f;
	REG(PORT_SIG) = up ? SIG_DISK : ~0u;
	REG(PORT_IS) |= up ? IS_CONNECT : IS_LINK;
	REG(PORT_CI) = REG(PORT_SACT) = 0;
	sim.halted = sim.lost = false;
}

uint32_t mmio_read32(const volatile void *base, size_t offset)
{
	CHECK(offset < HBA_PORT_SIZE && offset % 4 == 0);
	if (sim.wild && test_random() % sim.wild == 0)
		return test_random() % 4 ? (uint32_t)test_random() : ~0u;
	return REG(offset);
}

static void command_register(uint32_t v)
{
	v &= ~(CMD_RUNS | CMD_FIS_RUNS | CMD_ICC);
	if (v & CMD_START || sim.deaf)
		v |= CMD_RUNS;
	if (v & CMD_FIS)
		v |= CMD_FIS_RUNS;
	if (!(v & CMD_START)) {
		REG(PORT_CI) = REG(PORT_SACT) = 0;
		sim.halted = sim.lost;
	}
	REG(PORT_CMD) = v;
}

void mmio_write32(volatile void *base, size_t offset, uint32_t v)
{
	switch (offset) {
	case PORT_IS:
	case PORT_SERR:
		REG(offset) &= ~v;
		break;
	case PORT_CMD:
		command_register(v);
		break;
	case PORT_SCTL:
		if (REG(PORT_SCTL) & 1 && !(v & 1))
			link_is(sim.present);
		REG(PORT_SCTL) = v;
		break;
	case PORT_CI:
		CHECK(sim.lied || REG(PORT_CMD) & CMD_START);
		CHECK(sim.lied || !(REG(PORT_CI) & v));
		REG(PORT_CI) |= v;
		break;
	case PORT_SACT:
		REG(PORT_SACT) |= v;
		break;
	default:
		REG(offset) = v;
	}
}

static void *at(uint64_t phys, uint64_t len)
{
	CHECK(phys >= PAGE_SIZE && len <= PAGE_SIZE && phys <= PAGES * PAGE_SIZE - len);
	return memory + phys;
}

static void identity(void *to)
{
	uint16_t w[256] = {0};

	w[10] = (uint16_t)(sim.serial << 8 | ' ');
	w[75] = 31;
	w[76] = 0x100;
	w[83] = 0x6400;
	w[85] = 0x20;
	w[87] = 0x4000;
	w[100] = SECTORS;
	w[169] = 1;
	memcpy(to, w, sizeof(w));
}

static void trim(const uint64_t *range)
{
	for (unsigned i = 0; i < 64; i++)
		for (uint64_t k = 0; k < range[i] >> 48; k++) {
			memset(sim.data[(range[i] & 0xffffffffffff) + k], 0, SECTOR_SIZE);
			sim.trimmed++;
		}
}

/* Move a command's data; the memory list must be as long as the transfer. */
static void transfer(const struct ahci_header *h, const struct ahci_table *t, unsigned lba,
		     unsigned n, bool write)
{
	uint8_t *disk = sim.data[lba];
	unsigned long left = n * (unsigned long)SECTOR_SIZE;

	CHECK_EQ(!!(h->flags & AHCI_HEADER_WRITE), write);
	for (unsigned i = 0; i < h->nr_prds; i++) {
		unsigned len = t->prd[i].last + 1;
		void *mem = at(t->prd[i].addr, len);

		CHECK(len <= left);
		if (write)
			memcpy(disk, mem, len);
		else
			memcpy(mem, disk, len);
		disk += len;
		left -= len;
	}
	CHECK_EQ(left, 0);
}

static void ended(unsigned slot, bool queued, bool good)
{
	REG(PORT_TFD) = good ? 0x50 : 0x4041;
	if (good || queued)
		REG(PORT_CI) &= ~(1u << slot);
	if (good) {
		REG(PORT_SACT) &= ~(1u << slot);
		REG(PORT_IS) |= queued ? IS_DEVICE_BITS : IS_REGISTERS;
	} else {
		REG(PORT_IS) |= IS_TASK_FILE;
		sim.halted = true;
		sim.lost = queued;
	}
}

static void carry_out(unsigned slot)
{
	uint64_t list = REG(PORT_CLB) | (uint64_t)REG(PORT_CLB + 4) << 32;
	const struct ahci_header *h = (struct ahci_header *)at(list, 1024) + slot;
	const struct ahci_table *t = at(h->table, PAGE_SIZE);
	const uint8_t *f = t->fis;
	unsigned lba = f[4] | f[5] << 8 | f[6] << 16, n = f[12] | f[13] << 8;
	bool queued = f[2] == ATA_READ_QUEUED || f[2] == ATA_WRITE_QUEUED;
	bool write = f[2] == ATA_WRITE_QUEUED || f[2] == ATA_WRITE_DMA_EXT;

	CHECK(sim.lied || queued || !REG(PORT_SACT));
	switch (f[2]) {
	case ATA_IDENTIFY:
		identity(at(t->prd[0].addr, 512));
		break;
	case ATA_FLUSH_EXT:
		sim.flushes++;
		break;
	case ATA_DATA_SET:
		trim(at(t->prd[0].addr, 512));
		break;
	default:
		if (queued) {
			CHECK_EQ(n >> 3, slot);
			n = f[3] | f[11] << 8;
		}
		CHECK(n && lba + n <= SECTORS);
		if (sim.stuck >= lba && sim.stuck < lba + n)
			return;
		if (sim.bad >= lba && sim.bad < lba + n && sim.bad_for) {
			sim.bad_for--;
			ended(slot, queued, false);
			return;
		}
		transfer(h, t, lba, n, write);
	}
	ended(slot, queued, true);
}

/* The disk does one of its commands, and perhaps interrupts. */
static void disk_works(void)
{
	uint32_t todo = REG(PORT_CI) | REG(PORT_SACT);

	if (sim.present && REG(PORT_CMD) & CMD_START && !sim.halted && todo) {
		unsigned slot = (unsigned)test_random() % 32;

		while (!(todo & 1u << slot))
			slot = (slot + 1) % 32;
		carry_out(slot);
	}
}

/* ---- what the driver stands on ---- */

ktime_t clock_now(void)
{
	return now;
}

void disk_nap(ktime_t span)
{
	now += span;
	disk_works();
}

void ktimer_set(struct ktimer *t, ktime_t when, void (*fn)(struct ktimer *), void *arg)
{
	t->when = when;
	t->fn = fn;
	t->arg = arg;
	t->cpu = (struct cpu *)t;
}

void waitq_wake_all(struct waitq *wq)
{
}

/* The port's thread would sleep: it goes back to the test. */
int sleep_on(struct waitq *wq, spinlock_t *lk, unsigned flags, ktime_t deadline)
{
	spin_unlock(lk);
	_longjmp(thread_end, 1);
}

struct disk *disk_make(struct disk_family *family, const struct block_driver *driver)
{
	struct disk *disk = kmalloc(sizeof(*disk), ALLOC_ZERO);

	disk->bd.private = disk;
	disk->bd.driver = driver;
	strlcpy(disk->bd.name, "sda", sizeof(disk->bd.name));
	return disk;
}

int disk_publish(struct disk *disk)
{
	return 0;
}

void disk_remove(struct disk *disk)
{
	CHECK_EQ(port.busy, 0);
	removed++;
	kfree(disk);
}

void pci_enable(struct pci_device *dev, bool on)
{
	cut_off = !on;
}

size_t strlcpy(char *dst, const char *src, size_t size)
{
	return (size_t)snprintk(dst, size, "%s", src);
}

/* ---- driving it ---- */

static struct test_rq {
	struct block_request rq;
	struct block_vec vecs[4];
	unsigned ends;
} rqs[RQS];

static void thread_runs(void)
{
	if (port.attention && !_setjmp(thread_end))
		ahci_port_thread(&port);
}

static void interrupt(void)
{
	if (REG(PORT_IS) & REG(PORT_IE))
		ahci_queue_interrupt(&port);
}

static void timer(void)
{
	if (port.watch.cpu && port.watch.when <= now) {
		port.watch.cpu = NULL;
		port.watch.fn(&port.watch);
	}
}

static unsigned unfinished(void)
{
	unsigned n = 0;

	for (unsigned i = 0; i < RQS; i++)
		n += rqs[i].rq.bd && !rqs[i].ends;
	return n;
}

/* Until all requests have ended; two minutes of the test's time at most. */
static void settle(void)
{
	ktime_t deadline = now + 120 * NSEC_PER_SEC;

	while ((unfinished() || port.attention) && now < deadline) {
		now += 10 * NSEC_PER_MSEC;
		disk_works();
		interrupt();
		timer();
		thread_runs();
	}
	CHECK_EQ(unfinished(), 0);
}

static void begin(void)
{
	if (!memory)
		memory = mmap((void *)DIRECT_MAP, PAGES * PAGE_SIZE, 3, 0x100022, -1, 0);
	memset(&sim, 0, sizeof(sim));
	memset(&port, 0, sizeof(port));
	memset(rqs, 0, sizeof(rqs));
	sim.bad = sim.stuck = NONE;
	sim.present = true;
	sim.serial = 'A';
	removed = 0;
	cut_off = false;
	port.hba = &hba;
	spin_init(&port.lock, "ahci");
	list_init(&port.waiting);
	list_init(&port.again);
	port.page = memory + PAGE_SIZE;
	for (unsigned i = 0; i < AHCI_SLOTS; i++)
		port.slot[i].table = (struct ahci_table *)(memory + (2 + i) * PAGE_SIZE);
	REG(PORT_CLB) = PAGE_SIZE;
	link_is(true);
	ahci_port_attach(&port);
	CHECK(port.disk && port.state == AHCI_ONLINE);
	for (unsigned i = 0; i < SECTORS; i++)
		memset(sim.data[i], (int)(i * 7 + 1), SECTOR_SIZE);
}

static void end(void)
{
	kfree(port.disk);
}

static void done(struct block_request *rq)
{
	struct test_rq *t = list_entry(rq, struct test_rq, rq);

	CHECK_EQ(t->ends, 0);
	t->ends++;
}

/* Request @i, over sectors [8 * i .. ) of the disk, or @n of them; memory: its own page. */
static struct test_rq *submit(unsigned i, enum block_op op, unsigned n)
{
	struct test_rq *t = &rqs[i];
	char *va = memory + (64 + i) * PAGE_SIZE;

	*t = (struct test_rq){.rq = {.bd = &port.disk->bd, .op = op, .done = done}};
	t->rq.vecs = t->vecs;
	if (op != BLOCK_FLUSH) {
		t->rq.offset = (uint64_t)i * 8 * SECTOR_SIZE;
		t->rq.size = n * SECTOR_SIZE;
	}
	for (unsigned left = op < BLOCK_FLUSH ? n : 0; left;) {
		unsigned part = t->rq.nr_vecs == 3 ? left : 1 + (unsigned)test_random() % left;

		t->vecs[t->rq.nr_vecs++] = (struct block_vec){va, part * SECTOR_SIZE};
		va += part * SECTOR_SIZE;
		left -= part;
	}
	ahci_driver.submit(t->rq.bd, &t->rq);
	return t;
}

static void kick(void)
{
	if (port.disk)
		ahci_driver.kick(&port.disk->bd);
}

static void submit_reads(unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		memset(memory + (64 + i) * PAGE_SIZE, 0xee, PAGE_SIZE);
		submit(i, BLOCK_READ, 8);
	}
	kick();
}

static void check_read(unsigned i, unsigned n)
{
	CHECK_EQ(rqs[i].rq.status, 0);
	for (unsigned k = 0; k < n; k++)
		CHECK(!memcmp(memory + (64 + i) * PAGE_SIZE + k * SECTOR_SIZE, sim.data[8 * i + k],
			      SECTOR_SIZE));
}

TEST(every_byte_arrives)
{
	begin();
	for (unsigned round = 0; round < 300; round++) {
		unsigned size[RQS];
		enum block_op op[RQS];

		for (unsigned i = 0; i < RQS; i++) {
			op[i] = test_random() % 8 ? test_random() % 2 : 2 + test_random() % 2;
			size[i] = 1 + (unsigned)test_random() % 8;
			if (op[i] == BLOCK_WRITE)
				memset(memory + (64 + i) * PAGE_SIZE, (int)test_random(),
				       PAGE_SIZE);
			submit(i, op[i], size[i])->rq.fua = test_random() % 8 == 0;
			if (test_random() % 4 == 0)
				kick();
			if (test_random() % 4 == 0)
				disk_works();
			if (test_random() % 8 == 0)
				interrupt();
		}
		kick();
		settle();
		for (unsigned i = 0; i < RQS; i++)
			if (op[i] < BLOCK_FLUSH)
				check_read(i, size[i]);
	}
	CHECK(port.counts.queued > 10000 && sim.flushes > 1000 && sim.trimmed > 1000);
	CHECK_EQ(port.counts.errors + port.counts.resets, 0);
	end();
}

TEST(a_bad_sector_is_one_requests)
{
	begin();
	sim.bad = 8 * 17 + 3;
	sim.bad_for = NONE;
	submit_reads(RQS);
	settle();
	for (unsigned i = 0; i < RQS; i++)
		if (i == 17)
			CHECK_EQ(rqs[i].rq.status, -EIO);
		else
			check_read(i, 8);
	CHECK(port.counts.errors >= 1 && port.disk);
	end();
}

TEST(an_error_that_goes_away_is_none)
{
	begin();
	sim.bad = 8 * 17;
	sim.bad_for = 1;
	submit_reads(RQS);
	settle();
	for (unsigned i = 0; i < RQS; i++)
		check_read(i, 8);
	CHECK_EQ(port.counts.errors, 1);
	CHECK_EQ(port.counts.resets, 1);
	end();
}

TEST(a_command_that_is_never_done)
{
	ktime_t start;

	begin();
	start = now;
	sim.stuck = 8 * 5;
	submit_reads(RQS);
	settle();
	CHECK_EQ(rqs[5].rq.status, -EIO);
	for (unsigned i = 0; i < RQS; i++)
		if (i != 5)
			check_read(i, 8);
	CHECK(now - start >= ahci_timeout && now - start < 2 * ahci_timeout);
	CHECK_EQ(port.counts.timeouts, 1);
	end();
}

TEST(a_disk_is_pulled_out_and_put_in)
{
	begin();
	submit_reads(RQS);
	disk_works();
	sim.present = false;
	link_is(false);
	settle();
	for (unsigned i = 0; i < RQS; i++)
		CHECK_EQ(rqs[i].rq.status, -ENODEV);
	CHECK(!port.disk && removed == 1 && port.state == AHCI_EMPTY && !cut_off);
	sim.present = true;
	link_is(true);
	interrupt();
	thread_runs();
	CHECK(port.disk && port.state == AHCI_ONLINE);
	submit_reads(3);
	settle();
	check_read(2, 8);
	end();
}

/* So fast that nobody saw the link down: it must not get the old one's requests. */
TEST(another_disk_at_once)
{
	begin();
	submit_reads(RQS);
	sim.serial = 'B';
	link_is(true);
	settle();
	for (unsigned i = 0; i < RQS; i++)
		CHECK_EQ(rqs[i].rq.status, -ENODEV);
	CHECK(removed == 1 && port.disk && port.id.serial[0] == 'B');
	end();
}

TEST(an_engine_that_does_not_stop_is_cut_off)
{
	begin();
	submit_reads(RQS);
	sim.deaf = true;
	sim.present = false;
	link_is(false);
	settle();
	CHECK(cut_off && removed == 1 && !port.disk);
	end();
}

/* Registers that lie, disks that fail, come and go: every request ends, once. */
static void hostile_round(void)
{
	begin();
	sim.lied = true;
	sim.wild = 4u << test_random() % 8;
	for (unsigned step = 0; step < 40; step++) {
		for (unsigned i = 0; i < RQS && port.disk; i++)
			if (rqs[i].ends || !rqs[i].rq.bd)
				submit(i, test_random() % 4, 1 + (unsigned)test_random() % 8);
		kick();
		sim.bad = test_random() % 4 ? NONE : (unsigned)test_random() % (8 * RQS);
		sim.bad_for = (unsigned)test_random() % 4;
		if (test_random() % 16 == 0)
			link_is(sim.present = !sim.present);
		disk_works();
		interrupt();
		now += (ktime_t)(test_random() % 3) * NSEC_PER_SEC;
		timer();
		thread_runs();
	}
	sim.wild = 0;
	sim.bad = NONE;
	if (!sim.present)
		link_is(sim.present = true);
	settle();
	end();
}

TEST(registers_that_lie)
{
	for (int i = 0; i < 1000; i++)
		hostile_round();
}
