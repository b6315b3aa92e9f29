// SPDX-License-Identifier: Apache-2.0
/*
 * cache.c - clips that were made before.
 *
 * In memory: a map and a list, the least recently used goes first.  On disk: a
 * file per clip, named by the hash of what its sound depends on, so that a new
 * voice or a new text is another file and nothing is ever out of date.  A file
 * is checked whole when it is read; one that is damaged is as good as none.
 * The folder may be shared by several programs.
 */
#include "speech/cache_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/list.h"
#include "base/map.h"
#include "base/mem.h"

enum {
	FORMAT = 2, /* change it when the same text shall sound otherwise */
	KEY_TEXT = 2 * CRYPTO_HASH_BYTES + 1,
	PATH_BYTES = 4096,
	MAGIC_BYTES = 8,
	COUNT_BYTES = 4,
	HEAD_BYTES = MAGIC_BYTES + CRYPTO_HASH_BYTES + COUNT_BYTES,
	SAMPLES_MAX = PCM_MS_MAX * (PCM_RATE / 1000),
	KEY_MAX = 2 * SPEECH_TEXT_MAX,
	FILE_MAX = HEAD_BYTES + SAMPLES_MAX * 2 + CRYPTO_HASH_BYTES,
	DISK_LEFT = SPEECH_DISK_MAX / 10 * 9, /* when room was made */
	ENTRY_BYTES = 512, /* what a clip costs beside its sound, about */
};
static const char magic[MAGIC_BYTES + 1] = "voiceclp";

struct entry {
	struct link link; /* least recently used first */
	char key[KEY_TEXT];
	struct clip *clip;
	size_t bytes;
};

struct speech_cache {
	pthread_mutex_t lock; /* guards what follows, up to dir */
	struct map *map;
	struct link used;
	size_t bytes;
	char *dir;         /* NULL: no disk */
	size_t disk_bytes; /* the render thread's */
};

void speech_cache_key(const char *voice, const char *language,
		      struct speech_style style, const char *text,
		      struct speech_key *out)
{
	AUTO_BUF(b, KEY_MAX);

	/* no field can be taken for another: none holds a newline */
	buf_printf(&b, "%d\n%s\n%s\n%d %d %d\n%s\n", FORMAT, voice, language,
		   style.rate, style.pitch, style.volume, text);
	crypto_sha256(b.p, b.n, out->hash);
}

/* --- memory --------------------------------------------------------------- */

static void drop(struct speech_cache *c, struct entry *e)
{
	(void)map_remove(c->map, e->key);
	ll_remove(&e->link);
	c->bytes -= e->bytes;
	clip_unref(e->clip);
	free(e);
}

static void drop_down_to(struct speech_cache *c, size_t bytes)
{
	ll_each_safe (at, &c->used) {
		if (c->bytes <= bytes)
			return;
		drop(c, ll_entry(at, struct entry, link));
	}
}

struct clip *speech_cache_get(struct speech_cache *c,
			      const struct speech_key *key)
{
	char name[KEY_TEXT];
	struct clip *clip = NULL;
	struct entry *e;

	crypto_hex(key->hash, sizeof(key->hash), name);
	(void)pthread_mutex_lock(&c->lock);
	e = map_get(c->map, name);
	if (e) {
		ll_remove(&e->link);
		ll_append(&c->used, &e->link);
		clip = clip_ref(e->clip);
	}
	(void)pthread_mutex_unlock(&c->lock);
	return clip;
}

void speech_cache_put(struct speech_cache *c, const struct speech_key *key,
		      struct clip *clip)
{
	struct entry *e = b_zero(1, sizeof(*e)), *old;

	crypto_hex(key->hash, sizeof(key->hash), e->key);
	e->bytes = clip_frames(clip) * CLIP_FRAME_BYTES * 2 + ENTRY_BYTES;
	e->clip = clip_ref(clip);
	ll_init(&e->link);
	(void)pthread_mutex_lock(&c->lock);
	old = map_get(c->map, e->key);
	if (old)
		drop(c, old);
	(void)map_put(c->map, e->key, e);
	ll_append(&c->used, &e->link);
	c->bytes += e->bytes;
	drop_down_to(c, SPEECH_MEMORY_MAX);
	(void)pthread_mutex_unlock(&c->lock);
}

/* --- disk ----------------------------------------------------------------- */

static void path_of(const struct speech_cache *c, const struct speech_key *key,
		    char path[PATH_BYTES])
{
	char name[KEY_TEXT];

	crypto_hex(key->hash, sizeof(key->hash), name);
	(void)snprintf(path, PATH_BYTES, "%s/%s%s", c->dir, name,
		       SPEECH_CACHE_SUFFIX);
}

