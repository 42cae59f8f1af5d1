/*
 * mm/commit.h - commit accounting: memory that was promised, whether or not it is there yet.
 *
 * Role         Counts the pages that programs may still ask for without being refused: those of private writable regions, of
 *              shared anonymous objects (as a whole when they are made), and of files (as they come). /proc/meminfo shows the sum as
 *              Committed_AS. The policy is Linux's, /proc/sys/vm/overcommit_memory:
 *                0  heuristic   a single request for more than all of RAM is refused, else none; a fork never is (default)
 *                1  always      nothing is refused
 *                2  never       what would lift the sum above CommitLimit is refused: mmap, brk, mprotect, mremap, fork and exec
 *                               fail with -ENOMEM up front, a stack that grows with SIGSEGV, a file with -ENOSPC
 *              MAP_NORESERVE is honoured but in mode 2.
 * Invariants   1. s->commit.pages = pages of the space's regions with REGION_ACCOUNT; a region that may be written and is private
 *                 has the flag, unless it was mapped with REGION_NORESERVE. It stays when the right to write goes: what was
 *                 written is still there.
 *              2. The promises to spaces are the sum of s->commit.pages over all spaces: commit_verify() recounts both.
 *              3. Fork adds the parent's number to the child's account, whatever the number of pages.
 * The kernel   In mode 2, what the limit leaves (by the default ratio of 50, half of RAM) is for all that nobody promises: page
 *              tables (at most one frame in 512 of each contiguous range, and three for its ends), the kernel's heap and stacks,
 *              the last frames of commit_low(), and private pages that may not be written (copied by the strategy `copy`, or read
 *              for the first time in anonymous memory). With a ratio near 100 nothing is left for these, and a promise may then
 *              be broken, as on Linux.
 * Locks        The numbers of a space: its lock. The sums are atomic; a charge that is checked against the limit by two CPUs at
 *              once may pass it by one request. The policy is plain words, read once per request.
 * Failure      -ENOMEM, nothing charged.
 * Not handled  admin_reserve_kbytes and user_reserve_kbytes (as if 0); frames of a truncated file that are still mapped.
 */
#ifndef TINE_MM_COMMIT_H
#define TINE_MM_COMMIT_H

#include "kernel/base/addr.h"

struct region;
struct space;

/* What a space was promised: struct space holds one. [s] */
struct commit {
	uint64_t pages;  /* charged: invariant 1 */
	uint64_t mapped; /* of all its regions */
	uint64_t peak;   /* high-water mark of `mapped`, up to date but for `mapped` itself */
};

enum commit_mode { COMMIT_HEURISTIC, COMMIT_ALWAYS, COMMIT_NEVER, COMMIT_MODES };

/* What /proc/sys/vm shows and sets. */
extern struct commit_policy {
	enum commit_mode mode;
	uint32_t ratio;     /* percent of RAM */
	uint64_t limit_kib; /* in its place, if not 0 */
} commit_policy;

uint64_t commit_limit(void);    /* pages */
uint64_t commit_promised(void); /* pages, to all */

/*
 * Spaces. commit_map() is the last step of mapping r that may fail: charges it, if that is to be, and says so in its flags; room that
 * r's range gives up counts. commit_drop() releases the range, before the regions are cut; commit_mapped() follows the insertion.
 */
MUST_CHECK int commit_map(struct space *s, struct region *r);
void commit_mapped(struct space *s, const struct region *r);
void commit_drop(struct space *s, uaddr_t start, uaddr_t end);
/* A stack that starts `pages` lower. */
MUST_CHECK int commit_grow(struct space *s, const struct region *r, uint64_t pages);
/* For rights that [start, end) is about to get; each region there is then marked by commit_mark(). */
MUST_CHECK int commit_protect(struct space *s, uaddr_t start, uaddr_t end, uint8_t prot);
void commit_mark(struct region *r);
/* Fork: the child, which has its regions, is promised what they say. -ENOMEM also where next to no memory is left. */
MUST_CHECK int commit_clone(const struct space *parent, struct space *child);
void commit_release(struct space *s);

/* Objects. */
MUST_CHECK int commit_object(uint64_t pages);
void commit_object_release(uint64_t pages);

/*
 * So few frames are left that they are kept for the kernel: user code that needs one waits until there are more (proc/oom.h), and
 * fork and files get none; copies to user memory that the kernel makes for a system call, and its heap, still do.
 */
bool commit_low(void);
uint64_t commit_kept_back(void); /* frames */

/* The recount of invariants 1 and 2 over all spaces: 0, or -EIO with the first breach in buf. */
MUST_CHECK int commit_verify(char *buf, size_t size);

#endif
