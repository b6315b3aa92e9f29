// SPDX-License-Identifier: Apache-2.0
/*
 * test_file.c - whole files, whole folders, or an error.
 */
#include "support/test.h"

#include <dirent.h>
#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"

static char folder[64];

/* A path in this test's own folder; good until the next call but one. */
static const char *in_folder(const char *name)
{
	static char paths[2][256];
	static unsigned turn;
	char *path = paths[turn++ % 2];

	(void)snprintf(path, sizeof(paths[0]), "%s/%s", folder, name);
	return path;
}

static int make_folder(void **state)
{
	(void)state;
	(void)snprintf(folder, sizeof(folder), "/tmp/voiceotp-file-XXXXXX");
	return mkdtemp(folder) ? 0 : -1;
}

static int remove_one(const char *path, const struct stat *st, int kind,
		      struct FTW *where)
{
	(void)st;
	(void)kind;
	(void)where;
	return remove(path);
}

static int remove_folder(void **state)
{
	(void)state;
	/* NOLINTNEXTLINE(concurrency-mt-unsafe): there is one thread */
	return nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static int entries(void)
{
	struct dirent **names;
	int n = scandir(folder, &names, NULL, NULL);

	assert_true(n >= 2);
	for (int i = 0; i < n; i++)
		free(names[i]);
	free(names);
	return n - 2; /* . and .. */
}

TEST(what_was_written_is_read)
{
	AUTO_BUF(b, 100);

	assert_int_equal(file_write(in_folder("f"), "a\0b", 3, 0600), 0);
	assert_int_equal(file_read(in_folder("f"), &b), 0);

	assert_int_equal(b.n, 3);
	assert_memory_equal(b.p, "a\0b", 3);
}

TEST(writing_again_replaces_all_and_leaves_nothing_beside)
{
	AUTO_BUF(b, 100);

	assert_int_equal(file_write(in_folder("f"), "long text", 9, 0600), 0);
	assert_int_equal(file_write(in_folder("f"), "x", 1, 0600), 0);
	assert_int_equal(file_read(in_folder("f"), &b), 0);

	assert_string_equal(b.p, "x");
	assert_int_equal(entries(), 1);
}

TEST(the_mode_is_the_one_asked_for)
{
	struct stat st;

	assert_int_equal(file_write(in_folder("f"), "x", 1, 0600), 0);
	assert_int_equal(stat(in_folder("f"), &st), 0);

	assert_int_equal(st.st_mode & 0777, 0600);
}

TEST(a_file_over_the_limit_is_too_big)
{
	enum { MANY = 100000 };
	AUTO_FREE char *zeroes = b_zero(1, MANY);
	AUTO_BUF(small, MANY - 1);
	AUTO_BUF(enough, MANY);

	assert_int_equal(file_write(in_folder("f"), zeroes, MANY, 0600), 0);

	assert_int_equal(file_read(in_folder("f"), &small), -E2BIG);
	assert_int_equal(file_read(in_folder("f"), &enough), 0);
	assert_int_equal(enough.n, MANY);
}

TEST(reading_appends)
{
	AUTO_BUF(b, 100);

	buf_str(&b, "a");
	assert_int_equal(file_write(in_folder("f"), "b", 1, 0600), 0);
	assert_int_equal(file_read(in_folder("f"), &b), 0);

	assert_string_equal(b.p, "ab");
}

TEST(what_cannot_be_opened_says_why)
{
	AUTO_BUF(b, 100);

	assert_int_equal(file_read(in_folder("none"), &b), -ENOENT);
	assert_int_equal(file_read(folder, &b), -EISDIR);
	assert_int_equal(file_write(in_folder("none/f"), "x", 1, 0600),
			 -ENOENT);
}

TEST(a_failed_replacement_leaves_nothing_beside)
{
	assert_int_equal(file_make_dir(in_folder("d")), 0);
	assert_int_equal(file_write(in_folder("d/keep"), "x", 1, 0600), 0);

	/* a folder that is in use cannot be renamed over */
	assert_true(file_write(in_folder("d"), "x", 1, 0600) < 0);
	assert_int_equal(entries(), 1);
}

TEST(folders_are_made_with_those_above)
{
	struct stat st;

	assert_int_equal(file_make_dir(in_folder("a/b//c/")), 0);
	assert_int_equal(file_make_dir(in_folder("a/b/c")), 0);
	assert_int_equal(stat(in_folder("a/b/c"), &st), 0);

	assert_true(S_ISDIR(st.st_mode));
	assert_int_equal(st.st_mode & 0777, 0700);
}

TEST(a_file_in_the_way_is_no_folder)
{
	assert_int_equal(file_write(in_folder("f"), "x", 1, 0600), 0);

	assert_int_equal(file_make_dir(in_folder("f")), -ENOTDIR);
	assert_int_equal(file_make_dir(in_folder("f/g")), -ENOTDIR);
	assert_int_equal(file_make_dir(""), -ENOENT);
}

TEST(paths_that_are_too_long_are_refused)
{
	char path[5000];

	memset(path, 'x', sizeof(path) - 1);
	path[sizeof(path) - 1] = '\0';

	assert_int_equal(file_make_dir(path), -ENAMETOOLONG);
	assert_int_equal(file_write(path, "x", 1, 0600), -ENAMETOOLONG);
}

#define IN_FOLDER(test) \
	cmocka_unit_test_setup_teardown(test, make_folder, remove_folder)

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_FOLDER(what_was_written_is_read),
		IN_FOLDER(writing_again_replaces_all_and_leaves_nothing_beside),
		IN_FOLDER(the_mode_is_the_one_asked_for),
		IN_FOLDER(a_file_over_the_limit_is_too_big),
		IN_FOLDER(reading_appends),
		IN_FOLDER(what_cannot_be_opened_says_why),
		IN_FOLDER(a_failed_replacement_leaves_nothing_beside),
		IN_FOLDER(folders_are_made_with_those_above),
		IN_FOLDER(a_file_in_the_way_is_no_folder),
		cmocka_unit_test(paths_that_are_too_long_are_refused),
	};

	return cmocka_run_group_tests_name("base/file", tests, NULL, NULL);
}
