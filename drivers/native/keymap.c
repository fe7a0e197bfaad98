/* SPDX-License-Identifier: MIT */
/*
 * A keyboard sends a code when a key goes down, and the same with bit 7 set when it comes up; keys
 * that the first PC did not have come with 0xe0 in front. What a key means is the software's
 * business: here, a US layout, and for keys without a character the sequences of an xterm.
 *
 * Source of the codes: IBM, PC AT Technical Reference, keyboard, set 1; of the sequences: xterm's
 * "ctlseqs". With modifiers a key sends ESC [ 1 ; M A, M being 1 + shift 1 + alt 2 + ctrl 4.
 */
#include "keymap.h"

#define UP 0x80
#define EXTENDED 0xe0
#define PAUSE 0xe1

#define L_SHIFT 0x01
#define R_SHIFT 0x02
#define L_CTRL 0x04
#define R_CTRL 0x08
#define L_ALT 0x10
#define R_ALT 0x20
#define SHIFT (L_SHIFT | R_SHIFT)
#define CTRL (L_CTRL | R_CTRL)
#define ALT (L_ALT | R_ALT)

#define CODE_CTRL 0x1d
#define CODE_L_SHIFT 0x2a
#define CODE_R_SHIFT 0x36
#define CODE_ALT 0x38
#define CODE_CAPS 0x3a
#define CODE_NUM 0x45
#define CODE_PAD 0x47 /* the number pad: 13 keys from here */
#define PAD_KEYS 13

/* By code from 0x00; 0: no character. */
static const char plain[] = "\0\033"
			    "1234567890-=\177\t"
			    "qwertyuiop[]\r\0"
			    "asdfghjkl;'`\0\\"
			    "zxcvbnm,./\0*\0 ";
static const char shifted[] = "\0\033"
			      "!@#$%^&*()_+\177\t"
			      "QWERTYUIOP{}\r\0"
			      "ASDFGHJKL:\"~\0|"
			      "ZXCVBNM<>?\0*\0 ";

_Static_assert(sizeof(plain) == 0x3a + 1 && sizeof(shifted) == sizeof(plain), "codes to 0x39");

static const char pad_digits[] = "789-456+1230.";

/*
 * Keys without a character. A letter: ESC [ letter, or ESC O letter where noted. A number: ESC [
 * number ~. Codes of the number pad are those of the cursor keys behind 0xe0.
 */
static const struct {
	uint8_t code;
	uint8_t number;
	char letter;
	bool cursor; /* ESC O if the program wants that */
} keys[] = {
	{0x3b, 0, 'P', false}, {0x3c, 0, 'Q', false}, {0x3d, 0, 'R', false}, {0x3e, 0, 'S', false},
	{0x3f, 15, 0, false},  {0x40, 17, 0, false},  {0x41, 18, 0, false},  {0x42, 19, 0, false},
	{0x43, 20, 0, false},  {0x44, 21, 0, false},  {0x57, 23, 0, false},  {0x58, 24, 0, false},
	{0x47, 0, 'H', true},  {0x48, 0, 'A', true},  {0x49, 5, 0, false},   {0x4b, 0, 'D', true},
	{0x4c, 0, 'E', true},  {0x4d, 0, 'C', true},  {0x4f, 0, 'F', true},  {0x50, 0, 'B', true},
	{0x51, 6, 0, false},   {0x52, 2, 0, false},   {0x53, 3, 0, false},
};

static uint8_t modifier(uint8_t code, bool extended)
{
	switch (code) {
	case CODE_L_SHIFT:
		return extended ? 0 : L_SHIFT; /* 0xe0 0x2a: not a key, an old program's crutch */
	case CODE_R_SHIFT:
		return extended ? 0 : R_SHIFT;
	case CODE_CTRL:
		return extended ? R_CTRL : L_CTRL;
	case CODE_ALT:
		return extended ? R_ALT : L_ALT;
	}
	return 0;
}

