/* SPDX-License-Identifier: MIT */
/* The C library from many threads at once: malloc, streams of their own and one that they share. */
#include "guest.h"

#include <pthread.h>

#define MANY 8

static void *use_malloc(void *arg)
{
	unsigned seed = (unsigned)(long)arg;
	unsigned char *block[32] = {NULL};
	unsigned size[32];
	long bad = 0;

	for (int n = 0; n < 3000; n++) {
		int at = rand_r(&seed) % 32;

		if (block[at]) {
			bad += block[at][0] != (unsigned char)(long)arg;
			bad += block[at][size[at] - 1] != (unsigned char)(long)arg;
			free(block[at]);
		}
		size[at] = 1 + rand_r(&seed) % 600;
		block[at] = n % 3 ? malloc(size[at]) : calloc(1, size[at]);
		if (!block[at])
			return (void *)-1;
		memset(block[at], (int)(long)arg, size[at]);
	}
	for (int n = 0; n < 32; n++)
		free(block[n]);
	return (void *)bad;
}

TEST(malloc_from_many_threads)
{
	pthread_t t[MANY];
	void *bad;

	for (long n = 0; n < MANY; n++)
		REQUIRE_EQ(pthread_create(&t[n], NULL, use_malloc, (void *)(n + 1)), 0);
	for (int n = 0; n < MANY; n++) {
		CHECK_EQ(pthread_join(t[n], &bad), 0);
		CHECK_EQ((long)bad, 0);
	}
}

static FILE *shared_file;
#define LINES 200

static void *write_lines(void *arg)
{
	char text[32];

	for (int n = 0; n < LINES; n++) {
		fprintf(shared_file, "%ld:%d:%ld\n", (long)arg, n, (long)arg);
		/* Each thread also has a stream and a buffer of its own. */
		snprintf(text, sizeof(text), "%ld.%f", (long)arg, n / 8.0);
		if (strtod(strchr(text, '.') + 1, NULL) != n / 8.0)
			return (void *)1;
		if (n % 50 == 0) {
			FILE *own_file = fopen("/dev/null", "w");

			if (!own_file || fputs(text, own_file) < 0 || fclose(own_file))
				return (void *)2;
		}
	}
	return NULL;
}

TEST(lines_of_a_shared_stream_stay_whole)
{
	int next[MANY] = {0}, lines = 0;
	pthread_t t[MANY];
	char text[64];
	void *bad;

	REQUIRE(enter_scratch("/tmp"));
	shared_file = fopen("lines", "w+");
	REQUIRE(shared_file != NULL);
	for (long n = 0; n < MANY; n++)
		REQUIRE_EQ(pthread_create(&t[n], NULL, write_lines, (void *)n), 0);
	for (int n = 0; n < MANY; n++) {
		CHECK_EQ(pthread_join(t[n], &bad), 0);
		CHECK_EQ((long)bad, 0);
	}
	rewind(shared_file);
	while (fgets(text, sizeof(text), shared_file)) {
		int who = -1, number = -1, again = -2;

		lines++;
		if (sscanf(text, "%d:%d:%d\n", &who, &number, &again) != 3 || who != again ||
		    who < 0 || who >= MANY || number != next[who]++) {
			CHECK_THAT(false, "a broken line: %s", text);
			break;
		}
	}
	CHECK_EQ(lines, MANY * LINES);
	fclose(shared_file);
	leave_scratch("/tmp");
}

static void *hold_a_stream(void *arg)
{
	flockfile(arg);
	sleep_ms(50);
	putc_unlocked('a', (FILE *)arg);
	funlockfile(arg);
	return NULL;
}

TEST(a_stream_is_locked_by_one)
{
	char buf[8] = "";
	FILE *file = tmpfile();
	pthread_t t;

	REQUIRE(file != NULL);
	REQUIRE_EQ(pthread_create(&t, NULL, hold_a_stream, file), 0);
	sleep_ms(20);
	CHECK(ftrylockfile(file) != 0);
	fputc('b', file);
	CHECK_EQ(pthread_join(t, NULL), 0);
	CHECK_EQ(ftrylockfile(file), 0);
	flockfile(file);
	funlockfile(file);
	funlockfile(file);
	rewind(file);
	CHECK(fgets(buf, sizeof(buf), file));
	CHECK_STR(buf, "ab");
	fclose(file);
}
