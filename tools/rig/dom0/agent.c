/* SPDX-License-Identifier: MIT */
/*
 * The host's hand in dom0: process 1 of the machine's Linux, which runs commands and connects
 * terminals for the runner on the host, over one port of the virtual serial device.
 *
 * PROTOCOL. Both directions carry frames: a header of eight bytes (length of the data: 32 bits,
 * channel: 16 bits, type: 8 bits, 0; little-endian), then the data. The host picks the channel
 * numbers.
 *
 *   host to agent   R  run the data as a command of /bin/sh; its input stays open
 *                   T  open the terminal whose path is the data, raw
 *                   I  input for the channel
 *                   E  end of the channel's input
 *                   K  kill what runs there (SIGKILL to its process group), or close the terminal
 *                   P  answer with P: are you there?
 *   agent to host   O  output, or what came from the terminal
 *                   e  what the command wrote to its standard error
 *                   X  it has ended: status in decimal, 128 + N for signal N; for a terminal 0, or
 * 1 if it cannot be opened
 *
 * Everything here is driven by poll(): a machine with one emulated CPU has none to spare for
 * looking again and again. Output is written to the port with a blocking write; the host always
 * reads. Input for a program that does not read waits here.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#define MAX_CHANNELS 64
#define MAX_FRAME (1 << 20)
#define CHUNK 32768
/* Input for a terminal that nobody reads is dropped beyond this: typing must not stop everything
 * else. */
#define TTY_INPUT_MAX 65536

struct header {
	uint32_t length;
	uint16_t id;
	uint8_t type;
	uint8_t zero;
};

struct channel {
	int id;
	pid_t pid;        /* 0: a terminal */
	int in, out, err; /* -1: closed */
	int in_ends;      /* close `in` when `pending` is written */
	char *pending;
	size_t pending_length;
};

static struct channel channels[MAX_CHANNELS];
static int n_channels;
static int port;

