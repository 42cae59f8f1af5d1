/*
 * mm/object.h - page objects: the pages of a file, or of a shared anonymous mapping.
 *
 * Role         One object holds the bytes of one tmpfs file (or of one MAP_SHARED|MAP_ANONYMOUS mapping) as frames of kind CACHE.
 *              Mappings share these very frames, so exec maps text without copying, and read(), write() and a shared mapping see
 *              the same bytes.
 * Invariants   1. The object holds one reference on each of its frames; each page-table entry that maps one holds another.
 *              2. Bytes of the last page past `size` are zero, whenever nobody maps the page writable.
 * Locks        obj->lock (LOCK_OBJECT) covers pages and size; never held while user memory is touched.
 * Failure      -ENOMEM leaves the object as it was. object_write() may return a short count.
 * Not handled  Write-back: the page is the storage.
 */
#ifndef TINE_MM_OBJECT_H
#define TINE_MM_OBJECT_H

#include "kernel/base/addr.h"
#include "kernel/base/lock.h"
#include "kernel/base/ref.h"

struct uio;

#define OBJECT_FANOUT     64
#define OBJECT_MAX_HEIGHT 9

struct object {
	struct ref ref;
	struct spinlock lock;
	uint64_t size;     /* bytes [obj] */
	uint64_t resident; /* frames held [obj] */
	uint64_t promised; /* pages charged when it was made; 0: each is charged as it comes (mm/commit.h) [I] */
	bool anonymous;    /* no file's: it goes with its last mapping [I] */
	void *root;        /* radix tree of OBJECT_FANOUT-way nodes, height levels [obj] */
	unsigned height;
};

/* An object of `size` bytes, all holes. The caller has the one reference. */
MUST_CHECK int object_create(uint64_t size, struct object **ret_object);
/* One for a mapping that is shared and anonymous; `reserve`: all its pages are charged now. -ENOMEM. */
MUST_CHECK int object_create_anonymous(uint64_t size, bool reserve, struct object **ret_object);
void object_get(struct object *obj);
void object_put(struct object *obj);

uint64_t object_size(struct object *obj);
/* Truncates or extends (with a hole). Pages past the end are dropped from the object; mappings keep their reference. */
MUST_CHECK int object_resize(struct object *obj, uint64_t size);
/* Makes [offset, offset + len) a hole again (whole pages dropped, edges zeroed). */
void object_punch(struct object *obj, uint64_t offset, uint64_t len);

/* Copies at most uio->left bytes from `offset`: the count (0 at or past the end), or -EFAULT if not one could be put.
 */
MUST_CHECK int64_t object_read(struct object *obj, uint64_t offset, struct uio *uio);
/* Writes and extends: the count, -EFAULT, -ENOMEM, -ENOSPC (more than may be promised), -EFBIG. */
MUST_CHECK int64_t object_write(struct object *obj, uint64_t offset, struct uio *uio);

/*
 * The frame of page `index`, with a reference for the caller. A hole is filled with a zeroed frame; for the kernel's own sake
 * (`kernel`) that may be one of the last (commit_low()).
 * -ENXIO: the page lies wholly past the end (SIGBUS); -ENOSPC: more than may be promised; -ENOMEM.
 */
MUST_CHECK int object_frame(struct object *obj, uint64_t index, bool kernel, pfn_t *ret_frame);

/* First data (want_data) or hole at or after `offset`, for lseek SEEK_DATA and SEEK_HOLE: -ENXIO past the end. */
MUST_CHECK int64_t object_seek(struct object *obj, uint64_t offset, bool want_data);

#endif
