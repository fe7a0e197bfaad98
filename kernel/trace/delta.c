/* SPDX-License-Identifier: MIT */
/*
 * Differences between two states of many counters, packed: <record.h>. Of 160 counters a phase or a
 * fork changes some twenty, nearly all by less than 16384, which is two bytes: 60 bytes instead of
 * 1300. Pure, tested on the host (tests/unit/test_delta.c).
 */
#include <record.h>

size_t delta_pack(uint64_t *old, const uint64_t *now, unsigned n, uint8_t *buf, size_t size,
		  bool *cut)
{
	size_t len = 0;

	*cut = false;
	for (unsigned i = 0; i < n; i++) {
		uint64_t value;

		if (likely(old[i] == now[i]))
			continue;
		if (len + DELTA_MAX > size) {
			*cut = true;
			break;
		}
		value = now[i] < old[i] ? now[i] : now[i] - old[i];
		old[i] = now[i];
		buf[len++] = i;
		for (; value >= 0x80; value >>= 7)
			buf[len++] = value | 0x80;
		buf[len++] = value;
	}
	return len;
}

size_t delta_unpack(const uint8_t *buf, size_t len, size_t pos, unsigned *index, uint64_t *value)
{
	*index = buf[pos++];
	*value = 0;
	for (unsigned shift = 0; pos < len && shift < 64; shift += 7) {
		*value |= (uint64_t)(buf[pos] & 0x7f) << shift;
		if (!(buf[pos++] & 0x80))
			break;
	}
	return pos;
}
