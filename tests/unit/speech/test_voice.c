// SPDX-License-Identifier: Apache-2.0
/*
 * test_voice.c - whatever a voice does, does it end, and is it told what of?
 */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "speech/voice_priv.h"
#include "unit/speech/folder.h"

enum { END_MS = 20000 }; /* for what was killed to be gone */

static struct folder folder;

static int setup(void **state)
{
	(void)state;
	folder_make(&folder);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	folder_remove(folder.path);
	return 0;
}

static struct voice_limits limits(int64_t ms, size_t bytes)
{
	return (struct voice_limits){
		.clock = clock_real(), .ms = ms, .bytes = bytes, .stop_fd = -1};
}

/* What a language is spoken by. */
static int open_voice(const struct speech_params *params, const char *language,
		      struct voice *out, struct diag *d)
{
	char spec[SPEECH_VOICE_BYTES];

	voice_choice(params, language, spec);
	return voice_open(params, spec, language, out, d);
}

static int run_script(const char *body, int64_t ms, struct buf *out,
		      struct diag *d)
{
	struct voice_limits most = limits(ms, 1 << 20);
	char path[2 * FOLDER_PATH];
	const char *argv[] = {path, NULL};

	folder_script(&folder, "voice", body, path);
	return voice_run(argv, span_of("some text"), &most, out, d);
}

static void expect_no_children(void)
{
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	assert_int_equal(errno, ECHILD);
}

/* The process number that a script wrote to a file. */
static pid_t pid_in(const char *name)
{
	char path[2 * FOLDER_PATH];
	AUTO_BUF(b, 64);

	(void)snprintf(path, sizeof(path), "%s/%s", folder.path, name);
	assert_int_equal(file_read(path, &b), 0);
	return (pid_t)strtol(b.p, NULL, 10);
}

TEST(text_goes_in_and_sound_comes_out)
{
	AUTO_BUF(out, 1 << 20);
	struct diag d = {0};

	assert_int_equal(run_script("tr a-z A-Z", 5000, &out, &d), 0);
	assert_string_equal(out.p, "SOME TEXT");
	expect_no_children();
}

TEST(a_voice_sees_neither_our_files_nor_our_environment)
{
	AUTO_BUF(out, 1 << 20);
	struct diag d = {0};
	int leak = open("/dev/null", O_RDONLY); // NOLINT(android-cloexec-open)

	assert_true(leak >= 0);
	// NOLINTNEXTLINE(concurrency-mt-unsafe)
	assert_int_equal(setenv("VOICEOTP_TOKEN", "hush", 1), 0);
	assert_int_equal(
		run_script("env; ls /proc/self/fd | wc -l", 5000, &out, &d), 0);
	(void)close(leak);

	assert_null(strstr(out.p, "hush"));
	/* 0, 1, 2 and the one that ls reads the folder by */
	assert_non_null(strstr(out.p, "\n4\n"));
}

/* Somebody else's child: its end can be waited for, its status cannot. */
static void expect_to_end(pid_t pid)
{
	struct pollfd end = {.events = POLLIN};

	end.fd = (int)syscall(SYS_pidfd_open, pid, 0);
	if (end.fd < 0) {
		assert_int_equal(errno, ESRCH);
		return;
	}
	assert_int_equal(poll(&end, 1, END_MS), 1);
	(void)close(end.fd);
}

TEST(a_voice_that_hangs_is_killed_with_its_children)
{
	AUTO_BUF(out, 1 << 20);
	struct diag d = {0};
	char body[3 * FOLDER_PATH];
	pid_t child;

	(void)snprintf(
		body, sizeof(body),
		"trap '' TERM\ntail -f /dev/null & echo $! >%s/child\nwait",
		folder.path);
	assert_int_equal(run_script(body, 300, &out, &d), -ETIMEDOUT);

	assert_string_equal(d.message, "voice: did not end within 300 ms");
	expect_no_children();
	child = pid_in("child");
	/* it is init's now; killed, if perhaps not yet gone */
	expect_to_end(child);
}

TEST(a_voice_that_leaves_somebody_behind_takes_him_along)
{
	AUTO_BUF(out, 1 << 20);
	struct diag d = {0};
	char body[3 * FOLDER_PATH];

	(void)snprintf(body, sizeof(body),
		       "tail -f /dev/null & echo $! >%s/child\necho said",
		       folder.path);
	assert_int_equal(run_script(body, 5000, &out, &d), 0);
	assert_string_equal(out.p, "said\n");
	expect_no_children();
}

TEST(a_voice_that_writes_without_end_is_stopped)
{
	AUTO_BUF(out, 8 << 20);
	struct diag d = {0};

	assert_int_equal(run_script("exec yes", 20000, &out, &d), -EIO);
	assert_string_equal(d.message, "voice: wrote 1048576 bytes or more");
	assert_int_equal(out.n, 0);
	expect_no_children();
}

TEST(a_voice_that_complains_without_end_is_killed)
{
	AUTO_BUF(out, 1 << 20);
	struct diag d = {0};

	assert_int_equal(run_script("exec yes no >&2", 300, &out, &d),
			 -ETIMEDOUT);
	expect_no_children();
}

TEST(what_a_failing_voice_says_is_reported)
{
	AUTO_BUF(out, 1 << 20);
	struct diag d = {0};

	assert_int_equal(run_script("echo 'no such\tvoice' >&2; exit 3", 5000,
				    &out, &d),
			 -EIO);
	assert_string_equal(d.message, "voice: exit status 3: no such voice ");

	assert_int_equal(run_script("kill -SEGV $$", 5000, &out, &d), -EIO);
	assert_string_equal(d.message, "voice: ended by signal 11");
	expect_no_children();
}