static unsigned modifiers(const struct keymap *k)
{
	return (k->held & SHIFT ? 1 : 0) + (k->held & ALT ? 2 : 0) + (k->held & CTRL ? 4 : 0);
}

static size_t put_number(char *out, unsigned v)
{
	size_t n = 0;

	if (v >= 10)
		out[n++] = (char)('0' + v / 10);
	out[n++] = (char)('0' + v % 10);
	return n;
}

/* ESC [ 3 ; 5 ~, ESC [ 1 ; 5 A, ESC [ A, ESC O A */
static size_t sequence(const struct keymap *k, uint8_t code, bool app_cursor, char *out)
{
	unsigned mod = modifiers(k), i = 0;
	size_t n = 0;

	while (i < ARRAY_SIZE(keys) && keys[i].code != code)
		i++;
	if (i == ARRAY_SIZE(keys))
		return 0;
	out[n++] = '\033';
	if (keys[i].letter && !mod) {
		out[n++] = !keys[i].cursor || app_cursor ? 'O' : '[';
	} else {
		out[n++] = '[';
		n += put_number(out + n, keys[i].letter ? 1 : keys[i].number);
	}
	if (mod) {
		out[n++] = ';';
		n += put_number(out + n, 1 + mod);
	}
	out[n++] = keys[i].letter ? keys[i].letter : '~';
	return n;
}

static char with_ctrl(char c)
{
	if ((c >= '@' && c <= '_') || (c >= 'a' && c <= 'z'))
		return c & 0x1f;
	switch (c) {
	case ' ':
	case '2':
		return 0;
	case '6':
		return 0x1e;
	case '-':
	case '/':
		return 0x1f;
	case '?':
	case '8':
		return 0x7f;
	case 0x7f:
		return '\b';
	}
	return c;
}

static size_t character(const struct keymap *k, char c, char *out)
{
	size_t n = 0;

	if (c == '\t' && k->held & SHIFT) {
		out[n++] = '\033';
		out[n++] = '[';
		out[n++] = 'Z';
		return n;
	}
	if (k->held & ALT)
		out[n++] = '\033';
	out[n++] = k->held & CTRL ? with_ctrl(c) : c;
	return n;
}

/* The character of a key; false: it has none. */
static bool lookup(const struct keymap *k, uint8_t code, bool extended, char *c)
{
	bool shift = k->held & SHIFT;
	bool pad = code >= CODE_PAD && code < CODE_PAD + PAD_KEYS;

	if (extended && code != 0x1c && code != 0x35) /* the pad's Enter and / */
		return false;
	if (pad) {
		*c = pad_digits[code - CODE_PAD];
		return k->num != shift || *c == '-' || *c == '+';
	}
	if (code == 0x56) {
		*c = shift ? '|' : '\\'; /* the key that US keyboards do not have */
		return true;
	}
	if (code >= sizeof(plain) - 1)
		return false;
	if (k->caps && plain[code] >= 'a' && plain[code] <= 'z')
		shift = !shift;
	*c = shift && !extended ? shifted[code] : plain[code];
	return *c != 0;
}

size_t keymap_code(struct keymap *k, uint8_t code, bool app_cursor, char out[KEYMAP_BYTES])
{
	bool extended = k->extended, up = code & UP;
	uint8_t mod;
	char c;

	if (k->skip) {
		k->skip--;
		return 0;
	}
	k->extended = code == EXTENDED;
	if (code == PAUSE)
		k->skip = 2;
	if (code == EXTENDED || code == PAUSE)
		return 0;
	code &= 0x7f;
	mod = modifier(code, extended);
	if (mod && up)
		k->held &= (uint8_t)~mod;
	else if (mod)
		k->held |= mod;
	if (mod || up)
		return 0;
	if (code == CODE_CAPS && !extended)
		k->caps = !k->caps;
	if (code == CODE_NUM && !extended)
		k->num = !k->num;
	if (lookup(k, code, extended, &c))
		return character(k, c, out);
	return sequence(k, code, app_cursor, out);
}
