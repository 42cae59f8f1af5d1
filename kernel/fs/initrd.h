/*
 * kernel/fs/initrd.h - the initial RAM file system: cpio archives unpacked into the root.
 *
 * Role         Makes every entry of the archive, in order: a later one replaces an earlier one of the same name, so that
 *              archives laid over each other work.
 * Failure      An entry that cannot be made is logged and left out. A broken archive is logged with the offset of what is
 *              wrong: what came before stays, and -EINVAL is returned.
 */
#ifndef TINE_FS_INITRD_H
#define TINE_FS_INITRD_H

#include "kernel/base/types.h"

/* After vfs_init(). -EINVAL, -ENOSPC. */
MUST_CHECK int initrd_unpack(const void *data, uint64_t size);

#endif
