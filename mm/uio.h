/*
 * mm/uio.h - the caller's buffers of one read or write: user segments (readv, writev) or one kernel buffer.
 *
 * Role         File code moves bytes through uio_put() and uio_get() and need not know which it is.
 * Invariants   `left` is the sum of what the segments still hold; each move advances.
 * Failure      A move that hits a bad user address returns fewer bytes than asked; -EFAULT is the caller's word for 0.
 */
#ifndef TINE_MM_UIO_H
#define TINE_MM_UIO_H

#include "kernel/base/addr.h"

struct uio_segment {
	uaddr_t base;
	uint64_t len;
}; /* the layout of struct iovec */

struct uio {
	const struct uio_segment *seg; /* current segment, NULL for a kernel buffer */
	uint32_t nseg;                 /* segments left, this one included */
	uint64_t offset;               /* bytes used of the current segment or of the kernel buffer */
	char *kernel;                  /* the kernel buffer */
	uint64_t left;
};

/* `seg` must outlive the uio; the sum of lengths must be <= INT64_MAX (uio_check_segments). */
struct uio uio_from_segments(const struct uio_segment *seg, uint32_t nseg);
struct uio uio_from_kernel(void *buf, uint64_t len);

MUST_CHECK size_t uio_put(struct uio *u, const void *src, size_t n); /* towards the reader */
MUST_CHECK size_t uio_get(struct uio *u, void *dst, size_t n);       /* from the writer */
MUST_CHECK size_t uio_put_zero(struct uio *u, size_t n);

#endif