TEST(a_voice_is_let_go_when_the_program_stops)
{
	AUTO_BUF(out, 1 << 20);
	struct diag d = {0};
	char path[2 * FOLDER_PATH];
	const char *argv[] = {path, NULL};
	struct voice_limits most = limits(20000, 1 << 20);
	int fd = eventfd(1, EFD_CLOEXEC);

	folder_script(&folder, "voice", "tail -f /dev/null", path);
	most.stop_fd = fd;
	assert_int_equal(voice_run(argv, span_of("x"), &most, &out, &d),
			 -ECANCELED);
	(void)close(fd);
	expect_no_children();
}

TEST(a_missing_program_is_named_with_its_package)
{
	static const struct speech_choice choices[] = {{"en", "flite:rms"},
						       {0}};
	const struct speech_params params = {.choices = choices,
					     .flite = "/nonexistent/flite",
					     .espeak_ng = "/nonexistent/e"};
	struct voice_limits most = limits(5000, 1 << 20);
	struct pcm pcm = {0};
	struct diag d = {0};
	const struct voice_ask ask = {.text = "hi"};
	struct voice v;

	assert_int_equal(open_voice(&params, "en", &v, &d), 0);
	assert_int_equal(voice_say(&v, &ask, &most, &pcm, &d), -ENOENT);
	assert_string_equal(d.message, "/nonexistent/flite: is not installed "
				       "(Debian: apt-get install flite)");
	assert_int_equal(open_voice(&params, "es", &v, &d), 0);
	assert_int_equal(voice_say(&v, &ask, &most, &pcm, &d), -ENOENT);
	assert_string_equal(d.message,
			    "/nonexistent/e: is not installed (Debian: "
			    "apt-get install espeak-ng)");
}

TEST(a_voice_that_writes_no_sound_is_reported)
{
	struct speech_params params = {0};
	struct voice_limits most = limits(5000, 1 << 20);
	char path[2 * FOLDER_PATH];
	struct pcm pcm = {0};
	struct diag d = {0};
	struct voice v;

	const struct voice_ask ask = {.text = "hi"};

	folder_script(&folder, "espeak", "echo hello", path);
	params.espeak_ng = path;
	assert_int_equal(open_voice(&params, "es", &v, &d), 0);
	assert_int_equal(voice_say(&v, &ask, &most, &pcm, &d), -EIO);
	assert_non_null(strstr(d.message, "wrote no sound"));
}

TEST(voices_are_checked_by_name)
{
	static const struct {
		const char *voice, *why;
	} rows[] = {
		{"flite:bob",
		 "flite:bob: flite has the voices rms awb kal kal16 slt"},
		{"flite", "flite: a voice is flite:NAME, espeak-ng:NAME, "
			  "Polly.NAME or recordings:FOLDER"},
		{"festival:x",
		 "festival:x: a voice is flite:NAME, "
		 "espeak-ng:NAME, Polly.NAME or recordings:FOLDER"},
		{"espeak-ng:", "espeak-ng:: not the name of a voice"},
		{"espeak-ng:-x", "espeak-ng:-x: not the name of a voice"},
		{"espeak-ng:../x", "espeak-ng:../x: not the name of a voice"},
	};

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct diag d = {0};

		assert_int_equal(voice_check(rows[i].voice, true, &d), -EINVAL);
		assert_string_equal(d.message, rows[i].why);
	}
}

TEST(markup_in_a_text_reaches_espeak_as_text)
{
	struct speech_params params = {0};
	struct voice_limits most = limits(5000, 1 << 20);
	char path[2 * FOLDER_PATH], body[3 * FOLDER_PATH];
	struct pcm pcm = {0};
	struct diag d = {0};
	AUTO_BUF(said, 4096);
	struct voice v;

	const struct voice_ask ask = {.text = "a <b> & [[c]]",
				      .style = {.rate = -50}};

	(void)snprintf(body, sizeof(body),
		       "cat >%s/said; echo \"$@\" >>%s/said", folder.path,
		       folder.path);
	folder_script(&folder, "espeak", body, path);
	params.espeak_ng = path;
	assert_int_equal(open_voice(&params, "es", &v, &d), 0);
	assert_int_equal(voice_say(&v, &ask, &most, &pcm, &d), -EIO);
	(void)snprintf(path, sizeof(path), "%s/said", folder.path);
	assert_int_equal(file_read(path, &said), 0);
	assert_string_equal(said.p, "a &lt;b&gt; &amp;   c  \n"
				    "-v es -m -b 1 -s 75 -p 50 --stdin "
				    "--stdout\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(text_goes_in_and_sound_comes_out),
		cmocka_unit_test(
			a_voice_sees_neither_our_files_nor_our_environment),
		cmocka_unit_test(
			a_voice_that_hangs_is_killed_with_its_children),
		cmocka_unit_test(
			a_voice_that_leaves_somebody_behind_takes_him_along),
		cmocka_unit_test(a_voice_that_writes_without_end_is_stopped),
		cmocka_unit_test(a_voice_that_complains_without_end_is_killed),
		cmocka_unit_test(what_a_failing_voice_says_is_reported),
		cmocka_unit_test(a_voice_is_let_go_when_the_program_stops),
		cmocka_unit_test(a_missing_program_is_named_with_its_package),
		cmocka_unit_test(a_voice_that_writes_no_sound_is_reported),
		cmocka_unit_test(voices_are_checked_by_name),
		cmocka_unit_test(markup_in_a_text_reaches_espeak_as_text),
	};

	return cmocka_run_group_tests_name("speech/voice", tests, setup,
					   teardown);
}
