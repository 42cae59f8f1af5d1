/*
 * kernel/base/random.h - unpredictable bytes, for address layout, AT_RANDOM, getrandom and /dev/urandom.
 *
 * Role         ChaCha20 (RFC 8439) keyed from the stub's seed, RDSEED/RDRAND where the CPU has them, and the TSC; after
 *              each request the key is replaced by output ("fast key erasure"), so that old output can't be recomputed.
 * Locks        LOCK_RANDOM.
 * Not handled  Entropy estimates: with neither RDRAND nor an RNG protocol the seed is the TSC's jitter; the boot log
 * says so.
 */
#ifndef TINE_BASE_RANDOM_H
#define TINE_BASE_RANDOM_H

#include "kernel/base/types.h"

void random_seed(const void *bytes,
		 size_t n); /* mixes in; call at boot and whenever something unpredictable is at hand */
void random_bytes(void *buf, size_t n);
uint64_t random_u64(void);

/* The generator's core, RFC 8439 section 2.3 with a zero nonce; declared for the tests. */
void chacha20_block(const uint32_t key[8], uint32_t counter, uint32_t out[16]);

#endif
