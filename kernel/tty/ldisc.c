/* SPDX-License-Identifier: MIT */
/*
 * The line discipline: between a device that delivers and takes bytes, and programs that read
 * lines.
 *
 *	device --input--> [head  lines  ready  line being edited  tail) --read--> program
 *	                |
 *	                | echo
 *	                v
 *	device <--flush-- out <--output-- program
 *
 * In canonical mode a line can be edited until it is complete; a read gets one line. A line ends
 * with newline or VEOL, which belong to it, or with VEOF, which does not: an end of file is just a
 * line of length 0. So the ring remembers where lines end (in_mark, in_eof), not the bytes
 * themselves: a newline entered behind ^V is an ordinary byte. Without ICANON everything typed is
 * ready at once.
 *
 * To rub out a character on the screen one has to know how wide it was. A tab's width depends on
 * where it began, so the width of the line from its start is computed before and after.
 *
 * The order of work on an input byte is that of the standard: stripping, literal next, carriage
 * return and newline mapping, signals, flow control, editing.
 *
 * There is no line with speed, parity or breaks below any device, so IGNBRK, BRKINT, INPCK and
 * IGNPAR have nothing to do, and of PARMRK is left that a byte 0377 is read as two.
 */
#include "ldisc.h"

#include <parvix/signal.h>
#include <string.h>

#define MASK (TTY_BUF - 1)
/* Program output leaves the rest of the buffer to the echo. */
#define OUT_PROGRAM (TTY_OUT - 128)
#define TAB_WIDTH 8
#define BEL 7
#define CTRL(c) ((c)&0x1f)

#define IFLAG(t, f) ((t)->termios.c_iflag & (f))
#define OFLAG(t, f) ((t)->termios.c_oflag & (f))
#define LFLAG(t, f) ((t)->termios.c_lflag & (f))

/* ---- the ring ---- */

static bool bit_test(const uint64_t *map, unsigned pos)
{
	return map[(pos & MASK) / 64] >> (pos % 64) & 1;
}

static void bit_put(uint64_t *map, unsigned pos, bool on)
{
	uint64_t bit = 1ull << (pos % 64);

	if (on)
		map[(pos & MASK) / 64] |= bit;
	else
		map[(pos & MASK) / 64] &= ~bit;
}

static unsigned ring_used(const struct tty *t)
{
	return t->in_tail - t->in_head;
}

static void ring_put(struct tty *t, unsigned char c, bool mark, bool eof)
{
	t->in[t->in_tail & MASK] = c;
	bit_put(t->in_mark, t->in_tail, mark);
	bit_put(t->in_eof, t->in_tail, eof);
	t->in_tail++;
}

bool ldisc_send_flow(struct tty *t, bool stop)
{
	char c = t->termios.c_cc[stop ? VSTOP : VSTART];

	return c == 0 || t->dev->write(t->dev, &c, 1) == 1;
}

/* IXOFF: whoever types is told to stop before the ring is full, and later to go on. A line that
 * nobody could read yet must be allowed to end. */
static void flow_peer(struct tty *t)
{
	bool stop = t->peer_stopped;

	if (t->gone || (!stop && !IFLAG(t, IXOFF)))
		return;
	if (!IFLAG(t, IXOFF) || ring_used(t) < TTY_BUF / 4)
		stop = false;
	else if (ring_used(t) > TTY_BUF / 4 * 3 && ldisc_ready(t))
		stop = true;
	if (stop != t->peer_stopped && ldisc_send_flow(t, stop))
		t->peer_stopped = stop;
}

void ldisc_flush_input(struct tty *t)
{
	t->in_head = t->in_ready = t->in_tail;
	t->lnext = false;
	flow_peer(t);
}

/* ---- output ---- */

/* A byte as it is. If the device lags behind and there is no room, it is lost: echo only. */
static void put_raw(struct tty *t, char c)
{
	if (t->out_len == TTY_OUT)
		ldisc_flush(t);
	if (t->out_len < TTY_OUT)
		t->out[t->out_len++] = c;
}

static bool continuation(const struct tty *t, unsigned char c)
{
	return IFLAG(t, IUTF8) && (c & 0xc0) == 0x80;
}

static void put_tab(struct tty *t)
{
	unsigned width = TAB_WIDTH - t->column % TAB_WIDTH;

	t->column += width;
	if (OFLAG(t, TABDLY) != TAB3) {
		put_raw(t, '\t');
		return;
	}
	while (width--)
		put_raw(t, ' ');
}

