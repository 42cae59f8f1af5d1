/*
 * efi/extra.h - what UEFI 2.10 defines and gnu-efi's headers lack. Names are the specification's.
 */
#ifndef TINE_EFI_EXTRA_H
#define TINE_EFI_EXTRA_H

#include <efi.h>

/* Section 4.6.4: after the header, `NumberOfEntries` descriptors of `DescriptorSize` bytes each. */
#define EFI_MEMORY_ATTRIBUTES_TABLE_GUID                                                       \
	{                                                                                      \
		0xdcfa911d, 0x26eb, 0x469f, { 0xa2, 0x20, 0x38, 0xb7, 0xdc, 0x46, 0x12, 0x20 } \
	}
typedef struct {
	UINT32 Version;
	UINT32 NumberOfEntries;
	UINT32 DescriptorSize;
	UINT32 Flags;
} EFI_MEMORY_ATTRIBUTES_TABLE;

#define EFI_MEMORY_RO 0x0000000000020000ull /* section 7.2.3 */

/* Section 4.6.2. */
#define EFI_RT_PROPERTIES_TABLE_GUID                                                           \
	{                                                                                      \
		0xeb66918a, 0x7eef, 0x402a, { 0x84, 0x2e, 0x93, 0x1d, 0x21, 0xc3, 0x8a, 0xe9 } \
	}
typedef struct {
	UINT16 Version;
	UINT16 Length;
	UINT32 RuntimeServicesSupported;
} EFI_RT_PROPERTIES_TABLE;

/* Section 23.4; after the header FwResourceCount entries of 40 bytes. */
#define EFI_SYSTEM_RESOURCE_TABLE_GUID                                                         \
	{                                                                                      \
		0xb122a263, 0x3661, 0x4f68, { 0x99, 0x29, 0x78, 0xf8, 0xb0, 0xd6, 0x21, 0x80 } \
	}
typedef struct {
	UINT32 FwResourceCount;
	UINT32 FwResourceCountMax;
	UINT64 FwResourceVersion;
} EFI_SYSTEM_RESOURCE_TABLE;
#define EFI_SYSTEM_RESOURCE_ENTRY_SIZE 40

/* Section 13.2: the same interface as LoadFile, another promise (no boot option is meant). */
#define EFI_LOAD_FILE2_PROTOCOL_GUID                                                           \
	{                                                                                      \
		0x4006c0c1, 0xfcb3, 0x403e, { 0x99, 0x6d, 0x4a, 0x6c, 0x87, 0x24, 0xe0, 0x6d } \
	}

/* The vendor media path under which boot loaders offer Linux its initial RAM disk by LoadFile2. */
#define LINUX_EFI_INITRD_MEDIA_GUID                                                            \
	{                                                                                      \
		0x5568e427, 0x68fc, 0x4f3d, { 0xac, 0x74, 0xca, 0x55, 0x52, 0x31, 0xcc, 0x68 } \
	}

#endif
