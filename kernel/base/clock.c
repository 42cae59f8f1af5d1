/* kernel/base/clock.c - see clock.h. */
#include "kernel/base/clock.h"

#include "kernel/base/cpu.h"
#include "kernel/base/math.h"

/* ns = (tsc - start) * mult >> 32. Until the calibration mult is that of a CPU faster than any, so that the estimate
   lags behind the truth and the first true reading is later than all estimates. */
#define CLOCK_SHIFT  32
#define ESTIMATED_HZ 20000000000ull

static uint64_t clock_mult = (NSEC_PER_SEC << CLOCK_SHIFT) / ESTIMATED_HZ;
static uint64_t clock_start;
static uint64_t clock_hz = ESTIMATED_HZ;
static uint64_t realtime_base; /* wall time at clock_ns() == 0 */

uint64_t clock_ns(void)
{
	return (uint64_t)((unsigned __int128)(read_tsc() - clock_start) * clock_mult >> CLOCK_SHIFT);
}

uint64_t clock_realtime_ns(void) { return realtime_base + clock_ns(); }

void clock_set_realtime(uint64_t now_ns) { realtime_base = now_ns - clock_ns(); }

void clock_calibrate(uint64_t tsc_hz, uint64_t tsc_start)
{
	clock_mult = mul_div(NSEC_PER_SEC, 1ull << CLOCK_SHIFT, tsc_hz);
	clock_start = tsc_start;
	clock_hz = tsc_hz;
}

uint64_t clock_tsc_hz(void) { return clock_hz; }
