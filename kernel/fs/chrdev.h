/*
 * kernel/fs/chrdev.h - character devices by number.
 *
 * Role         Opening a character device node finds its driver here (numbers: Linux's Documentation/admin-guide/devices.txt).
 *              /dev is filled from the same list.
 * Locks        None: drivers register at boot, before the first open.
 * Failure      -ENXIO: no driver has the number.
 */
#ifndef TINE_FS_CHRDEV_H
#define TINE_FS_CHRDEV_H

#include "kernel/fs/file.h"

struct chrdev {
	const char *name; /* in /dev */
	uint32_t major, minor;
	uint32_t mode; /* permission bits */
	const struct file_ops *ops;
	int (*open)(struct file *f); /* may set other ops and private; NULL: nothing to do */
	struct chrdev *next;
};

void chrdev_register(struct chrdev *dev);
MUST_CHECK int chrdev_open(struct file *f);
const struct chrdev *chrdev_first(void);

/* st_rdev's layout for numbers that fit the old 8:8 one and those that do not (linux/kdev_t.h, new_encode_dev). */
static inline uint32_t dev_encode(uint32_t major, uint32_t minor)
{
	return (minor & 0xff) | (major << 8) | ((minor & ~0xffu) << 12);
}
static inline uint32_t dev_major(uint32_t dev) { return dev >> 8 & 0xfff; }
static inline uint32_t dev_minor(uint32_t dev) { return (dev & 0xff) | (dev >> 12 & 0xfff00); }

#endif