static void put_u32(struct buf *b, uint32_t v)
{
	for (int shift = 0; shift < 32; shift += 8)
		buf_byte(b, v >> shift & 0xff);
}

static uint32_t get_u32(const uint8_t *p)
{
	return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 |
	       (uint32_t)p[3] << 24;
}

/* The samples in a file's bytes, if every byte is as it was written. */
static int unpack(struct span file, const struct speech_key *key,
		  struct pcm *out)
{
	const uint8_t *p = (const uint8_t *)file.p;
	uint8_t sum[CRYPTO_HASH_BYTES];
	size_t count;

	if (file.n < HEAD_BYTES + CRYPTO_HASH_BYTES)
		return -EBADMSG;
	crypto_sha256(p, file.n - sizeof(sum), sum);
	count = get_u32(p + MAGIC_BYTES + CRYPTO_HASH_BYTES);
	if (memcmp(p + file.n - sizeof(sum), sum, sizeof(sum)) != 0 ||
	    memcmp(p, magic, MAGIC_BYTES) != 0 ||
	    memcmp(p + MAGIC_BYTES, key->hash, CRYPTO_HASH_BYTES) != 0 ||
	    count == 0 || count > SAMPLES_MAX ||
	    file.n != HEAD_BYTES + count * 2 + sizeof(sum))
		return -EBADMSG;
	p += HEAD_BYTES;
	out->samples = b_zero(count, sizeof(*out->samples));
	out->count = count;
	for (size_t i = 0; i < count; i++)
		out->samples[i] = (int16_t)(p[2 * i] | p[2 * i + 1] << 8);
	return 0;
}

int speech_cache_load(struct speech_cache *c, const struct speech_key *key,
		      struct pcm *out)
{
	AUTO_BUF(file, FILE_MAX);
	char path[PATH_BYTES];
	int err;

	if (!c->dir)
		return -ENOENT;
	path_of(c, key, path);
	err = file_read(path, &file);
	if (err == -ENOENT)
		return err;
	if (!err)
		err = unpack(buf_view(&file), key, out);
	if (err) {
		(void)unlink(path);
		return -ENOENT;
	}
	/* now is when it was used */
	(void)utimensat(AT_FDCWD, path, NULL, 0);
	return 0;
}

void speech_cache_store(struct speech_cache *c, const struct speech_key *key,
			const struct pcm *pcm)
{
	AUTO_BUF(file, FILE_MAX);
	uint8_t sum[CRYPTO_HASH_BYTES];
	char path[PATH_BYTES];

	if (!c->dir)
		return;
	buf_add(&file, magic, MAGIC_BYTES);
	buf_add(&file, key->hash, sizeof(key->hash));
	put_u32(&file, (uint32_t)pcm->count);
	for (size_t i = 0; i < pcm->count; i++) {
		uint16_t v = (uint16_t)pcm->samples[i];

		buf_byte(&file, v & 0xff);
		buf_byte(&file, v >> 8);
	}
	crypto_sha256(file.p, file.n, sum);
	buf_add(&file, sum, sizeof(sum));
	if (file.err)
		return;
	if (c->disk_bytes + file.n > SPEECH_DISK_MAX)
		c->disk_bytes = speech_disk_tidy(c->dir, DISK_LEFT);
	path_of(c, key, path);
	if (file_write(path, file.p, file.n, 0600) == 0)
		c->disk_bytes += file.n;
}

/* --- the whole ------------------------------------------------------------ */

int speech_cache_new(const char *dir, struct speech_cache **out, struct diag *d)
{
	struct speech_cache *c;
	int err = dir ? file_make_dir(dir) : 0;

	if (!err && dir && access(dir, W_OK | X_OK))
		err = -errno;
	if (err) {
		(void)diag_field(d, "cache_dir", "%s: %s", dir,
				 strerrordesc_np(-err));
		return err;
	}
	c = b_zero(1, sizeof(*c));
	err = pthread_mutex_init(&c->lock, NULL);
	if (err) {
		free(c);
		return -err;
	}
	c->map = map_new();
	ll_init(&c->used);
	c->dir = b_strdup(dir);
	if (dir)
		c->disk_bytes = speech_disk_tidy(dir, SPEECH_DISK_MAX);
	*out = c;
	return 0;
}

void speech_cache_free(struct speech_cache *c)
{
	if (!c)
		return;
	drop_down_to(c, 0);
	map_free(c->map);
	(void)pthread_mutex_destroy(&c->lock);
	free(c->dir);
	free(c);
}
