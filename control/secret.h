/*
 * secret: files whose one line nobody but their owner may read, a key or a
 * password, and directories that nobody else may look into.
 */
#ifndef CONTROL_SECRET_H
#define CONTROL_SECRET_H

#include <stdbool.h>
#include <stddef.h>

/*
 * The line without its end, as a string; at most cap - 1 bytes and none of them
 * zero. False with what is wrong in `why`, where `expect` says what belongs there;
 * nothing of the content gets into it.
 */
bool secret_read(const char *path, const char *expect, char *out, size_t cap, char *why,
		 size_t why_len);

/* Makes a directory (0700), or finds it as private as that; else a sentence in `why`. */
bool secret_directory(const char *path, char *why, size_t why_len);

#endif
