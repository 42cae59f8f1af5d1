/*
 * kernel/apic.h - the local APIC, its timer, and the I/O APIC.
 *
 * Role         Interrupts in (ISA lines through the I/O APIC, where the MADT names one) and the one-shot timer that
 *              proc/timer.h arms. xAPIC registers, or x2APIC's where the firmware left that mode on.
 * Invariants   1. The legacy PICs are masked, and moved out of the way of exceptions.
 * Failure      No APIC: apic_init() says so and returns false; the kernel cannot preempt, and says so too.
 */
#ifndef TINE_KERNEL_APIC_H
#define TINE_KERNEL_APIC_H

#include "kernel/base/types.h"

/* After acpi_init() and the calibration of the clock. */
bool apic_init(void);
/* Measures the timer against the clock and hands it to proc/timer.h. */
void apic_timer_init(void);
/* Sends an ISA interrupt to this CPU as `vector`; false where no I/O APIC has it. */
bool apic_route_isa(unsigned irq, uint8_t vector);

#endif
