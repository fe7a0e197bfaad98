/* SPDX-License-Identifier: MIT */
/*
 * The kernel's basic types. Frame numbers, machine addresses, page-table entries and user addresses
 * are one-member structures, so that one can never be used for another: the compiler refuses.
 *
 *   pfn_t    page frame number as the kernel counts its memory: 0 .. nr_pages - 1. struct page is
 * found by it. mfn_t    frame number as the machine counts: what a page-table entry holds. Under PV
 * the hypervisor hands out machine frames in any order; natively mfn == pfn. (pfn_to_mfn: <pte.h>)
 *   maddr_t  machine address, bytes
 *   pte_t    page-table entry of any level
 *   uaddr_t  address in the current process's user space, not trusted: reached by <usercopy.h> only
 *   ktime_t  nanoseconds on the monotonic clock, or a span of them
 */
#ifndef TYPES_H
#define TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <parvix/errno.h>
#include <parvix/types.h>

typedef long ssize_t;
typedef parvix_off_t off_t;
typedef parvix_pid_t pid_t;
typedef parvix_uid_t uid_t;
typedef parvix_gid_t gid_t;
typedef parvix_mode_t mode_t;
typedef parvix_dev_t dev_t;
typedef parvix_ino_t ino_t;
typedef parvix_sigset_t sigset_t;
typedef int64_t ktime_t;

typedef struct {
	unsigned long v;
} pfn_t;
typedef struct {
	unsigned long v;
} mfn_t;
typedef struct {
	uint64_t v;
} maddr_t;
typedef struct {
	uint64_t v;
} pte_t;
typedef struct {
	unsigned long v;
} uaddr_t;

#define PAGE_SHIFT 12
#define PAGE_SIZE 4096ul
#define PAGE_MASK (~(PAGE_SIZE - 1))

#define PFN(x) ((pfn_t){(x)})
#define MFN(x) ((mfn_t){(x)})
#define UADDR(x) ((uaddr_t){(unsigned long)(x)})
#define PFN_NONE PFN(~0ul)

#define NSEC_PER_SEC 1000000000l
#define NSEC_PER_MSEC 1000000l
#define NSEC_PER_USEC 1000l
#define KTIME_NEVER INT64_MAX

#define min(a, b)                              \
	({                                     \
		__typeof__(a) min_a = (a);     \
		__typeof__(b) min_b = (b);     \
		min_a < min_b ? min_a : min_b; \
	})
#define max(a, b)                              \
	({                                     \
		__typeof__(a) max_a = (a);     \
		__typeof__(b) max_b = (b);     \
		max_a > max_b ? max_a : max_b; \
	})
#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define ROUND_UP(x, to) (((x) + (to)-1) / (to) * (to))
#define ROUND_DOWN(x, to) ((x) / (to) * (to))
#define DIV_ROUND_UP(x, by) (((x) + (by)-1) / (by))
#define container_of(ptr, type, member) ((type *)((char *)(ptr)-offsetof(type, member)))
#define READ_ONCE(x) (*(const volatile __typeof__(x) *)&(x))
#define WRITE_ONCE(x, val) (*(volatile __typeof__(x) *)&(x) = (val))
#define barrier() __asm__ volatile("" ::: "memory")
#define likely(x) __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)

#define __printf(fmt, args) __attribute__((format(printf, fmt, args)))
#define __noreturn __attribute__((noreturn))
#define __packed __attribute__((packed))
#define __aligned(n) __attribute__((aligned(n)))
#define __must_check __attribute__((warn_unused_result))
#define __section(s) __attribute__((section(s)))
#define __init __section(".init.text") __attribute__((cold, noinline))
#define __initdata __section(".init.data")

#endif
