/* kernel/base/random.c - see random.h. */
#include "kernel/base/random.h"

#include "kernel/base/cpu.h"
#include "kernel/base/lock.h"
#include "kernel/base/string.h"

#define KEY_WORDS   8
#define BLOCK_WORDS 16
#define POOL_BLOCKS 8
#define POOL_BYTES  (POOL_BLOCKS * BLOCK_WORDS * sizeof(uint32_t))
#define KEY_BYTES   (KEY_WORDS * sizeof(uint32_t))

/* The pool is one stream of the generator: its first KEY_BYTES became the next key, and what was handed out is zero. */
static struct {
	uint32_t key[KEY_WORDS];
	uint8_t pool[POOL_BYTES];
	size_t left; /* unused bytes, at the end of the pool */
} generator;

static struct spinlock random_lock = SPINLOCK_INIT("random", LOCK_RANDOM);

static inline uint32_t rotate(uint32_t v, unsigned n) { return v << n | v >> (32 - n); }

static inline void quarter_round(uint32_t *a, uint32_t *b, uint32_t *c, uint32_t *d)
{
	*a += *b, *d = rotate(*d ^ *a, 16);
	*c += *d, *b = rotate(*b ^ *c, 12);
	*a += *b, *d = rotate(*d ^ *a, 8);
	*c += *d, *b = rotate(*b ^ *c, 7);
}

/* RFC 8439, 2.3: the block function with a nonce of zero. */
void chacha20_block(const uint32_t key[KEY_WORDS], uint32_t counter, uint32_t out[BLOCK_WORDS])
{
	uint32_t in[BLOCK_WORDS] = {0x61707865, 0x3320646e, 0x79622d32, 0x6b206574};
	uint32_t x[BLOCK_WORDS];

	memcpy(in + 4, key, KEY_BYTES);
	in[12] = counter;
	memcpy(x, in, sizeof(x));
	for (int i = 0; i < 10; i++) {
		for (int j = 0; j < 4; j++)
			quarter_round(&x[j], &x[j + 4], &x[j + 8], &x[j + 12]);
		for (int j = 0; j < 4; j++)
			quarter_round(&x[j], &x[4 + (j + 1) % 4], &x[8 + (j + 2) % 4], &x[12 + (j + 3) % 4]);
	}
	for (int i = 0; i < BLOCK_WORDS; i++)
		out[i] = x[i] + in[i];
}

static void refill(void)
{
	for (uint32_t i = 0; i < POOL_BLOCKS; i++)
		chacha20_block(generator.key, i, (uint32_t *)generator.pool + i * BLOCK_WORDS);
	memcpy(generator.key, generator.pool, KEY_BYTES);
	memset(generator.pool, 0, KEY_BYTES);
	generator.left = POOL_BYTES - KEY_BYTES;
}

void random_seed(const void *bytes, size_t n)
{
	const uint8_t *p = bytes;
	uint64_t flags = spin_lock_irq(&random_lock);

	/* Each stretch of a key's length is mixed in and stirred before the next can cancel it. */
	while (n) {
		size_t take = MIN(n, KEY_BYTES);
		for (size_t i = 0; i < take; i++)
			((uint8_t *)generator.key)[i] ^= p[i];
		refill();
		p += take;
		n -= take;
	}
	spin_unlock_irq(&random_lock, flags);
}

static size_t take_bytes(uint8_t *out, size_t n)
{
	if (!generator.left)
		refill();
	uint8_t *from = generator.pool + POOL_BYTES - generator.left;
	size_t take = MIN(n, generator.left);

	memcpy(out, from, take);
	memset(from, 0, take);
	generator.left -= take;
	return take;
}

void random_bytes(void *buf, size_t n)
{
	uint8_t *out = buf;
	uint64_t flags = spin_lock_irq(&random_lock);

	while (n) {
		size_t took = take_bytes(out, n);
		out += took;
		n -= took;
	}
	spin_unlock_irq(&random_lock, flags);
}

uint64_t random_u64(void)
{
	uint64_t v;

	random_bytes(&v, sizeof(v));
	return v;
}
