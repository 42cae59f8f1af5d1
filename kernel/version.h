/*
 * kernel/version.h - what uname says.
 *
 * The system name and a release in Linux's form are what unmodified programs look at: glibc refuses to start below the
 * release that it was built for.
 */
#ifndef TINE_KERNEL_VERSION_H
#define TINE_KERNEL_VERSION_H

#define TINE_SYSNAME "Linux"
#define TINE_RELEASE "6.1.0-tine"
#define TINE_VERSION "#1 Tine 0.1"

#endif
