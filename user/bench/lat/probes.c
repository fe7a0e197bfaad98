/* SPDX-License-Identifier: MIT */
/*
 * The table of probes. Those of one name with different sizes at its end show how a cost grows:
 * a switch with the number of processes, a fork with the memory that is there, a look-up with the
 * number of files in the directory.
 */
#include "lat.h"

#include <stddef.h>

#define SLEEP_NS 200000

/* clang-format off */
const struct probe probes[] = {
	/*                  setup, run, end                               batch each size  asleep disk */
	{"null-call",       NULL, run_null, NULL,                          1000,   1,    0, 0, NO_DISK},
	{"read-1-byte",     setup_zero, run_read, NULL,                     500,   1,    0, 0, NO_DISK},
	{"write-1-byte",    setup_zero, run_write, NULL,                    500,   1,    0, 0, NO_DISK},
	{"open-close",      NULL, run_open, NULL,                           200,   1,    0, 0, NO_DISK},
	{"stat",            NULL, run_stat, NULL,                           200,   1,    0, 0, NO_DISK},
	{"signal",          setup_signal, run_signal, NULL,                 200,   1,    0, 0, NO_DISK},
	{"pipe-self",       setup_pipe, run_pipe, NULL,                     200,   1,    0, 0, NO_DISK},
	{"pipe-ping-pong",  setup_pingpong, run_pingpong, end_partners,     200,   1,    0, 0, NO_DISK},
	{"socket-ping-pong", setup_socket_pingpong, run_pingpong, end_partners, 200, 1,   0, 0, NO_DISK},
	{"switch",          setup_switch, run_switch, end_partners,         200,   2,    2, 0, NO_DISK},
	{"switch-8",        setup_switch, run_switch, end_partners,          50,   8,    8, 0, NO_DISK},
	{"switch-32",       setup_switch, run_switch, end_partners,          20,  32,   32, 0, NO_DISK},
	{"fork-exit-wait",  NULL, run_fork, NULL,                            20,   1,    0, 0, NO_DISK},
	{"fork-1m",         setup_touched_area, run_fork, end_area,          10,   1,  256, 0, NO_DISK},
	{"fork-4m",         setup_touched_area, run_fork, end_area,           5,   1, 1024, 0, NO_DISK},
	{"fork-16m",        setup_touched_area, run_fork, end_area,           2,   1, 4096, 0, NO_DISK},
	{"fork-exec-wait",  NULL, run_exec, NULL,                            10,   1,    0, 0, NO_DISK},
	{"page-fault",      NULL, run_fault, NULL,                            2, 256,  256, 0, NO_DISK},
	{"mmap-munmap",     NULL, run_mmap, NULL,                            50,   1,   16, 0, NO_DISK},
	{"fork-256-cow",    setup_area, run_cow, end_area,                    2,   1,  256, 0, NO_DISK},
	{"file-read-4k",    setup_file, run_file_read, end_file,            100,   1,  256, 0, NO_DISK},
	{"file-write-4k",   setup_file, run_file_write, end_file,           100,   1,  256, 0, NO_DISK},
	{"file-page-fault", setup_file, run_file_fault, end_file,             2, 256,  256, 0, NO_DISK},
	{"create-delete",   NULL, run_create, NULL,                         100,   1,    0, 0, NO_DISK},
	{"lookup-10",       setup_directory, run_lookup, end_directory,     200,   1,   10, 0, NO_DISK},
	{"lookup-100",      setup_directory, run_lookup, end_directory,     200,   1,  100, 0, NO_DISK},
	{"lookup-1000",     setup_directory, run_lookup, end_directory,     200,   1, 1000, 0, NO_DISK},
	{"lookup-10000",    setup_directory, run_lookup, end_directory,     200,   1, 10000, 0, NO_DISK},
	{"timer-set",       NULL, run_timer_set, NULL,                      200,   1,    0, 0, NO_DISK},
	{"timer-late",      setup_timer_late, run_timer_late, NULL,          20,   1,    0, SLEEP_NS, NO_DISK},
	{"disk-read-4k",    setup_disk, run_disk_read, end_disk,             50,   1,    0, 0, READS},
	{"disk-write-4k",   setup_disk, run_disk_write, end_disk,            50,   1,    0, 0, WRITES},
	{0},
};
/* clang-format on */
