/* kernel/time.c - see time.h. */
#include "kernel/time.h"

#include "kernel/acpi.h"
#include "kernel/base/clock.h"
#include "kernel/base/cpu.h"
#include "kernel/base/math.h"
#include "kernel/base/print.h"
#include "mm/kmap.h"

#define MEASURE_US 5000
#define READS_MAX  200000 /* of a device register, each near 1 us on hardware */

/* ---- What the CPU says (SDM 2A, CPUID 15h and 16h) ---- */

static uint64_t hz_from_cpuid(void)
{
	uint32_t r[4], max;

	cpuid(0, 0, r);
	max = r[0];
	if (max < 0x15)
		return 0;
	cpuid(0x15, 0, r);
	if (!r[0] || !r[1])
		return 0;
	if (r[2])
		return (uint64_t)r[2] * r[1] / r[0];
	if (max < 0x16)
		return 0;
	cpuid(0x16, 0, r);
	return (r[0] & 0xffff) * 1000000ull;
}

static uint64_t hz_from_hypervisor(void)
{
	uint32_t r[4];

	cpuid(1, 0, r);
	if (!(r[2] >> 31))
		return 0;
	cpuid(0x40000000, 0, r);
	if (r[0] < 0x40000010 || r[0] > 0x400000ff)
		return 0;
	cpuid(0x40000010, 0, r);
	return r[0] * 1000ull;
}

/* ---- Against a counter of known rate ---- */

/* A free-running counter: read() gives its low bits. */
struct reference {
	uint32_t (*read)(void);
	uint32_t mask;
	uint64_t hz;
};

/* A reading of both counters, as close together as `tries` attempts allow. */
static uint32_t read_pair(const struct reference *ref, uint64_t *ret_tsc)
{
	uint64_t best = UINT64_MAX;
	uint32_t value = 0;

	for (int tries = 0; tries < 5; tries++) {
		uint64_t before = read_tsc();
		uint32_t v = ref->read();
		uint64_t took = read_tsc() - before;
		if (took < best) {
			best = took;
			value = v;
			*ret_tsc = before + took / 2;
		}
	}
	return value;
}

/* 0 where the counter does not move as it should. */
static uint64_t measure_tsc(const struct reference *ref)
{
	uint64_t tsc_start, tsc_end;
	uint32_t start = read_pair(ref, &tsc_start), ticks = 0;
	uint32_t wanted = (uint32_t)(ref->hz * MEASURE_US / 1000000);

	for (int i = 0; i < READS_MAX && ticks < wanted; i++)
		ticks = (ref->read() - start) & ref->mask;
	ticks = (read_pair(ref, &tsc_end) - start) & ref->mask;
	if (ticks < wanted || tsc_end <= tsc_start)
		return 0;
	return mul_div(tsc_end - tsc_start, ref->hz, ticks);
}

#define HPET_PERIOD  1 /* in 32-bit words: femtoseconds a tick */
#define HPET_CONFIG  4
#define HPET_COUNTER 60
#define HPET_ENABLE  1u

static volatile uint32_t *hpet;

static uint32_t read_hpet(void) { return hpet[HPET_COUNTER]; }

static uint64_t hz_from_hpet(void)
{
	if (!acpi_info.hpet.v)
		return 0;
	hpet = kmap_device(acpi_info.hpet, PAGE_SIZE, KMAP_UC);
	/* At most 100 ns a tick (HPET 1.0a, 2.3.4); an absent device reads as ones. */
	if (!hpet || hpet[HPET_PERIOD] == 0 || hpet[HPET_PERIOD] > 100000000)
		return 0;
	hpet[HPET_CONFIG] |= HPET_ENABLE;
	struct reference ref = {read_hpet, UINT32_MAX, 1000000000000000ull / hpet[HPET_PERIOD]};
	return measure_tsc(&ref);
}

#define PM_TIMER_HZ 3579545

static uint32_t read_pm_timer(void) { return inl(acpi_info.pm_timer); }

static uint64_t hz_from_pm_timer(void)
{
	struct reference ref = {read_pm_timer, 0xffffff, PM_TIMER_HZ};

	return acpi_info.pm_timer ? measure_tsc(&ref) : 0;
}

#define PIT_HZ       1193182
#define PIT_DATA2    0x42
#define PIT_COMMAND  0x43
#define PIT_GATE     0x61
#define PIT_LATCH2   0x80
#define PIT_CHANNEL2 0xb4 /* low byte then high byte, mode 2: reloads, counts down by one */

static uint32_t read_pit(void)
{
	outb(PIT_COMMAND, PIT_LATCH2);
	uint32_t low = inb(PIT_DATA2);
	return 0x10000 - (low | (uint32_t)inb(PIT_DATA2) << 8);
}

static uint64_t hz_from_pit(void)
{
	struct reference ref = {read_pit, 0xffff, PIT_HZ};

	outb(PIT_GATE, (uint8_t)((inb(PIT_GATE) & ~2u) | 1u)); /* counter 2 runs, the speaker is off */
	outb(PIT_COMMAND, PIT_CHANNEL2);
	outb(PIT_DATA2, 0);
	outb(PIT_DATA2, 0);
	return measure_tsc(&ref);
}

/* ---- Choice ---- */

static const struct {
	const char *name;
	uint64_t (*hz)(void);
} sources[] = {
    {"CPUID", hz_from_cpuid}, {"the hypervisor", hz_from_hypervisor},
    {"HPET", hz_from_hpet},   {"PM timer", hz_from_pm_timer},
    {"PIT", hz_from_pit},
};

#define PLAUSIBLE_MIN 10000000ull
#define PLAUSIBLE_MAX 15000000000ull
#define ASSUMED_HZ    1000000000ull

static uint64_t find_tsc_hz(void)
{
	for (unsigned i = 0; i < ARRAY_LEN(sources); i++) {
		uint64_t hz = sources[i].hz();
		if (hz < PLAUSIBLE_MIN || hz > PLAUSIBLE_MAX)
			continue;
		pr_info("tsc: Detected %lu.%03lu MHz processor by %s%s", hz / 1000000, hz / 1000 % 1000,
			sources[i].name, cpu_features.invariant_tsc ? "" : " (not invariant)");
		return hz;
	}
	pr_warn("tsc: no timer to measure it by; 1000 MHz assumed, time will be wrong");
	return ASSUMED_HZ;
}

static void start_wall_clock(const struct boot_info *info)
{
	if (info->wall_seconds == INT64_MIN || info->wall_seconds < 0) {
		pr_warn("rtc: the firmware has no plausible time; it is 1970");
		return;
	}
	uint64_t since = (read_tsc() - info->wall_tsc) / (clock_tsc_hz() / 1000000) * NSEC_PER_USEC;
	clock_set_realtime((uint64_t)info->wall_seconds * NSEC_PER_SEC + since);
}

void time_init(const struct boot_info *info)
{
	clock_calibrate(find_tsc_hz(), info->tsc_entry);
	start_wall_clock(info);
}