/* A byte with output processing: at most 8 bytes come of it. */
static void put(struct tty *t, unsigned char c)
{
	if (!OFLAG(t, OPOST)) {
		put_raw(t, c);
		return;
	}
	if (c == '\r' && OFLAG(t, OCRNL))
		c = '\n';
	switch (c) {
	case '\n':
		if (OFLAG(t, ONLCR)) {
			put_raw(t, '\r');
			t->column = 0;
		}
		if (OFLAG(t, ONLRET))
			t->column = 0;
		put_raw(t, '\n');
		return;
	case '\r':
		if (OFLAG(t, ONOCR) && t->column == 0)
			return;
		t->column = 0;
		break;
	case '\t':
		put_tab(t);
		return;
	case '\b':
		if (t->column > 0)
			t->column--;
		break;
	default:
		if (c >= ' ' && c != 0x7f && !continuation(t, c))
			t->column++;
	}
	put_raw(t, c);
}

size_t ldisc_output(struct tty *t, const char *buf, size_t n)
{
	size_t i = 0;

	if (!OFLAG(t, OPOST)) {
		if (t->out_len >= OUT_PROGRAM)
			return 0;
		n = min(n, (size_t)OUT_PROGRAM - t->out_len);
		memcpy(t->out + t->out_len, buf, n);
		t->out_len += n;
		return n;
	}
	while (i < n && t->out_len + TAB_WIDTH <= OUT_PROGRAM)
		put(t, buf[i++]);
	return i;
}

bool ldisc_writable(const struct tty *t)
{
	return !t->stopped && t->out_len + TAB_WIDTH <= OUT_PROGRAM;
}

bool ldisc_flush(struct tty *t)
{
	size_t n;

	flow_peer(t);
	if (t->out_len == 0)
		return true;
	if (t->stopped)
		return false;
	n = t->dev->write(t->dev, t->out, t->out_len);
	n = min(n, (size_t)t->out_len);
	t->out_len -= n;
	memmove(t->out, t->out + n, t->out_len);
	return t->out_len == 0;
}

void ldisc_drop_output(struct tty *t)
{
	t->out_len = 0;
	if (t->dev->drop_output)
		t->dev->drop_output(t->dev);
}

/* ---- echo ---- */

static bool shown_as_control(const struct tty *t, unsigned char c)
{
	return LFLAG(t, ECHOCTL) && (c < ' ' || c == 0x7f) && c != '\t' && c != '\n';
}

/* What a typed byte looks like, whether or not ECHO is on. */
static void show(struct tty *t, unsigned char c)
{
	if (shown_as_control(t, c)) {
		put(t, '^');
		put(t, c ^ 0x40);
	} else {
		put(t, c);
	}
}

static void echo(struct tty *t, unsigned char c)
{
	if (LFLAG(t, ECHO))
		show(t, c);
	else if (c == '\n' && LFLAG(t, ECHONL) && LFLAG(t, ICANON))
		put(t, c);
}

/* Column behind the echo of the edited line's bytes up to @end. */
static unsigned line_end_column(const struct tty *t, unsigned end)
{
	unsigned col = t->line_column;

	for (unsigned p = t->in_ready; p != end; p++) {
		unsigned char c = t->in[p & MASK];

		if (c == '\t')
			col += TAB_WIDTH - col % TAB_WIDTH;
		else if (shown_as_control(t, c))
			col += 2;
		else if (c >= ' ' && c != 0x7f && !continuation(t, c))
			col++;
	}
	return col;
}

/* ---- editing ---- */

/* Drop the bytes of the edited line from @to on, and rub them out on the screen. */
static void erase_to(struct tty *t, unsigned to)
{
	while (t->in_tail != to) {
		unsigned char c = t->in[(t->in_tail - 1) & MASK];
		unsigned wide = line_end_column(t, t->in_tail);
		unsigned narrow = line_end_column(t, t->in_tail - 1);

		t->in_tail--;
		if (!LFLAG(t, ECHO))
			continue;
		for (unsigned n = wide - narrow; n > 0; n--) {
			put(t, '\b');
			if (c != '\t') {
				put(t, ' ');
				put(t, '\b');
			}
		}
	}
}

/* Start of the last character of the edited line. */
static unsigned char_before(const struct tty *t, unsigned pos)
{
	do
		pos--;
	while (pos != t->in_ready && continuation(t, t->in[pos & MASK]));
	return pos;
}

static bool blank_before(const struct tty *t, unsigned pos)
{
	unsigned char c = t->in[(pos - 1) & MASK];

	return c == ' ' || c == '\t';
}

static void erase_char(struct tty *t, unsigned char c)
{
	unsigned to;

	if (t->in_tail == t->in_ready)
		return;
	to = char_before(t, t->in_tail);
	if (LFLAG(t, ECHOE)) {
		erase_to(t, to);
	} else {
		t->in_tail = to;
		echo(t, c);
	}
}

