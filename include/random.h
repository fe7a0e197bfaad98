/* SPDX-License-Identifier: MIT */
/* Random numbers that nobody can predict (kernel/proc/random.c, chacha.c). */
#ifndef RANDOM_H
#define RANDOM_H

#include <types.h>

/* Fill @buf. Any context; never fails, never blocks. */
void random_bytes(void *buf, size_t n);
/* Mix @n bytes into the state: they can only make it less predictable. */
void random_mix(const void *buf, size_t n);

/* One 64-byte block of the ChaCha20 key stream (RFC 8439, 2.3): pure. */
void chacha20_block(const uint32_t key[8], uint32_t counter, const uint32_t nonce[3],
		    uint8_t out[64]);

#endif
