/* SPDX-License-Identifier: MIT */
/*
 * Names of kernel addresses, and trace records as text.
 * SOURCES: kernel/trace/format.c
 */
#include "test.h"

#include <cpu.h>
#include <machine.h>
#include <string.h>
#include <symbols.h>

struct cpu cpus[MAX_CPUS];
unsigned nr_cpus = 1;
struct boot_info boot_info;
const struct machine *machine;
bool panicking;
static struct thread *host_thread;
static uint64_t clock_ticks;

static uint64_t host_ticks(void)
{
	return clock_ticks += 10;
}

#define rdtsc_now host_ticks
#define this_cpu() (&cpus[0])
#undef current
#define current host_thread
#include "../../kernel/trace/symbol.c"
#include "../../kernel/trace/trace.c"

const struct symbol symbol_table[] = {{0x200000, 0}, {0x200040, 6}, {0x200100, 10}};
const uint32_t symbol_count = 3;
const char symbol_names[] = "start\0two\0last";

static const char *name_of(unsigned long addr)
{
	static char buf[40];

	symbol_name(addr, buf, sizeof(buf));
	return buf;
}

TEST(symbols_are_found)
{
	CHECK_STR(name_of(KERNEL_BASE + 0x200000), "start+0");
	CHECK_STR(name_of(KERNEL_BASE + 0x20003f), "start+0x3f");
	CHECK_STR(name_of(KERNEL_BASE + 0x200040), "two+0");
	CHECK_STR(name_of(KERNEL_BASE + 0x200123), "last+0x23");
	CHECK_STR(name_of(KERNEL_BASE + 0x1fffff), "0xffffffffc01fffff");
	CHECK_STR(name_of(KERNEL_BASE + 0x400000), "0xffffffffc0400000");
	CHECK_STR(name_of(0x1234), "0x1234");
}

static void start(void)
{
	memset(cpus, 0, sizeof(cpus));
	clock_ticks = 0;
}

TEST(records_become_lines)
{
	char text[400];
	uint64_t pos = 0;
	size_t n;

	start();
	trace(trap, 14, KERNEL_BASE + 0x200044, 0xfeedbeefull);
	trace(call, 3, 1, -22);
	n = trace_format(&pos, text, sizeof(text) - 1);
	text[n] = 0;
	CHECK_STR(text, "          10 cpu0 pid0    trap     vector=14 ip=two+0x4 addr=0xfeedbeef\n"
			"          20 cpu0 pid0    call     nr=3 arg=1 result=-22\n");
	CHECK_EQ(trace_format(&pos, text, sizeof(text)), 0);
}

TEST(calls_have_names)
{
	static const char *const names[] = {"zero", "", "two", NULL};
	static const struct machine named = {.call_names = names};
	char text[400];
	uint64_t pos = 0;
	size_t n;

	start();
	machine = &named;
	trace(call, 2, 1, 0);
	trace(call, 1, 1, 0); /* a number without a name */
	trace(call, 7, 1, 0); /* behind the last */
	trace(syscall, SYS_write, 1, 2);
	trace(syscall, 5000, 1, 2);
	n = trace_format(&pos, text, sizeof(text) - 1);
	machine = NULL;
	text[n] = 0;
	CHECK_STR(text, "          10 cpu0 pid0    call     two arg=1 result=0\n"
			"          20 cpu0 pid0    call     nr=1 arg=1 result=0\n"
			"          30 cpu0 pid0    call     nr=7 arg=1 result=0\n"
			"          40 cpu0 pid0    syscall  write arg=1 result=2\n"
			"          50 cpu0 pid0    syscall  nr=5000 arg=1 result=2\n");
}

TEST(a_small_buffer_gets_whole_lines)
{
	char text[100];
	uint64_t pos = 0;
	unsigned lines = 0;

	start();
	for (int i = 0; i < 50; i++)
		trace(fault, i, 0, 0);
	for (size_t n; (n = trace_format(&pos, text, sizeof(text))) > 0;) {
		CHECK_EQ(text[n - 1], '\n');
		for (size_t i = 0; i < n; i++)
			lines += text[i] == '\n';
	}
	CHECK_EQ(lines, 50);
}

TEST(an_overtaken_reader_goes_on_with_the_oldest)
{
	char text[200];
	uint64_t pos = 0;
	unsigned lines = 0;

	start();
	for (int i = 0; i < TRACE_RING + 7; i++)
		trace(fault, i, 0, 0);
	size_t n = trace_format(&pos, text, 90);

	REQUIRE(n > 0);
	text[n] = 0;
	for (const char *want = " addr=7 ", *p = text; lines == 0 && *p; p++)
		lines = strncmp(p, want, 8) == 0;
	CHECK_EQ(lines, 1);
}