static void die(const char *what)
{
	fprintf(stderr, "RIG: agent: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void put(const void *data, size_t length)
{
	const char *p = data;

	while (length) {
		ssize_t n = write(port, p, length);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			die("write to the host");
		p += n;
		length -= (size_t)n;
	}
}

static void send_frame(int id, char type, const void *data, size_t length)
{
	static char frame[sizeof(struct header) + CHUNK];
	struct header header = {(uint32_t)length, (uint16_t)id, (uint8_t)type, 0};

	memcpy(frame, &header, sizeof(header));
	if (length)
		memcpy(frame + sizeof(header), data, length);
	put(frame, sizeof(header) + length);
}

static void send_status(int id, int status)
{
	char text[16];

	send_frame(id, 'X', text, (size_t)snprintf(text, sizeof(text), "%d", status));
}

static struct channel *find(int id)
{
	for (int i = 0; i < n_channels; i++)
		if (channels[i].id == id)
			return &channels[i];
	return NULL;
}

static struct channel *new_channel(int id)
{
	struct channel *c;

	if (n_channels == MAX_CHANNELS || find(id)) {
		send_status(id, 127);
		return NULL;
	}
	c = &channels[n_channels++];
	memset(c, 0, sizeof(*c));
	c->id = id;
	c->in = c->out = c->err = -1;
	return c;
}

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static void end_channel(struct channel *c, int status)
{
	int id = c->id;

	close_fd(&c->in);
	if (c->pid)
		close_fd(&c->out);
	close_fd(&c->err);
	free(c->pending);
	*c = channels[--n_channels];
	send_status(id, status);
}

static void run(int id, const char *command)
{
	struct channel *c = new_channel(id);
	int in[2], out[2], err[2];

	if (!c)
		return;
	if (pipe2(in, O_CLOEXEC) || pipe2(out, O_CLOEXEC) || pipe2(err, O_CLOEXEC))
		die("pipe");
	c->pid = fork();
	if (c->pid < 0)
		die("fork");
	if (c->pid == 0) {
		sigset_t none;

		sigemptyset(&none);
		sigprocmask(SIG_SETMASK, &none, NULL);
		setsid();
		dup2(in[0], 0);
		dup2(out[1], 1);
		dup2(err[1], 2);
		execl("/bin/sh", "sh", "-c", command, (char *)NULL);
		_exit(127);
	}
	close(in[0]);
	close(out[1]);
	close(err[1]);
	c->in = in[1];
	c->out = out[0];
	c->err = err[0];
	fcntl(c->in, F_SETFL, O_NONBLOCK);
	fcntl(c->out, F_SETFL, O_NONBLOCK);
	fcntl(c->err, F_SETFL, O_NONBLOCK);
}

static void open_tty(int id, const char *path)
{
	struct channel *c = new_channel(id);
	struct termios mode;

	if (!c)
		return;
	c->out = open(path, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
	if (c->out < 0 || tcgetattr(c->out, &mode)) {
		close_fd(&c->out);
		end_channel(c, 1);
		return;
	}
	cfmakeraw(&mode);
	tcsetattr(c->out, TCSANOW, &mode);
	c->in = fcntl(c->out, F_DUPFD_CLOEXEC, 0);
}

/* Writes what waits for the channel's reader, as far as it takes it. */
static void flush_input(struct channel *c)
{
	ssize_t n;

	while (c->pending_length && c->in >= 0) {
		n = write(c->in, c->pending, c->pending_length);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return;
		if (n < 0) {
			c->pending_length = 0; /* nobody will read it */
			close_fd(&c->in);
			return;
		}
		c->pending_length -= (size_t)n;
		memmove(c->pending, c->pending + n, c->pending_length);
	}
	if (c->in_ends)
		close_fd(&c->in);
}

static void add_input(struct channel *c, const char *data, size_t length)
{
	char *larger;

	if (c->in < 0 || (!c->pid && c->pending_length + length > TTY_INPUT_MAX))
		return;
	larger = realloc(c->pending, c->pending_length + length);
	if (!larger)
		die("memory for input");
	memcpy(larger + c->pending_length, data, length);
	c->pending = larger;
	c->pending_length += length;
	flush_input(c);
}

static void handle_frame(const struct header *header, char *data)
{
	struct channel *c = find(header->id);

	data[header->length] = 0;
	switch (header->type) {
	case 'R':
		run(header->id, data);
		break;
	case 'T':
		open_tty(header->id, data);
		break;
	case 'P':
		send_frame(header->id, 'P', NULL, 0);
		break;
	case 'I':
		if (c)
			add_input(c, data, header->length);
		break;
	case 'E':
		if (c) {
			c->in_ends = 1;
			flush_input(c);
		}
		break;
	case 'K':
		if (c && c->pid) {
			kill(-c->pid, SIGKILL);
		} else if (c) {
			close_fd(&c->out);
			end_channel(c, 0);
		}
		break;
	}
}

/* Reads what the host has sent; handles the frames that are complete. */
static void read_host(void)
{
	static char buffer[sizeof(struct header) + MAX_FRAME + 1];
	static size_t filled;
	struct header header;
	size_t used = 0;
	ssize_t n = read(port, buffer + filled, sizeof(buffer) - 1 - filled);

	if (n < 0 && errno != EINTR && errno != EAGAIN)
		die("read from the host");
	if (n <= 0)
		return;
	filled += (size_t)n;
	while (filled - used >= sizeof(header)) {
		memcpy(&header, buffer + used, sizeof(header));
		if (header.length > MAX_FRAME)
			die("frame from the host");
		if (filled - used - sizeof(header) < header.length)
			break;
		/* The end mark that handle_frame() sets may be the next frame's first byte. */
		char *data = buffer + used + sizeof(header);
		char next = data[header.length];

		handle_frame(&header, data);
		data[header.length] = next;
		used += sizeof(header) + header.length;
	}
	filled -= used;
	memmove(buffer, buffer + used, filled);
}

/* Passes on what can be read now; true when that was the end. */
static int pass_on(struct channel *c, int fd, char type)
{
	static char data[CHUNK];
	ssize_t n = read(fd, data, sizeof(data));

	if (n > 0)
		send_frame(c->id, type, data, (size_t)n);
	return n == 0 || (n < 0 && errno != EINTR && errno != EAGAIN);
}

static void drain(struct channel *c, int *fd, char type)
{
	int before;

	if (*fd < 0)
		return;
	/* As much as is there: something left in the background may hold the pipe for ever. */
	for (before = 0; before < 64; before++) {
		struct pollfd ready = {.fd = *fd, .events = POLLIN};

		if (poll(&ready, 1, 0) != 1 || pass_on(c, *fd, type))
			break;
	}
}

static void reap(int signals)
{
	struct signalfd_siginfo info;
	int status;
	pid_t pid;

	if (read(signals, &info, sizeof(info)) < 0 && errno != EAGAIN)
		die("signalfd");
	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		for (int i = 0; i < n_channels; i++) {
			struct channel *c = &channels[i];

			if (c->pid != pid)
				continue;
			drain(c, &c->out, 'O');
			drain(c, &c->err, 'e');
			end_channel(c, WIFEXITED(status) ? WEXITSTATUS(status)
							 : 128 + WTERMSIG(status));
			break;
		}
	}
}

/* One round of the channels after poll(); `fds` has three entries a channel. */
static void serve(const struct pollfd *fds, int count)
{
	/* From the last: end_channel() moves the last into the place that it frees. */
	for (int i = count - 1; i >= 0; i--) {
		struct channel *c = &channels[i];

		if (fds[3 * i].revents)
			flush_input(c);
		if (fds[3 * i + 2].revents && pass_on(c, c->err, 'e'))
			close_fd(&c->err);
		if (fds[3 * i + 1].revents && pass_on(c, c->out, 'O')) {
			close_fd(&c->out);
			if (!c->pid)
				end_channel(c, 0);
		}
	}
}

int main(int argc, char **argv)
{
	static struct pollfd fds[2 + 3 * MAX_CHANNELS];
	sigset_t child;
	int signals, count;

	if (argc != 2)
		return 2;
	port = open(argv[1], O_RDWR | O_CLOEXEC);
	if (port < 0)
		die(argv[1]);
	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&child);
	sigaddset(&child, SIGCHLD);
	sigprocmask(SIG_BLOCK, &child, NULL);
	signals = signalfd(-1, &child, SFD_CLOEXEC | SFD_NONBLOCK);
	if (signals < 0)
		die("signalfd");
	for (;;) {
		fds[0] = (struct pollfd){.fd = port, .events = POLLIN};
		fds[1] = (struct pollfd){.fd = signals, .events = POLLIN};
		count = n_channels;
		for (int i = 0; i < count; i++) {
			struct channel *c = &channels[i];

			fds[2 + 3 * i] = (struct pollfd){c->pending_length ? c->in : -1, POLLOUT,
							 0};
			fds[3 + 3 * i] = (struct pollfd){c->out, POLLIN, 0};
			fds[4 + 3 * i] = (struct pollfd){c->err, POLLIN, 0};
		}
		if (poll(fds, (nfds_t)(2 + 3 * count), -1) < 0 && errno != EINTR)
			die("poll");
		serve(fds + 2, count);
		if (fds[1].revents)
			reap(signals);
		if (fds[0].revents & POLLIN)
			read_host();
	}
}
