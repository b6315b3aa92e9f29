// SPDX-License-Identifier: Apache-2.0
/*
 * child.c - run a program that speaks, and be sure that it ends.
 *
 * Its stdin and stdout are files in memory and not pipes: flite goes back to
 * correct the length in its header and writes nothing but that header to a
 * pipe, and with a file there is nothing to feed and nothing to block on.  Its size
 * and the time are looked at while we wait.
 *
 * It is spawned, not forked, closes everything of ours, gets a process group
 * of its own and an environment without secrets.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "speech/voice_priv.h"

enum {
	COMPLAINT_BYTES = 200, /* of stderr, for the error message */
	LOOK_MS = 50,          /* how often the clock is asked */
	CPU_SECONDS = 20,
};
static const rlim_t memory_max = (rlim_t)2 << 30;
/* What a file may grow to between two looks.  Not less: libpulse, which
 * espeak-ng is linked with, makes itself a file of 64 MiB in memory. */
static const rlim_t file_max = (rlim_t)96 << 20;

struct child {
	const char *name;
	int in, out, err; /* our ends; -1: none */
	int err_theirs;
	int pidfd;
	pid_t pid;
	int64_t deadline;
	char complaint[COMPLAINT_BYTES];
	size_t complaint_n;
};

static void close_fd(int *fd)
{
	if (*fd >= 0)
		(void)close(*fd);
	*fd = -1;
}

static int write_all(int fd, struct span s)
{
	while (s.n > 0) {
		ssize_t n = write(fd, s.p, s.n);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -EIO;
		s.p += n;
		s.n -= (size_t)n;
	}
	return 0;
}

static int open_files(struct child *c, struct span in)
{
	int ends[2], err;

	c->in = memfd_create("text", MFD_CLOEXEC);
	c->out = memfd_create("sound", MFD_CLOEXEC);
	if (c->in < 0 || c->out < 0 || pipe2(ends, O_CLOEXEC))
		return -errno;
	c->err = ends[0];
	c->err_theirs = ends[1];
	err = write_all(c->in, in);
	if (err)
		return err;
	if (lseek(c->in, 0, SEEK_SET) < 0 || fcntl(c->err, F_SETFL, O_NONBLOCK))
		return -errno;
	return 0;
}

static int file_actions(const struct child *c, posix_spawn_file_actions_t *fa)
{
	int err = posix_spawn_file_actions_adddup2(fa, c->in, 0);

	if (!err)
		err = posix_spawn_file_actions_adddup2(fa, c->out, 1);
	if (!err)
		err = posix_spawn_file_actions_adddup2(fa, c->err_theirs, 2);
	if (!err)
		err = posix_spawn_file_actions_addclosefrom_np(fa, 3);
	return -err;
}

static int attributes(posix_spawnattr_t *attr)
{
	sigset_t none, all;
	int err;

	(void)sigemptyset(&none);
	(void)sigfillset(&all);
	err = posix_spawnattr_setflags(attr, POSIX_SPAWN_SETPGROUP |
						     POSIX_SPAWN_SETSIGMASK |
						     POSIX_SPAWN_SETSIGDEF);
	if (!err)
		err = posix_spawnattr_setpgroup(attr, 0);
	if (!err)
		err = posix_spawnattr_setsigmask(attr, &none);
	if (!err)
		err = posix_spawnattr_setsigdefault(attr, &all);
	return -err;
}

static int spawn(struct child *c, const char *const argv[])
{
	static char path[] = "PATH=/usr/local/bin:/usr/bin:/bin";
	static char locale[] = "LC_ALL=C.UTF-8", home[] = "HOME=/";
	/* espeak-ng looks for a sound server, and would start one */
	static char silent[] = "PULSE_SERVER=unix:/nonexistent";
	char *const env[] = {path, locale, home, silent, NULL};
	posix_spawn_file_actions_t fa;
	posix_spawnattr_t attr;
	union {
		const char *const *ours;
		char *const *theirs;
	} args = {.ours = argv}; /* it does not write to them */
	int err;

	if (posix_spawn_file_actions_init(&fa))
		return -ENOMEM;
	if (posix_spawnattr_init(&attr)) {
		(void)posix_spawn_file_actions_destroy(&fa);
		return -ENOMEM;
	}
	err = file_actions(c, &fa);
	if (!err)
		err = attributes(&attr);
	if (!err)
		err = -posix_spawnp(&c->pid, argv[0], &fa, &attr, args.theirs,
				    env);
	(void)posix_spawnattr_destroy(&attr);
	(void)posix_spawn_file_actions_destroy(&fa);
	return err;
}

static void limit(pid_t pid, int what, rlim_t most)
{
	const struct rlimit r = {.rlim_cur = most, .rlim_max = most};

	(void)prlimit(pid, (enum __rlimit_resource)what, &r, NULL);
}

