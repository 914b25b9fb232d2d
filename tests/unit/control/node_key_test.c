/* Keys and passwords in files that nobody else may read. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "control/node_key.h"
#include "control/secret.h"
#include "tests/lib/unit.h"

static void write_key(const char *path, const char *text, mode_t mode)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	fputs(text, f);
	fclose(f);
	assert_int_equal(chmod(path, mode), 0);
}

static void key_files(void **state)
{
	char path[] = "/tmp/postern-key-XXXXXX", why[512] = "";
	struct siphash_key a = {0, 0}, b = {0, 0};
	int fd = mkstemp(path);

	(void)state;
	assert_true(fd >= 0);
	close(fd);
	write_key(path, "000102030405060708090a0B0C0d0e0f\n", 0600);
	assert_true(node_key_read(path, &a, why, sizeof(why)));
	assert_true(a.k0 == 0x0706050403020100ull && a.k1 == 0x0f0e0d0c0b0a0908ull);
	write_key(path, "000102030405060708090a0B0C0d0e0f\n", 0640);
	assert_false(node_key_read(path, &b, why, sizeof(why)));
	assert_non_null(strstr(why, "has mode 0640: expected 0600 or 0400"));
	write_key(path, "000102030405060708090a0B0C0d0e0", 0600);
	assert_false(node_key_read(path, &b, why, sizeof(why)));
	assert_non_null(strstr(why, "expected 32 hexadecimal digits"));
	write_key(path, "000102030405060708090a0B0C0d0e0f00", 0600);
	assert_false(node_key_read(path, &b, why, sizeof(why)));
	write_key(path, "000102030405060708090a0B0C0d0e0g", 0600);
	assert_false(node_key_read(path, &b, why, sizeof(why)));
	unlink(path);
	assert_true(node_key_random(&a) && node_key_random(&b));
	assert_true(a.k0 != b.k0 || a.k1 != b.k1);
}

/* Processes that come at the same time all get the key of the one that was first. */
static void a_key_is_kept(void **state)
{
	char dir[] = "/tmp/postern-key-XXXXXX", path[64], why[512] = "";
	struct siphash_key a, b;
	struct stat st;

	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/key", dir);
	for (int i = 0; i < 8; i++) {
		pid_t pid = fork();

		assert_true(pid >= 0);
		if (pid == 0)
			_exit(node_key_keep(dir, &a, why, sizeof(why)) ? 0 : 1);
	}
	for (int i = 0; i < 8; i++) {
		int status;

		assert_true(wait(&status) > 0);
		assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	}
	assert_true(node_key_keep(dir, &a, why, sizeof(why)));
	assert_true(node_key_read(path, &b, why, sizeof(why)));
	assert_memory_equal(&a, &b, sizeof(a));
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(st.st_nlink, 1);
	write_key(path, "not a key\n", 0600);
	assert_false(node_key_keep(dir, &a, why, sizeof(why)));
	assert_non_null(strstr(why, "expected 32 hexadecimal digits"));
	write_key(path, "000102030405060708090a0B0C0d0e0f\n", 0644);
	assert_false(node_key_keep(dir, &a, why, sizeof(why)));
	assert_non_null(strstr(why, "has mode 0644"));
	assert_int_equal(unlink(path), 0);
	assert_int_equal(chmod(dir, 0755), 0);
	assert_false(node_key_keep(dir, &a, why, sizeof(why)));
	assert_non_null(strstr(why, "has mode 0755: expected 0700"));
	assert_int_equal(rmdir(dir), 0);
	assert_true(node_key_keep(dir, &a, why, sizeof(why)));
	assert_int_equal(unlink(path), 0);
	assert_int_equal(rmdir(dir), 0);
	assert_false(node_key_keep("/nosuchdir/state", &a, why, sizeof(why)));
	assert_non_null(strstr(why, "cannot be made"));
}

static void passwords(void **state)
{
	char path[] = "/tmp/postern-pw-XXXXXX", why[512] = "", pw[8];
	int fd = mkstemp(path);

	(void)state;
	assert_true(fd >= 0);
	close(fd);
	write_key(path, "secret!\n", 0400);
	assert_true(secret_read(path, "a word", pw, sizeof(pw), why, sizeof(why)));
	assert_string_equal(pw, "secret!");
	write_key(path, "secret!!", 0600);
	assert_false(secret_read(path, "a word", pw, sizeof(pw), why, sizeof(why)));
	assert_non_null(strstr(why, "expected a word"));
	assert_null(strstr(why, "secret"));
	write_key(path, "a\nb\n", 0600);
	assert_false(secret_read(path, "a word", pw, sizeof(pw), why, sizeof(why)));
	write_key(path, "\n", 0600);
	assert_false(secret_read(path, "a word", pw, sizeof(pw), why, sizeof(why)));
	write_key(path, "secret", 0604);
	assert_false(secret_read(path, "a word", pw, sizeof(pw), why, sizeof(why)));
	assert_non_null(strstr(why, "has mode 0604"));
	unlink(path);
	assert_false(secret_read("/", "a word", pw, sizeof(pw), why, sizeof(why)));
	assert_non_null(strstr(why, "expected a file"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(key_files),
		cmocka_unit_test(a_key_is_kept),
		cmocka_unit_test(passwords),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
