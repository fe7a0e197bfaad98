/* SPDX-License-Identifier: MIT */
/*
 * Scan codes to bytes. What a key sends is what terminfo says of xterm (infocmp -1 xterm).
 *
 * SOURCES: drivers/native/keymap.c
 */
#include "test.h"

#include "../../drivers/native/keymap.h"

#include <string.h>

static struct keymap map;
static char typed[64];

/* The codes in @codes, ended by 0; what they mean goes to `typed`. */
static const char *type(bool app_cursor, const uint8_t *codes)
{
	size_t n = 0;

	for (; *codes && n < sizeof(typed) - KEYMAP_BYTES; codes++) {
		char out[KEYMAP_BYTES + 1];
		size_t got;

		out[KEYMAP_BYTES] = 0x5a;
		got = keymap_code(&map, *codes, app_cursor, out);
		CHECK(got <= KEYMAP_BYTES);
		CHECK_EQ(out[KEYMAP_BYTES], 0x5a);
		memcpy(typed + n, out, got);
		n += got;
	}
	typed[n] = 0;
	return typed;
}

#define KEYS(...) type(false, (const uint8_t[]){__VA_ARGS__, 0})
#define APP_KEYS(...) type(true, (const uint8_t[]){__VA_ARGS__, 0})

static void start(void)
{
	map = (struct keymap){0};
}

TEST(letters_and_shift)
{
	start();
	CHECK_STR(KEYS(0x1e, 0x9e, 0x30, 0xb0), "ab");
	CHECK_STR(KEYS(0x2a, 0x1e, 0x9e, 0xaa, 0x1e), "Aa");
	CHECK_STR(KEYS(0x36, 0x02, 0x28, 0x35, 0x2b, 0xb6, 0x35), "!\"?|/");
	CHECK_STR(KEYS(0x01, 0x0e, 0x0f, 0x1c, 0x39), "\033\177\t\r ");
	CHECK_STR(KEYS(0x2a, 0x0f, 0xaa), "\033[Z");
	CHECK_STR(KEYS(0x56, 0x2a, 0x56, 0xaa), "\\|");
	/* Both shift keys, one released: still shifted. */
	CHECK_STR(KEYS(0x2a, 0x36, 0xaa, 0x1e, 0xb6, 0x1e), "Aa");
}

TEST(every_key_of_the_main_block)
{
	static const uint8_t rows[][16] = {
		{0x29, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 0},
		{16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 43, 0},
		{30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40, 0},
		{44, 45, 46, 47, 48, 49, 50, 51, 52, 53, 0},
	};

	start();
	CHECK_STR(type(false, rows[0]), "`1234567890-=");
	CHECK_STR(type(false, rows[1]), "qwertyuiop[]\\");
	CHECK_STR(type(false, rows[2]), "asdfghjkl;'");
	CHECK_STR(type(false, rows[3]), "zxcvbnm,./");
	KEYS(0x2a);
	CHECK_STR(type(false, rows[0]), "~!@#$%^&*()_+");
	CHECK_STR(type(false, rows[1]), "QWERTYUIOP{}|");
	CHECK_STR(type(false, rows[2]), "ASDFGHJKL:\"");
	CHECK_STR(type(false, rows[3]), "ZXCVBNM<>?");
}

TEST(caps_lock_is_for_letters)
{
	start();
	CHECK_STR(KEYS(0x3a, 0xba, 0x1e, 0x02, 0x2a, 0x1e, 0x02, 0xaa), "A1a!");
	CHECK_STR(KEYS(0x3a, 0xba, 0x1e), "a");
}

TEST(ctrl_and_alt)
{
	char out[KEYMAP_BYTES];

	start();
	CHECK_STR(KEYS(0x1d, 0x2e, 0x2c, 0x1a, 0x35, 0x0e, 0x9d), "\003\032\033\037\b");
	CHECK_STR(KEYS(0xe0, 0x1d, 0x20, 0xe0, 0x9d, 0x20), "\004d");
	KEYS(0x1d);
	CHECK_EQ(keymap_code(&map, 0x39, false, out), 1); /* ctrl-space: a zero byte */
	CHECK_EQ(out[0], 0);
	KEYS(0x9d);
	CHECK_STR(KEYS(0x38, 0x30, 0xb8), "\033b");
	CHECK_STR(KEYS(0xe0, 0x38, 0x30, 0xe0, 0xb8, 0x30), "\033bb");
	CHECK_STR(KEYS(0x1d, 0x38, 0x30, 0xb8, 0x9d), "\033\002");
}

TEST(cursor_keys)
{
	start();
	CHECK_STR(KEYS(0xe0, 0x48, 0xe0, 0xc8, 0xe0, 0x50, 0xe0, 0x4d, 0xe0, 0x4b),
		  "\033[A\033[B\033[C\033[D");
	CHECK_STR(APP_KEYS(0xe0, 0x48, 0xe0, 0x47, 0xe0, 0x4f), "\033OA\033OH\033OF");
	CHECK_STR(APP_KEYS(0xe0, 0x52, 0xe0, 0x53, 0xe0, 0x49, 0xe0, 0x51),
		  "\033[2~\033[3~\033[5~\033[6~");
	CHECK_STR(KEYS(0x1d, 0xe0, 0x4d, 0x9d), "\033[1;5C");
	CHECK_STR(KEYS(0x1d, 0x2a, 0x38, 0xe0, 0x53), "\033[3;8~");
	KEYS(0x9d, 0xaa, 0xb8);
	/* What keyboards send around a cursor key while Num Lock is on: no shift. */
	CHECK_STR(KEYS(0xe0, 0x2a, 0xe0, 0x48, 0xe0, 0xc8, 0xe0, 0xaa, 0x1e), "\033[Aa");
}

TEST(function_keys)
{
	start();
	CHECK_STR(KEYS(0x3b, 0x3c, 0x3d, 0x3e), "\033OP\033OQ\033OR\033OS");
	CHECK_STR(KEYS(0x3f, 0x40, 0x41, 0x42), "\033[15~\033[17~\033[18~\033[19~");
	CHECK_STR(KEYS(0x43, 0x44, 0x57, 0x58), "\033[20~\033[21~\033[23~\033[24~");
	CHECK_STR(KEYS(0x2a, 0x3b, 0xaa), "\033[1;2P");
	CHECK_STR(KEYS(0x1d, 0x58, 0x9d), "\033[24;5~");
}

TEST(number_pad)
{
	start();
	CHECK_STR(KEYS(0x48, 0x37, 0x4a, 0x4e, 0xe0, 0x35, 0xe0, 0x1c), "\033[A*-+/\r");
	CHECK_STR(KEYS(0x45, 0xc5, 0x47, 0x4c, 0x52, 0x53), "750.");
	CHECK_STR(KEYS(0x2a, 0xe0, 0x35, 0xaa), "/");
	CHECK_STR(KEYS(0x45, 0xc5, 0x2a, 0x4f, 0xaa), "1"); /* shift: the other way round */
}

TEST(pause_and_nonsense)
{
	char out[KEYMAP_BYTES];

	start();
	CHECK_STR(KEYS(0xe1, 0x1d, 0x45, 0xe1, 0x9d, 0xc5, 0x1e), "a");
	CHECK(!map.num && !map.held);
	CHECK_STR(KEYS(0xe0, 0x1e, 0x7f, 0x5f, 0x1e), "a");
	for (unsigned i = 0; i < 100000; i++)
		CHECK(keymap_code(&map, (uint8_t)test_random(), i & 1, out) <= KEYMAP_BYTES);
}
