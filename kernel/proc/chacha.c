/* SPDX-License-Identifier: MIT */
/* The ChaCha20 block function, after RFC 8439, section 2.3; tested with the vectors given there. */
#include <random.h>

static inline uint32_t rotl(uint32_t x, int by)
{
	return x << by | x >> (32 - by);
}

static inline void quarter(uint32_t *s, int a, int b, int c, int d)
{
	s[a] += s[b];
	s[d] = rotl(s[d] ^ s[a], 16);
	s[c] += s[d];
	s[b] = rotl(s[b] ^ s[c], 12);
	s[a] += s[b];
	s[d] = rotl(s[d] ^ s[a], 8);
	s[c] += s[d];
	s[b] = rotl(s[b] ^ s[c], 7);
}

void chacha20_block(const uint32_t key[8], uint32_t counter, const uint32_t nonce[3],
		    uint8_t out[64])
{
	uint32_t in[16] = {0x61707865, 0x3320646e, 0x79622d32, 0x6b206574}; /* "expand 32-byte k" */
	uint32_t s[16];

	for (int i = 0; i < 8; i++)
		in[4 + i] = key[i];
	in[12] = counter;
	for (int i = 0; i < 3; i++)
		in[13 + i] = nonce[i];
	for (int i = 0; i < 16; i++)
		s[i] = in[i];
	for (int round = 0; round < 10; round++) {
		quarter(s, 0, 4, 8, 12);
		quarter(s, 1, 5, 9, 13);
		quarter(s, 2, 6, 10, 14);
		quarter(s, 3, 7, 11, 15);
		quarter(s, 0, 5, 10, 15);
		quarter(s, 1, 6, 11, 12);
		quarter(s, 2, 7, 8, 13);
		quarter(s, 3, 4, 9, 14);
	}
	for (int i = 0; i < 16; i++) {
		uint32_t word = s[i] + in[i];

		out[4 * i] = (uint8_t)word;
		out[4 * i + 1] = (uint8_t)(word >> 8);
		out[4 * i + 2] = (uint8_t)(word >> 16);
		out[4 * i + 3] = (uint8_t)(word >> 24);
	}
}
