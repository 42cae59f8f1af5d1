/*
 * kernel/acpi.h - the few facts that the kernel takes from ACPI: interrupt controllers and timers.
 *
 * Role         Walks RSDP, XSDT or RSDT, and hands out tables whose length and checksum hold (ACPI 6.5, 5.2).
 * Invariants   1. Nothing is read beyond a table's checked length.
 * Failure      What is absent or broken is NULL or 0; a broken table is a warning. The kernel runs without any.
 * Not handled  AML.
 */
#ifndef TINE_KERNEL_ACPI_H
#define TINE_KERNEL_ACPI_H

#include "kernel/base/addr.h"

#define ACPI_MAX_ISA_IRQS 16

struct PACKED acpi_header {
	char signature[4];
	uint32_t length;
	uint8_t revision, checksum;
	char oem_id[6], oem_table_id[8];
	uint32_t oem_revision, creator_id, creator_revision;
};

/* Where an ISA interrupt arrives. */
struct acpi_isa_irq {
	uint32_t gsi;
	bool active_low, level;
};

struct acpi_info {
	paddr_t ioapic;      /* 0: none */
	uint32_t ioapic_gsi; /* first interrupt of that I/O APIC */
	uint32_t cpu_count;  /* usable CPUs that the MADT lists */
	paddr_t hpet;        /* 0: none */
	uint16_t pm_timer;   /* I/O port, 0: none */
	struct acpi_isa_irq isa[ACPI_MAX_ISA_IRQS];
};

extern struct acpi_info acpi_info; /* [I] after acpi_init() */

/* rsdp: where the firmware's configuration table says it is; 0: no ACPI. */
void acpi_init(paddr_t rsdp);

#endif
