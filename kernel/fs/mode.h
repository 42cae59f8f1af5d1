/*
 * kernel/fs/mode.h - file types and permission bits: <linux/stat.h>, which hides them where it sees the C library's headers
 * (its <stdint.h> is on the include path).
 */
#ifndef TINE_FS_MODE_H
#define TINE_FS_MODE_H

#include <stdint.h>

#pragma push_macro("__GLIBC__")
#undef __GLIBC__
#include <linux/stat.h>
#pragma pop_macro("__GLIBC__")

#endif
