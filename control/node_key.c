#include "control/node_key.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "control/secret.h"

#define DIGITS 32
#define EXPECT "32 hexadecimal digits"

bool node_key_random(struct siphash_key *key)
{
	ssize_t n;

	do
		n = getrandom(key, sizeof(*key), 0);
	while (n < 0 && errno == EINTR);
	return n == (ssize_t)sizeof(*key);
}

static int digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* The digits are the key's bytes, first byte first, on every machine. */
static bool decode(const char *text, struct siphash_key *key)
{
	uint64_t half[2] = {0, 0};

	if (strlen(text) != DIGITS)
		return false;
	for (size_t i = 0; i < DIGITS; i += 2) {
		int hi = digit(text[i]), lo = digit(text[i + 1]);

		if (hi < 0 || lo < 0)
			return false;
		half[i / 16] |= (uint64_t)(hi << 4 | lo) << (i % 16 * 4);
	}
	*key = (struct siphash_key){half[0], half[1]};
	return true;
}

static void encode(const struct siphash_key *key, char out[DIGITS + 2])
{
	for (size_t i = 0; i < DIGITS; i += 2) {
		uint64_t half = i < 16 ? key->k0 : key->k1;

		snprintf(out + i, 3, "%02x", (unsigned)(half >> (i % 16 * 4)) & 0xff);
	}
	memcpy(out + DIGITS, "\n", 2);
}

bool node_key_read(const char *path, struct siphash_key *key, char *why, size_t why_len)
{
	char text[DIGITS + 8];
	bool ok;

	if (!secret_read(path, EXPECT, text, sizeof(text), why, why_len))
		return false;
	ok = decode(text, key);
	if (!ok)
		snprintf(why, why_len, "%s: expected %s", path, EXPECT);
	explicit_bzero(text, sizeof(text));
	return ok;
}

static bool fill(int fd, const char *text, size_t n)
{
	return write(fd, text, n) == (ssize_t)n && fsync(fd) == 0;
}

/* Its name is there before a call may be told an identifier that it made. */
static bool sync_directory(const char *directory)
{
	int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool ok = fd >= 0 && fsync(fd) == 0;

	if (fd >= 0)
		close(fd);
	return ok;
}

/*
 * A whole file under a name of its own, then linked: link() fails where there is
 * one already, which then is the key. mkstemp() makes it 0600.
 */
static bool make(const char *directory, const char *path)
{
	char temporary[512], text[DIGITS + 2];
	struct siphash_key key;
	bool ok;
	int fd;

	snprintf(temporary, sizeof(temporary), "%s.XXXXXX", path);
	if (!node_key_random(&key))
		return false;
	fd = mkstemp(temporary);
	if (fd < 0)
		return false;
	encode(&key, text);
	ok = fill(fd, text, DIGITS + 1) && (link(temporary, path) == 0 || errno == EEXIST) &&
	     sync_directory(directory);
	explicit_bzero(text, sizeof(text));
	explicit_bzero(&key, sizeof(key));
	unlink(temporary);
	close(fd);
	return ok;
}

bool node_key_keep(const char *directory, struct siphash_key *key, char *why, size_t why_len)
{
	char path[480];

	if (!secret_directory(directory, why, why_len))
		return false;
	if ((size_t)snprintf(path, sizeof(path), "%s/key", directory) >= sizeof(path)) {
		snprintf(why, why_len, "%s: expected a shorter path", directory);
		return false;
	}
	if (access(path, F_OK) != 0 && !make(directory, path)) {
		snprintf(why, why_len, "%s: %s: no key can be kept there", path, strerror(errno));
		return false;
	}
	return node_key_read(path, key, why, why_len);
}
