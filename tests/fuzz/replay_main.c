/*
 * replay_main: runs a fuzz target without a fuzzer.
 *
 *	replay [--mutations N] [--seed N] [--keep FILE] DIR
 *
 * Every file of the corpus directory is given to the target as it is, and then N
 * mutated variants follow (2,000 unless told), the same ones for the same seed on
 * every machine. Each input ends flush against an unreadable page. --keep writes every
 * input to FILE before it is run: after a crash it holds the one at fault.
 * An empty or unreadable corpus is a failure.
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/lib/guard.h"

#define INPUT_ROOM 70000u
#define MAX_FILES  1024u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct input {
	char name[256];
	uint8_t *data;
	size_t n;
};

static struct input corpus[MAX_FILES];
static size_t corpus_count;
static uint64_t state;
static const char *keep;

/* splitmix64; 0 when there is nothing to choose from */
static uint64_t rnd(uint64_t below)
{
	uint64_t z = (state += 0x9e3779b97f4a7c15u);

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return below ? (z ^ (z >> 31)) % below : 0;
}

static void run(const uint8_t *data, size_t n)
{
	struct guard g;
	FILE *f = keep != NULL ? fopen(keep, "wb") : NULL;

	if (f != NULL) {
		fwrite(data, 1, n, f);
		fclose(f);
	}
	const char *p = guard_end(&g, data, n);

	guard_seal(&g);
	LLVMFuzzerTestOneInput((const uint8_t *)p, n);
	guard_free(&g);
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct input *)a)->name, ((const struct input *)b)->name);
}

static int load_file(const char *dir, const char *name)
{
	char path[4096];
	struct input *in = &corpus[corpus_count];

	if (corpus_count == MAX_FILES ||
	    (size_t)snprintf(path, sizeof(path), "%s/%s", dir, name) >= sizeof(path) ||
	    (size_t)snprintf(in->name, sizeof(in->name), "%s", name) >= sizeof(in->name))
		return -1;
	FILE *f = fopen(path, "rb");

	if (f == NULL)
		return -1;
	in->data = malloc(INPUT_ROOM);
	in->n = in->data != NULL ? fread(in->data, 1, INPUT_ROOM, f) : 0;
	fclose(f);
	corpus_count++;
	return in->data != NULL ? 0 : -1;
}

static int load_corpus(const char *dir)
{
	DIR *d = opendir(dir);
	int failed = d == NULL;

	for (struct dirent *e; d != NULL && (e = readdir(d)) != NULL;)
		if (e->d_name[0] != '.' && load_file(dir, e->d_name) != 0)
			failed = 1;
	if (d != NULL)
		closedir(d);
	qsort(corpus, corpus_count, sizeof(corpus[0]), by_name);
	return failed || corpus_count == 0 ? -1 : 0;
}

struct buffer {
	uint8_t p[INPUT_ROOM];
	size_t n;
};

/* Puts `len` bytes in at `at`; what would be too long is left out. */
static void insert(struct buffer *b, size_t at, const void *bytes, size_t len)
{
	if (len > INPUT_ROOM - b->n)
		return;
	memmove(b->p + at + len, b->p + at, b->n - at);
	memcpy(b->p + at, bytes, len);
	b->n += len;
}

static void insert_piece(struct buffer *b)
{
	static const struct {
		const char *p;
		size_t n;
	} pieces[] = {
#define PIECE(s) {s, sizeof(s) - 1}
		PIECE("\r\n"),
		PIECE("\n"),
		PIECE("\r"),
		PIECE("\r\n "),
		PIECE("\r\n\r\n"),
		PIECE("\0"),
		PIECE(" "),
		PIECE("\t"),
		PIECE(","),
		PIECE(";"),
		PIECE(":"),
		PIECE("="),
		PIECE("\""),
		PIECE("\\"),
		PIECE("<"),
		PIECE(">"),
		PIECE("("),
		PIECE(")"),
		PIECE("["),
		PIECE("]"),
		PIECE("%"),
		PIECE("%41"),
		PIECE("@"),
		PIECE("?"),
		PIECE("&"),
		PIECE("/"),
		PIECE("-1"),
		PIECE("4294967296"),
		PIECE("99999999999999999999"),
		PIECE("\xff\xfe"),
#undef PIECE
	};
	const size_t i = rnd(sizeof(pieces) / sizeof(pieces[0]));

	insert(b, rnd(b->n + 1), pieces[i].p, pieces[i].n);
}

static void erase(struct buffer *b)
{
	if (!b->n)
		return;
	const size_t at = rnd(b->n);
	size_t len = 1 + rnd(rnd(2) ? 4 : 200);

	if (len > b->n - at)
		len = b->n - at;
	memmove(b->p + at, b->p + at + len, b->n - at - len);
	b->n -= len;
}

/* A run of this or another input, put in somewhere. */
static void splice(struct buffer *b)
{
	const struct input *from = &corpus[rnd(corpus_count)];
	uint8_t piece[256];

	if (!from->n)
		return;
	const size_t at = rnd(from->n);
	size_t len = 1 + rnd(sizeof(piece));

	if (len > from->n - at)
		len = from->n - at;
	memcpy(piece, from->data + at, len);
	insert(b, rnd(b->n + 1), piece, len);
}

static void mutate(struct buffer *b)
{
	switch (rnd(7)) {
	case 0:
		if (b->n)
			b->p[rnd(b->n)] ^= (uint8_t)(1u << rnd(8));
		break;
	case 1:
		if (b->n)
			b->p[rnd(b->n)] = (uint8_t)rnd(256);
		break;
	case 2:
		erase(b);
		break;
	case 3:
		splice(b);
		break;
	case 4:
		if (b->n && rnd(4) == 0)
			b->n = rnd(b->n);
		break;
	default:
		insert_piece(b);
		break;
	}
}

static void run_mutations(uint64_t count)
{
	static struct buffer b;

	for (uint64_t i = 0; i < count; i++) {
		const struct input *in = &corpus[rnd(corpus_count)];

		memcpy(b.p, in->data, in->n);
		b.n = in->n;
		for (uint64_t k = 1 + rnd(6); k > 0; k--)
			mutate(&b);
		run(b.p, b.n);
	}
}

int main(int argc, char **argv)
{
	uint64_t mutations = 2000;
	const char *dir = NULL;

	state = 1;
	for (int i = 1; i < argc; i++) {
		if (i + 1 < argc && strcmp(argv[i], "--mutations") == 0)
			mutations = strtoull(argv[++i], NULL, 10);
		else if (i + 1 < argc && strcmp(argv[i], "--seed") == 0)
			state = strtoull(argv[++i], NULL, 10);
		else if (i + 1 < argc && strcmp(argv[i], "--keep") == 0)
			keep = argv[++i];
		else
			dir = argv[i];
	}
	if (dir == NULL || load_corpus(dir) != 0) {
		fprintf(stderr, "no corpus in %s\n", dir != NULL ? dir : "(no directory given)");
		return 1;
	}
	for (size_t i = 0; i < corpus_count; i++)
		run(corpus[i].data, corpus[i].n);
	run_mutations(mutations);
	printf("%zu inputs, %llu mutations\n", corpus_count, (unsigned long long)mutations);
	for (size_t i = 0; i < corpus_count; i++)
		free(corpus[i].data);
	return 0;
}
