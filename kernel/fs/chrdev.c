/*
 * kernel/fs/chrdev.c - see chrdev.h.
 */
#include "kernel/fs/chrdev.h"

static struct chrdev *first, **last = &first;

void chrdev_register(struct chrdev *dev)
{
	*last = dev;
	last = &dev->next;
}

const struct chrdev *chrdev_first(void) { return first; }

int chrdev_open(struct file *f)
{
	uint32_t major = dev_major(f->inode->rdev), minor = dev_minor(f->inode->rdev);

	for (const struct chrdev *dev = first; dev; dev = dev->next)
		if (dev->major == major && dev->minor == minor) {
			f->ops = dev->ops;
			return dev->open ? dev->open(f) : 0;
		}
	return -ENXIO;
}
