/* kernel/boot_log.h - what the boot log says about the firmware, and where the log is shown. */
#ifndef TINE_KERNEL_BOOT_LOG_H
#define TINE_KERNEL_BOOT_LOG_H

#include "efi/boot_info.h"

/* The debug console, always: first of all. */
void boot_log_init(void);
/* The serial port shows warnings, or what console=, loglevel= and quiet ask for; nothing in a batch run. */
void boot_log_consoles(void);
/* Firmware, what the stub said, tables, memory map. */
void boot_log_firmware(const struct boot_info *info);

#endif
