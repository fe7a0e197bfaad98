/* SPDX-License-Identifier: MIT */
/*
 * The kernel's random numbers.
 *
 * A 256-bit key; from it ChaCha20 makes a batch of bytes, the first 32 of which are at once the
 * next key, and bytes handed out are wiped. So whoever learns the state later cannot compute what
 * was handed out before. Fresh material from the machine (RDRAND where there is one, time stamps,
 * the start information) is mixed into the key for the first batch and for every 64th after it.
 */
#include <lock.h>
#include <machine.h>
#include <random.h>
#include <string.h>

#define BATCH_BLOCKS 4
#define BATCH (BATCH_BLOCKS * 64)
#define KEY_BYTES 32
#define RESEED_EVERY 64

static spinlock_t random_lock = SPINLOCK("random");
static uint32_t key[KEY_BYTES / 4];
static uint8_t batch[BATCH];
static size_t batch_used = BATCH;
static unsigned batches;

static void mix(const void *buf, size_t n)
{
	static const uint32_t nonce[3];
	const uint8_t *bytes = buf;
	uint8_t *k = (uint8_t *)key, out[64];

	/* Key-sized pieces are xored in, each followed by a block that spreads them. */
	while (n) {
		size_t part = min(n, (size_t)KEY_BYTES);

		for (size_t i = 0; i < part; i++)
			k[i] ^= bytes[i];
		chacha20_block(key, 0xffffffff, nonce, out);
		memcpy(key, out, KEY_BYTES);
		bytes += part;
		n -= part;
	}
}

static void refill(void)
{
	static const uint32_t nonce[3];

	if (batches++ % RESEED_EVERY == 0) {
		uint64_t seed[4];

		for (int i = 0; i < 4; i++)
			seed[i] = machine_entropy();
		mix(seed, sizeof(seed));
	}
	for (uint32_t i = 0; i < BATCH_BLOCKS; i++)
		chacha20_block(key, i, nonce, batch + 64 * i);
	memcpy(key, batch, KEY_BYTES);
	memset(batch, 0, KEY_BYTES);
	batch_used = KEY_BYTES;
}

void random_mix(const void *buf, size_t n)
{
	spin_lock(&random_lock);
	mix(buf, n);
	batch_used = BATCH;
	spin_unlock(&random_lock);
}

void random_bytes(void *buf, size_t n)
{
	uint8_t *out = buf;

	while (n) {
		size_t part;

		spin_lock(&random_lock);
		if (batch_used == BATCH)
			refill();
		part = min(n, BATCH - batch_used);
		memcpy(out, batch + batch_used, part);
		memset(batch + batch_used, 0, part);
		batch_used += part;
		spin_unlock(&random_lock);
		out += part;
		n -= part;
	}
}
