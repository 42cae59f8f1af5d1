/* kernel/apic.c - see apic.h. SDM 3, chapter 10; Intel 82093AA data sheet (I/O APIC). */
#include "kernel/apic.h"

#include "kernel/acpi.h"
#include "kernel/base/clock.h"
#include "kernel/base/cpu.h"
#include "kernel/base/math.h"
#include "kernel/base/print.h"
#include "kernel/trap.h"
#include "mm/kmap.h"
#include "proc/timer.h"

#define APIC_BASE_ENABLE  (1ull << 11)
#define APIC_BASE_X2APIC  (1ull << 10)
#define APIC_BASE_ADDRESS 0x000ffffffffff000ull
#define X2APIC_MSR        0x800u

enum apic_reg {
	APIC_ID = 0x20,
	APIC_TASK_PRIORITY = 0x80,
	APIC_EOI = 0xb0,
	APIC_SPURIOUS = 0xf0,
	APIC_LVT_TIMER = 0x320,
	APIC_LVT_LINT0 = 0x350,
	APIC_LVT_LINT1 = 0x360,
	APIC_LVT_ERROR = 0x370,
	APIC_TIMER_INITIAL = 0x380,
	APIC_TIMER_CURRENT = 0x390,
	APIC_TIMER_DIVIDE = 0x3e0,
};

#define LVT_MASKED      0x10000u
#define LVT_NMI         0x00400u
#define SPURIOUS_ENABLE 0x100u
#define DIVIDE_BY_1     0xbu

/* ---- Local APIC ---- */

static bool x2apic;
static volatile uint32_t *registers; /* NULL: no APIC, or x2APIC */

static void apic_write(enum apic_reg r, uint32_t v)
{
	if (x2apic)
		write_msr(X2APIC_MSR + (uint32_t)r / 16, v);
	else
		registers[r / 4] = v;
}

static uint32_t apic_read(enum apic_reg r)
{
	return x2apic ? (uint32_t)read_msr(X2APIC_MSR + (uint32_t)r / 16) : registers[r / 4];
}

static uint32_t apic_id(void) { return x2apic ? apic_read(APIC_ID) : apic_read(APIC_ID) >> 24; }

static void acknowledge(void) { apic_write(APIC_EOI, 0); }

/* Interrupt vectors 0x20 to 0x2f, all masked: even so a PIC can raise a spurious one. */
static void pic_disable(void)
{
	static const uint8_t words[2][4] = {{0x11, 0x20, 4, 1}, {0x11, 0x28, 2, 1}};

	for (int pic = 0; pic < 2; pic++) {
		uint16_t port = pic ? 0xa0 : 0x20;
		outb(port, words[pic][0]);
		for (int i = 1; i < 4; i++)
			outb((uint16_t)(port + 1), words[pic][i]);
		outb((uint16_t)(port + 1), 0xff);
	}
}

static bool map_registers(uint64_t base)
{
	x2apic = base & APIC_BASE_X2APIC;
	if (!x2apic)
		registers = kmap_device(PADDR(base & APIC_BASE_ADDRESS), PAGE_SIZE, KMAP_UC);
	return x2apic || registers;
}

/* ---- I/O APIC ---- */

#define IOAPIC_SELECT      0
#define IOAPIC_WINDOW      4 /* in words */
#define IOAPIC_VERSION     1
#define IOAPIC_REDIRECTION 0x10
#define REDIRECT_LOW       (1u << 13)
#define REDIRECT_LEVEL     (1u << 15)

static volatile uint32_t *ioapic; /* NULL: none */

static uint32_t ioapic_read(volatile uint32_t *io, uint32_t r)
{
	io[IOAPIC_SELECT] = r;
	return io[IOAPIC_WINDOW];
}

static void ioapic_write(volatile uint32_t *io, uint32_t r, uint32_t v)
{
	io[IOAPIC_SELECT] = r;
	io[IOAPIC_WINDOW] = v;
}

static uint32_t ioapic_pins(volatile uint32_t *io) { return (ioapic_read(io, IOAPIC_VERSION) >> 16 & 0xff) + 1; }

