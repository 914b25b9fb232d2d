#include "control/node_key.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#define DIGITS 32

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
static bool decode(const char *text, size_t n, struct siphash_key *key)
{
	uint64_t half[2] = {0, 0};

	while (n && (text[n - 1] == '\n' || text[n - 1] == '\r'))
		n--;
	if (n != DIGITS)
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

static bool read_key(int fd, const char *path, struct siphash_key *key, char *why, size_t why_len)
{
	char text[DIGITS + 8];
	struct stat st;
	ssize_t n;

	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) {
		snprintf(why, why_len, "%s: expected a file", path);
		return false;
	}
	if (st.st_mode & 077) {
		snprintf(why, why_len,
			 "%s has mode %04o: expected 0600 or 0400, so that only its owner reads it",
			 path, (unsigned)st.st_mode & 07777);
		return false;
	}
	n = read(fd, text, sizeof(text));
	if (n >= 0 && decode(text, (size_t)n, key))
		return true;
	snprintf(why, why_len, "%s: expected 32 hexadecimal digits", path);
	return false;
}

bool node_key_read(const char *path, struct siphash_key *key, char *why, size_t why_len)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	bool ok;

	if (fd < 0) {
		snprintf(why, why_len, "%s: %s: expected a file with 32 hexadecimal digits", path,
			 strerror(errno));
		return false;
	}
	ok = read_key(fd, path, key, why, why_len);
	close(fd);
	return ok;
}
