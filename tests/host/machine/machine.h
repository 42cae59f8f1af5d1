/*
 * tests/host/machine/machine.h - a machine for mm/ to run on, inside a program of this one's.
 *
 * Role         Physical memory, frame records, a heap, and a CPU with CR3, TLB and paging-structure cache. The sources of mm/ are
 *              compiled as they stand; what they need of the hardware (entry_window(), CR3, INVLPG, windows) is here. A test
 *              maps, forks and so on by the functions of mm/space.h and mm/clone.h, and touches memory by machine_access(),
 *              which does as the CPU does for a program: TLB, then the tables, then space_fault(), and again.
 * Invariants   1. Memory is mapped twice, and entry_window() gives the read-only mapping wherever an entry above the table has
 *                 W=0: the forgotten own() is a SIGSEGV here, as it is a page fault there.
 *              2. The TLB forgets only at INVLPG, CR3 loads and faults: the forgotten flush shows.
 * Failure      machine_fail() says what was seen and aborts; whoever runs the machine adds how to come there again (`context`).
 * Not handled  Stale translations of the recursive window itself: entry_window() always walks. The rings of mm/window.c, mm/kmap.c
 *              and mm/heap.c: this machine has its own windows and malloc(). A second CPU.
 */
#ifndef TINE_TESTS_MACHINE_H
#define TINE_TESTS_MACHINE_H

#include "kernel/base/addr.h"
#include "mm/pte.h"

struct space;

#define MACHINE_FRAMES 16384 /* frame numbers; somewhat fewer are free RAM */

enum access { ACCESS_READ, ACCESS_WRITE, ACCESS_FETCH };

/* Switches the machine on. Once. */
void machine_start(void);

/*
 * One access of the current space's program. 0, with a pointer to the byte that the address names, good until the next call of mm/;
 * else what space_fault() said.
 */
int machine_access(uaddr_t va, enum access access, void **ret_byte);
/* The CPU may look up any translation ahead of its use: fills the TLB, if the tables allow to read there. */
void machine_speculate(uaddr_t va);

/* Calls fn for each mapped leaf of a space, with W as the whole path has it. */
void machine_each_leaf(const struct space *s, void (*fn)(uint64_t va, pte_t leaf, void *arg), void *arg);
/* Page tables of a space, its root not among them. */
uint64_t machine_tables(const struct space *s);

/* Checks what has to hold whenever the kernel returns to a program: no stale translation, no lock, no window held. */
void machine_check_idle(void);

uint64_t machine_free_frames(void); /* that nobody has been promised */
long machine_heap_blocks(void);     /* that are alive */

/* True if fn() writes to a page table through a window that does not allow it; fn() does not return then. */
bool machine_traps(void (*fn)(void *arg), void *arg);

/* Prints the reason, the context and a backtrace, and aborts. */
NORETURN PRINTF(1, 2) void machine_fail(const char *fmt, ...);
extern void (*machine_context)(void);

/* Between the files of the machine. */
extern uint8_t *machine_ram;       /* all memory, by physical address */
extern const uint8_t *machine_rom; /* the same, read-only */
extern uint8_t *machine_absent;    /* a page that is not there */
uint8_t *machine_frame(pfn_t f);

#endif