static void read_complaint(struct child *c)
{
	char chunk[512];
	ssize_t n = read(c->err, chunk, sizeof(chunk));

	if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
		close_fd(&c->err);
	for (ssize_t i = 0; i < n; i++) {
		char ch = chunk[i];

		if (c->complaint_n + 1 == sizeof(c->complaint))
			return;
		if ((unsigned char)ch < ' ' || ch == 127)
			ch = ' ';
		if (ch != ' ' || c->complaint_n > 0)
			c->complaint[c->complaint_n++] = ch;
	}
}

static int check_size(const struct child *c, size_t max, struct diag *d)
{
	struct stat st;

	if (fstat(c->out, &st))
		return -errno;
	if (st.st_size >= 0 && (size_t)st.st_size < max)
		return 0;
	(void)diag_set(d, "%s: wrote %zu bytes or more", c->name, max);
	return -EIO;
}

/* Wait for its end.  0: it has ended, and is not reaped yet. */
static int watch(struct child *c, const struct voice_limits *limits,
		 struct diag *d)
{
	int err = 0;

	while (!err) {
		struct pollfd fds[] = {{.fd = c->pidfd, .events = POLLIN},
				       {.fd = limits->stop_fd,
					.events = POLLIN},
				       {.fd = c->err, .events = POLLIN}};

		if (poll(fds, COUNT_OF(fds), LOOK_MS) < 0 && errno != EINTR)
			return -errno;
		if (fds[2].revents)
			read_complaint(c);
		if (fds[0].revents)
			return 0;
		if (fds[1].revents)
			return -ECANCELED;
		if (clock_mono_ms(limits->clock) >= c->deadline) {
			(void)diag_set(d, "%s: did not end within %lld ms",
				       c->name, (long long)limits->ms);
			return -ETIMEDOUT;
		}
		err = check_size(c, limits->bytes, d);
	}
	return err;
}

/* The group first: once the child is reaped its number may be another's. */
static int reap(const struct child *c)
{
	int status = 0;

	(void)kill(-c->pid, SIGKILL);
	(void)kill(c->pid, SIGKILL);
	while (waitpid(c->pid, &status, 0) < 0 && errno == EINTR)
		;
	return status;
}

static int read_sound(const struct child *c, struct buf *out)
{
	char chunk[16384];
	off_t at = 0;
	ssize_t n;

	while ((n = pread(c->out, chunk, sizeof(chunk), at)) > 0) {
		buf_add(out, chunk, (size_t)n);
		at += n;
	}
	return n < 0 ? -errno : out->err;
}

static int judge(struct child *c, int status, size_t max, struct buf *out,
		 struct diag *d)
{
	const char *colon = c->complaint_n > 0 ? ": " : "";
	int err = check_size(c, max, d);

	if (err)
		return err;
	if (WIFSIGNALED(status)) {
		(void)diag_set(d, "%s: ended by signal %d%s%s", c->name,
			       WTERMSIG(status), colon, c->complaint);
		return -EIO;
	}
	if (WIFEXITED(status) && WEXITSTATUS(status) != 0) {
		(void)diag_set(d, "%s: exit status %d%s%s", c->name,
			       WEXITSTATUS(status), colon, c->complaint);
		return -EIO;
	}
	return read_sound(c, out);
}

static int run(struct child *c, const struct voice_limits *limits,
	       struct buf *out, struct diag *d)
{
	int err, status;

	limit(c->pid, RLIMIT_FSIZE, file_max);
	limit(c->pid, RLIMIT_CPU, CPU_SECONDS);
	limit(c->pid, RLIMIT_AS, memory_max);
	limit(c->pid, RLIMIT_CORE, 0);
	c->pidfd = pidfd_open(c->pid, 0);
	err = c->pidfd < 0 ? -errno : watch(c, limits, d);
	status = reap(c);
	if (err)
		return err;
	if (c->err >= 0)
		read_complaint(c); /* the last words */
	return judge(c, status, limits->bytes, out, d);
}

int voice_run(const char *const argv[], struct span in,
	      const struct voice_limits *limits, struct buf *out,
	      struct diag *d)
{
	const char *slash = strrchr(argv[0], '/');
	struct child c = {.name = slash ? slash + 1 : argv[0],
			  .deadline = clock_mono_ms(limits->clock) + limits->ms,
			  .in = -1,
			  .out = -1,
			  .err = -1,
			  .err_theirs = -1,
			  .pidfd = -1};
	int err = open_files(&c, in);

	if (!err)
		err = spawn(&c, argv);
	close_fd(&c.err_theirs);
	if (err)
		(void)diag_set(d, "%s: cannot be started: %s", argv[0],
			       strerrordesc_np(-err));
	else
		err = run(&c, limits, out, d);
	close_fd(&c.in);
	close_fd(&c.out);
	close_fd(&c.err);
	close_fd(&c.pidfd);
	return err;
}
