/*
 * efi/random.c - the seed: all sources there are, mixed, so that the best of them decides.
 *
 * One word more than the kernel's seed is drawn, for the image's slide: the slide can be read off addresses, and must
 * say nothing about the seed.
 */
#include "efi/stub.h"
#include "kernel/base/cpu.h"
#include "kernel/base/string.h"

#define SEED_WORDS (sizeof(((struct boot_info *)0)->seed) / sizeof(uint64_t))
#define WORDS      (SEED_WORDS + 1)
#define TRIES      10 /* Intel SDM 1 section 7.3.17: RDRAND may fail ten times only if it is broken */

enum { SEED_RNG = 1, SEED_RDSEED = 2, SEED_RDRAND = 4, SEED_TSC = 8 };

STUB_BEGIN

/* A permutation of 64-bit words in which each input bit reaches each output bit (splitmix64's finaliser). */
static uint64_t mix(uint64_t v)
{
	v = (v ^ v >> 30) * 0xbf58476d1ce4e5b9ull;
	v = (v ^ v >> 27) * 0x94d049bb133111ebull;
	return v ^ v >> 31;
}

static bool rdseed(uint64_t *ret)
{
	bool ok;
	__asm__ volatile("rdseed %0; setc %1" : "=r"(*ret), "=qm"(ok) : : "cc");
	return ok;
}

static bool rdrand(uint64_t *ret)
{
	bool ok;
	__asm__ volatile("rdrand %0; setc %1" : "=r"(*ret), "=qm"(ok) : : "cc");
	return ok;
}

static uint32_t add_instruction(uint64_t words[WORDS], bool (*draw)(uint64_t *), uint32_t source)
{
	for (size_t i = 0; i < WORDS; i++) {
		uint64_t v;
		int tries = TRIES;
		while (tries && !draw(&v))
			tries--;
		if (!tries)
			return 0;
		words[i] ^= v;
	}
	return source;
}

static uint32_t add_protocol(struct stub *s, uint64_t words[WORDS])
{
	EFI_GUID guid = EFI_RNG_PROTOCOL_GUID;
	EFI_RNG_PROTOCOL *rng;
	uint64_t drawn[WORDS];

	if (EFI_ERROR(s->bs->LocateProtocol(&guid, NULL, (void **)&rng)) ||
	    EFI_ERROR(rng->GetRNG(rng, NULL, sizeof(drawn), (UINT8 *)drawn)))
		return 0;
	for (size_t i = 0; i < WORDS; i++)
		words[i] ^= drawn[i];
	return SEED_RNG;
}

/* The time between boot steps, and how long calls into the firmware take, in TSC ticks. */
static uint32_t add_tsc(struct stub *s, uint64_t words[WORDS])
{
	uint64_t state = s->info->tsc_entry;
	EFI_TIME t;

	for (size_t i = 0; i < WORDS; i++) {
		s->st->RuntimeServices->GetTime(&t, NULL);
		state = mix(state ^ read_tsc());
		words[i] ^= state;
	}
	return SEED_TSC;
}

void random_collect(struct stub *s)
{
	uint64_t words[WORDS] = {0};
	uint32_t leaf1[4], leaf7[4] = {0};

	cpuid(1, 0, leaf1);
	cpuid(0, 0, leaf7);
	if (leaf7[0] >= 7)
		cpuid(7, 0, leaf7);
	else
		leaf7[1] = 0;

	s->info->seed_source = add_tsc(s, words) | add_protocol(s, words);
	if (leaf7[1] >> 18 & 1)
		s->info->seed_source |= add_instruction(words, rdseed, SEED_RDSEED);
	if (leaf1[2] >> 30 & 1)
		s->info->seed_source |= add_instruction(words, rdrand, SEED_RDRAND);
	memcpy(s->info->seed, words, sizeof(s->info->seed));
	s->random = mix(words[SEED_WORDS]);
}

STUB_END