static void erase_word(struct tty *t, unsigned char c)
{
	unsigned to = t->in_tail;

	while (to != t->in_ready && blank_before(t, to))
		to--;
	while (to != t->in_ready && !blank_before(t, to))
		to--;
	if (LFLAG(t, ECHOE)) {
		erase_to(t, to);
	} else if (to != t->in_tail) {
		t->in_tail = to;
		echo(t, c);
	}
}

static void erase_line(struct tty *t, unsigned char c)
{
	if (LFLAG(t, ECHOE) && LFLAG(t, ECHOKE)) {
		erase_to(t, t->in_ready);
		return;
	}
	t->in_tail = t->in_ready;
	echo(t, c);
	if (LFLAG(t, ECHO) && LFLAG(t, ECHOK))
		put(t, '\n');
}

static void reprint(struct tty *t, unsigned char c)
{
	if (!LFLAG(t, ECHO))
		return;
	show(t, c);
	put(t, '\n');
	t->line_column = t->column;
	for (unsigned p = t->in_ready; p != t->in_tail; p++)
		show(t, t->in[p & MASK]);
}

/* ---- input ---- */

static bool is_cc(const struct tty *t, unsigned which, unsigned char c)
{
	return c != 0 && t->termios.c_cc[which] == c; /* 0: no such character */
}

static int signal_for(const struct tty *t, unsigned char c)
{
	if (!LFLAG(t, ISIG))
		return 0;
	if (is_cc(t, VINTR, c))
		return SIGINT;
	if (is_cc(t, VQUIT, c))
		return SIGQUIT;
	return is_cc(t, VSUSP, c) ? SIGTSTP : 0;
}

static void signal_char(struct tty *t, unsigned char c, int sig)
{
	if (!LFLAG(t, NOFLSH)) {
		ldisc_flush_input(t);
		/* What the device would not take, or ^S holds back, is dropped too. */
		ldisc_flush(t);
		if (sig != SIGTSTP)
			ldisc_drop_output(t);
	}
	t->stopped = false;
	echo(t, c);
}

/* Flow control; true if @c was nothing but that. */
static bool flow_char(struct tty *t, unsigned char c)
{
	if (!IFLAG(t, IXON))
		return false;
	if (is_cc(t, VSTOP, c) && (!t->stopped || !is_cc(t, VSTART, c))) {
		t->stopped = true;
		return true;
	}
	if (is_cc(t, VSTART, c)) {
		t->stopped = false;
		return true;
	}
	if (t->stopped && IFLAG(t, IXANY))
		t->stopped = false;
	return false;
}

/* A byte becomes input. @mark: it ends a line. One place is kept for that in any case. */
static void accept(struct tty *t, unsigned char c, bool mark, bool eof)
{
	unsigned room = TTY_BUF - ring_used(t), copies = c == 0xff && IFLAG(t, PARMRK) ? 2 : 1;

	if (room < copies || (room == copies && LFLAG(t, ICANON) && !mark)) {
		if (IFLAG(t, IMAXBEL))
			put_raw(t, BEL);
		return;
	}
	if (t->in_tail == t->in_ready)
		t->line_column = t->column;
	if (!eof)
		echo(t, c);
	if (copies == 2)
		ring_put(t, c, false, false);
	ring_put(t, c, mark, eof);
	if (mark || !LFLAG(t, ICANON))
		t->in_ready = t->in_tail;
}

/* Editing characters; true if @c was one. */
static bool edit_char(struct tty *t, unsigned char c)
{
	bool extended = LFLAG(t, IEXTEN);

	if (is_cc(t, VERASE, c))
		erase_char(t, c);
	else if (is_cc(t, VKILL, c))
		erase_line(t, c);
	else if (extended && is_cc(t, VWERASE, c))
		erase_word(t, c);
	else if (extended && is_cc(t, VREPRINT, c))
		reprint(t, c);
	else if (is_cc(t, VEOF, c))
		accept(t, c, true, true);
	else
		return false;
	return true;
}

static void canonical_char(struct tty *t, unsigned char c)
{
	if (edit_char(t, c))
		return;
	if (LFLAG(t, IEXTEN) && is_cc(t, VLNEXT, c)) {
		t->lnext = true;
		if (LFLAG(t, ECHO) && LFLAG(t, ECHOCTL)) {
			put(t, '^');
			put(t, '\b');
		}
		return;
	}
	accept(t, c, c == '\n' || is_cc(t, VEOL, c) || (LFLAG(t, IEXTEN) && is_cc(t, VEOL2, c)),
	       false);
}

