#include "control/secret.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Only the file that is open is looked at, so that it cannot be exchanged in between. */
static bool may_be_used(int fd, const char *path, char *why, size_t why_len)
{
	struct stat st;

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
	return true;
}

static bool take_line(char *out, size_t cap, ssize_t got)
{
	size_t n = got < 0 ? 0 : (size_t)got;

	while (n && (out[n - 1] == '\n' || out[n - 1] == '\r'))
		n--;
	if (n == 0 || n >= cap || memchr(out, '\0', n) || memchr(out, '\n', n))
		return false;
	out[n] = '\0';
	return true;
}

static bool read_line(int fd, const char *path, const char *expect, char *out, size_t cap,
		      char *why, size_t why_len)
{
	ssize_t n;

	if (!may_be_used(fd, path, why, why_len))
		return false;
	do
		n = read(fd, out, cap);
	while (n < 0 && errno == EINTR);
	if (take_line(out, cap, n))
		return true;
	snprintf(why, why_len, "%s: expected %s", path, expect);
	return false;
}

bool secret_read(const char *path, const char *expect, char *out, size_t cap, char *why,
		 size_t why_len)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	bool ok;

	if (fd < 0) {
		snprintf(why, why_len, "%s: %s: expected a file with %s", path, strerror(errno),
			 expect);
		return false;
	}
	ok = read_line(fd, path, expect, out, cap, why, why_len);
	if (!ok)
		explicit_bzero(out, cap);
	close(fd);
	return ok;
}

bool secret_directory(const char *path, char *why, size_t why_len)
{
	struct stat st;

	if (mkdir(path, 0700) < 0 && errno != EEXIST) {
		snprintf(why, why_len, "%s: directory cannot be made: %s", path, strerror(errno));
		return false;
	}
	if (stat(path, &st) < 0 || !S_ISDIR(st.st_mode)) {
		snprintf(why, why_len, "%s: expected a directory", path);
		return false;
	}
	if (!(st.st_mode & 077))
		return true;
	snprintf(why, why_len, "%s has mode %04o: expected 0700, so that only its owner reads it",
		 path, (unsigned)st.st_mode & 07777);
	return false;
}
