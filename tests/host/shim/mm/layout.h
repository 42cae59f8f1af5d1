/* tests/host/shim/mm/layout.h - frame records in an array of the test's, instead of at a fixed address. */
#ifndef TINE_MM_LAYOUT_H
#define TINE_MM_LAYOUT_H

#include "efi/boot_info.h"
#include "kernel/base/addr.h"
#include "mm/pte.h"

extern struct frame *const test_frame_table;

#define FRAME_TABLE test_frame_table

#endif