int ldisc_input(struct tty *t, unsigned char c)
{
	int sig;

	if (IFLAG(t, ISTRIP))
		c &= 0x7f;
	if (t->lnext) {
		t->lnext = false;
		accept(t, c, false, false);
		return 0;
	}
	if (c == '\r') {
		if (IFLAG(t, IGNCR))
			return 0;
		if (IFLAG(t, ICRNL))
			c = '\n';
	} else if (c == '\n' && IFLAG(t, INLCR)) {
		c = '\r';
	}
	sig = signal_for(t, c);
	if (sig) {
		signal_char(t, c, sig);
		return sig;
	}
	if (flow_char(t, c))
		return 0;
	if (LFLAG(t, ICANON))
		canonical_char(t, c);
	else
		accept(t, c, false, false);
	return 0;
}

size_t ldisc_input_room(const struct tty *t)
{
	size_t room = TTY_BUF - ring_used(t);

	/* One place is kept for the end of a line. A line without end must be allowed to end. */
	if (LFLAG(t, ICANON) && room > 0 && --room == 0 && !ldisc_ready(t))
		room = 1;
	if (IFLAG(t, PARMRK) && (room > 1 || !LFLAG(t, ICANON)))
		room /= 2;
	/* Eight bytes of echo for one of input is what a tab needs. */
	if (LFLAG(t, ECHO) && !t->stopped)
		room = min(room, (size_t)(TTY_OUT - t->out_len) / TAB_WIDTH);
	return room;
}

/* ---- reading ---- */

bool ldisc_ready(const struct tty *t)
{
	return t->in_head != t->in_ready;
}

size_t ldisc_readable(const struct tty *t)
{
	size_t n = 0;

	for (unsigned p = t->in_head; p != t->in_ready; p++)
		n += !bit_test(t->in_eof, p);
	return n;
}

size_t ldisc_read(struct tty *t, char *buf, size_t n, bool *eof)
{
	bool canonical = LFLAG(t, ICANON), ended = false;
	size_t got = 0;

	*eof = false;
	while (got < n && t->in_head != t->in_ready && !ended) {
		unsigned p = t->in_head++;

		if (!bit_test(t->in_eof, p))
			buf[got++] = t->in[p & MASK];
		ended = canonical && bit_test(t->in_mark, p);
		*eof = ended && got == 0;
	}
	/* An end of file right behind the last byte that fits belongs to this read: the next one
	 * would take it for an end of file of its own. */
	if (canonical && !ended && got > 0 && t->in_head != t->in_ready &&
	    bit_test(t->in_eof, t->in_head))
		t->in_head++;
	flow_peer(t);
	return got;
}

/* ---- settings ---- */

void ldisc_set_termios(struct tty *t, const struct termios *wanted)
{
	bool was = LFLAG(t, ICANON);

	t->termios = *wanted;
	if (was == !!LFLAG(t, ICANON))
		return;
	/* What has been typed so far becomes readable; for canonical reads, as one unfinished line
	 * (marks that are in it already keep their meaning). */
	if (!was && t->in_tail != t->in_head)
		bit_put(t->in_mark, t->in_tail - 1, true);
	t->in_ready = t->in_tail;
	t->lnext = false;
}

void ldisc_init(struct tty *t)
{
	t->termios = (struct termios){
		.c_iflag = ICRNL | IXON | IMAXBEL | IUTF8,
		.c_oflag = OPOST | ONLCR,
		.c_cflag = CS8 | CREAD | HUPCL | B38400,
		.c_lflag = ISIG | ICANON | IEXTEN | ECHO | ECHOE | ECHOK | ECHOCTL | ECHOKE,
		.c_ispeed = B38400,
		.c_ospeed = B38400,
	};
	t->termios.c_cc[VINTR] = CTRL('C');
	t->termios.c_cc[VQUIT] = CTRL('\\');
	t->termios.c_cc[VERASE] = 0x7f;
	t->termios.c_cc[VKILL] = CTRL('U');
	t->termios.c_cc[VEOF] = CTRL('D');
	t->termios.c_cc[VMIN] = 1;
	t->termios.c_cc[VSTART] = CTRL('Q');
	t->termios.c_cc[VSTOP] = CTRL('S');
	t->termios.c_cc[VSUSP] = CTRL('Z');
	t->termios.c_cc[VREPRINT] = CTRL('R');
	t->termios.c_cc[VWERASE] = CTRL('W');
	t->termios.c_cc[VLNEXT] = CTRL('V');
	t->winsize = (struct winsize){.ws_row = 24, .ws_col = 80};
}
