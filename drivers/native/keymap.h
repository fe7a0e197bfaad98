/* SPDX-License-Identifier: MIT */
/*
 * Keys to bytes: scan codes of set 1, US layout, and what an xterm sends. Pure logic
 * (tests/unit/test_keyboard.c).
 */
#ifndef KEYMAP_H
#define KEYMAP_H

#include <types.h>

#define KEYMAP_BYTES 8 /* one key sends fewer */

struct keymap {
	uint8_t held;   /* modifiers, a bit for each key */
	bool caps, num; /* locks */
	bool extended;  /* 0xe0 was the last code */
	uint8_t skip;   /* codes that belong to a Pause key */
};

/*
 * One code from the keyboard. The bytes that it means go to @out; returns how many: 0 for a key
 * that is released, a modifier, or half of a code. @app_cursor: cursor keys send ESC O A.
 */
size_t keymap_code(struct keymap *k, uint8_t code, bool app_cursor, char out[KEYMAP_BYTES]);

#endif