/* Finds the I/O APIC, and masks what the firmware may have left open. */
static void ioapic_init(void)
{
	if (!acpi_info.ioapic.v || apic_id() > 0xff)
		return;
	ioapic = kmap_device(acpi_info.ioapic, PAGE_SIZE, KMAP_UC);
	for (uint32_t pin = 0; ioapic && pin < ioapic_pins(ioapic); pin++)
		ioapic_write(ioapic, IOAPIC_REDIRECTION + 2 * pin, LVT_MASKED);
}

bool apic_route_isa(unsigned irq, uint8_t vector)
{
	const struct acpi_isa_irq *isa = &acpi_info.isa[irq];
	uint32_t pin = isa->gsi - acpi_info.ioapic_gsi;

	if (!ioapic || pin >= ioapic_pins(ioapic))
		return false;
	ioapic_write(ioapic, IOAPIC_REDIRECTION + 2 * pin + 1, apic_id() << 24);
	ioapic_write(ioapic, IOAPIC_REDIRECTION + 2 * pin,
		     vector | (isa->active_low ? REDIRECT_LOW : 0) | (isa->level ? REDIRECT_LEVEL : 0));
	return true;
}

/* ---- Start ---- */

bool apic_init(void)
{
	uint64_t base = read_msr(MSR_APIC_BASE);

	pic_disable();
	if (!(cpu_features.leaf1_edx >> 9 & 1) || !(base & APIC_BASE_ENABLE) || !map_registers(base)) {
		pr_err("APIC: none that is enabled: no timer, so programs are not preempted");
		return false;
	}
	apic_write(APIC_TASK_PRIORITY, 0);
	apic_write(APIC_LVT_TIMER, LVT_MASKED);
	apic_write(APIC_LVT_LINT0, LVT_MASKED);
	apic_write(APIC_LVT_LINT1, LVT_NMI);
	apic_write(APIC_LVT_ERROR, LVT_MASKED);
	apic_write(APIC_SPURIOUS, SPURIOUS_ENABLE | VECTOR_SPURIOUS);
	irq_set_ack(acknowledge);
	ioapic_init();
	pr_info("APIC: %s, id %u, %u usable CPUs in the MADT", x2apic ? "x2APIC" : "xAPIC", apic_id(),
		acpi_info.cpu_count);
	return true;
}

/* ---- Timer ---- */

#define MEASURE_NS (2 * NSEC_PER_MSEC)
#define TICK_SHIFT 32

static uint64_t ticks_per_ns; /* << TICK_SHIFT */

static void timer_arm(uint64_t deadline)
{
	uint64_t now = clock_ns();
	uint64_t ns = deadline > now ? MIN(deadline - now, 10 * NSEC_PER_SEC) : 0;
	uint64_t ticks = deadline == UINT64_MAX ? 0 : (ns * (ticks_per_ns >> 8) >> (TICK_SHIFT - 8)) + 1;

	/* 0 stops it. Too early is harmless: what is not due yet is armed again. */
	apic_write(APIC_TIMER_INITIAL, (uint32_t)MIN(ticks, UINT32_MAX));
}

/* Ticks in MEASURE_NS of the clock, which runs by the TSC and cannot stand still. */
static uint64_t measure_ticks(uint64_t *ret_ns)
{
	apic_write(APIC_TIMER_DIVIDE, DIVIDE_BY_1);
	apic_write(APIC_TIMER_INITIAL, UINT32_MAX);
	uint64_t start = clock_ns(), now;
	do {
		now = clock_ns();
	} while (now - start < MEASURE_NS);
	uint64_t ticks = UINT32_MAX - apic_read(APIC_TIMER_CURRENT);
	apic_write(APIC_TIMER_INITIAL, 0);
	*ret_ns = now - start;
	return ticks;
}

void apic_timer_init(void)
{
	uint64_t ns, ticks = measure_ticks(&ns);

	if (!ticks) {
		pr_err("APIC: the timer stands still: programs are not preempted");
		return;
	}
	ticks_per_ns = mul_div(ticks, 1ull << TICK_SHIFT, ns);
	irq_set_handler(VECTOR_TIMER, timer_interrupt);
	apic_write(APIC_LVT_TIMER, VECTOR_TIMER);
	timer_set_device(timer_arm);
	uint64_t khz = ticks * 1000000 / ns;
	pr_info("APIC: timer %lu.%03lu MHz", khz / 1000, khz % 1000);
}
