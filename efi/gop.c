/*
 * efi/gop.c - the framebuffer that the firmware's console shows on.
 *
 * A machine may have several Graphics Output protocols, some without hardware or without a linear framebuffer: the one on
 * the console's own handle comes first, then the first that has one. The mode stays as it is.
 */
#include "efi/stub.h"
#include "kernel/base/string.h"

STUB_BEGIN

static enum boot_pixels pixels_of(EFI_GRAPHICS_PIXEL_FORMAT format)
{
	switch (format) {
	case PixelRedGreenBlueReserved8BitPerColor:
		return PIXELS_RGBX;
	case PixelBlueGreenRedReserved8BitPerColor:
		return PIXELS_BGRX;
	case PixelBitMask:
		return PIXELS_MASK;
	default:
		return PIXELS_NONE; /* BltOnly: nothing to draw on once boot services are gone */
	}
}

static void masks_set(struct boot_framebuffer *fb, const EFI_PIXEL_BITMASK *mask)
{
	bool rgb = fb->format == PIXELS_RGBX;

	fb->red_mask = rgb ? 0x0000ff : 0xff0000;
	fb->green_mask = 0x00ff00;
	fb->blue_mask = rgb ? 0xff0000 : 0x0000ff;
	if (fb->format != PIXELS_MASK)
		return;
	fb->red_mask = mask->RedMask;
	fb->green_mask = mask->GreenMask;
	fb->blue_mask = mask->BlueMask;
}

/* False unless the mode is one that can be drawn on: linear, 32-bit, rows within the framebuffer. */
static bool framebuffer_from(const EFI_GRAPHICS_OUTPUT_PROTOCOL *gop, struct boot_framebuffer *ret_fb)
{
	const EFI_GRAPHICS_OUTPUT_MODE_INFORMATION *mode = gop->Mode ? gop->Mode->Info : NULL;
	struct boot_framebuffer fb = {0};

	if (!mode || !gop->Mode->FrameBufferBase)
		return false;
	fb.format = pixels_of(mode->PixelFormat);
	fb.base = PADDR(gop->Mode->FrameBufferBase);
	fb.size = gop->Mode->FrameBufferSize;
	fb.width = mode->HorizontalResolution;
	fb.height = mode->VerticalResolution;
	fb.stride = mode->PixelsPerScanLine;
	masks_set(&fb, &mode->PixelInformation);
	if (fb.format == PIXELS_NONE || !fb.width || !fb.height || fb.stride < fb.width ||
	    (uint64_t)fb.stride * fb.height > fb.size / sizeof(uint32_t))
		return false;
	*ret_fb = fb;
	return true;
}

static bool framebuffer_on(struct stub *s, EFI_HANDLE handle)
{
	EFI_GUID guid = EFI_GRAPHICS_OUTPUT_PROTOCOL_GUID;
	EFI_GRAPHICS_OUTPUT_PROTOCOL *gop;

	return handle && !EFI_ERROR(s->bs->HandleProtocol(handle, &guid, (void **)&gop)) &&
	       framebuffer_from(gop, &s->info->framebuffer);
}

void framebuffer_find(struct stub *s)
{
	EFI_GUID guid = EFI_GRAPHICS_OUTPUT_PROTOCOL_GUID;
	EFI_HANDLE *handles;
	UINTN count;

	if (framebuffer_on(s, s->st->ConsoleOutHandle))
		return;
	if (!EFI_ERROR(s->bs->LocateHandleBuffer(ByProtocol, &guid, NULL, &count, &handles))) {
		for (UINTN i = 0; i < count && s->info->framebuffer.format == PIXELS_NONE; i++)
			framebuffer_on(s, handles[i]);
		s->bs->FreePool(handles);
	}
	if (s->info->framebuffer.format == PIXELS_NONE)
		say(s, "no framebuffer: from here on there is only the serial port");
}

STUB_END
