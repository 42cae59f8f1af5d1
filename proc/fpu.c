/* proc/fpu.c - see fpu.h. SDM 1, chapter 13 (XSAVE), 10.5.1 (FXSAVE). */
#include "proc/fpu.h"

#include <asm/sigcontext.h>
/* sigcontext.h comes first: the next one needs it. */
#include <asm/siginfo.h>

#include "kernel/base/cpu.h"
#include "kernel/base/panic.h"
#include "kernel/base/print.h"
#include "kernel/base/probe.h"
#include "kernel/base/string.h"
#include "mm/heap.h"
#include "mm/user.h"

#define FXSAVE_SIZE        512
#define XSAVE_HEADER_SIZE  64
#define INITIAL_FCW        0x37f
#define INITIAL_MXCSR      0x1f80
#define DEFAULT_MXCSR_MASK 0xffbf

/* The legacy region, and the header behind it. */
struct xsave_area {
	uint16_t fcw, fsw;
	uint8_t ftw, reserved;
	uint16_t fop;
	uint64_t fip, fdp;
	uint32_t mxcsr, mxcsr_mask;
	uint8_t registers[432];
	struct _fpx_sw_bytes sw; /* free for software: what Linux puts in signal frames */
	uint64_t xstate_bv, xcomp_bv, header_reserved[6];
};

_Static_assert(offsetof(struct xsave_area, sw) == 464 && offsetof(struct xsave_area, xstate_bv) == FXSAVE_SIZE &&
		   sizeof(struct xsave_area) == FXSAVE_SIZE + XSAVE_HEADER_SIZE,
	       "SDM 1, 13.4");

static uint32_t mxcsr_mask = DEFAULT_MXCSR_MASK;

static void xsave_instruction(void *area)
{
	if (cpu_features.xsaveopt)
		__asm__ volatile("xsaveopt64 (%0)" : : "r"(area), "a"(-1), "d"(-1) : "memory");
	else
		__asm__ volatile("xsave64 (%0)" : : "r"(area), "a"(-1), "d"(-1) : "memory");
}

void fpu_save(void *area)
{
	if (cpu_features.xsave)
		xsave_instruction(area);
	else
		__asm__ volatile("fxsaveq (%0)" : : "r"(area) : "memory");
}

void fpu_restore(const void *area)
{
	if (cpu_features.xsave)
		__asm__ volatile("xrstor64 (%0)" : : "r"(area), "a"(-1), "d"(-1) : "memory");
	else
		__asm__ volatile("fxrstorq (%0)" : : "r"(area) : "memory");
}

void fpu_reset_area(void *area)
{
	struct xsave_area *x = area;

	memset(x, 0, cpu_features.xsave_size);
	x->fcw = INITIAL_FCW;
	x->mxcsr = INITIAL_MXCSR;
}

void *fpu_alloc(void)
{
	void *area = kmalloc(cpu_features.xsave_size);

	if (area)
		fpu_reset_area(area);
	return area;
}

void fpu_free(void *area) { kfree(area); }

void fpu_clone_current(void *child_area)
{
	/* Not by XSAVEOPT: it may leave out what it believes to be in the area already. */
	if (cpu_features.xsave)
		__asm__ volatile("xsave64 (%0)" : : "r"(child_area), "a"(-1), "d"(-1) : "memory");
	else
		fpu_save(child_area);
}

/* ---- Boot ---- */

static ALIGNED(64) uint8_t boot_area[FXSAVE_SIZE + XSAVE_HEADER_SIZE];

static uint64_t choose_components(void)
{
	uint32_t r[4];

	cpuid(13, 0, r);
	uint64_t offered = (uint64_t)r[3] << 32 | r[0];
	uint64_t chosen = offered & (XCR0_X87 | XCR0_SSE | XCR0_AVX);
	if ((chosen & XCR0_AVX) && (offered & XCR0_AVX512) == XCR0_AVX512)
		chosen |= XCR0_AVX512;
	return chosen;
}

static void enable_components(uint64_t xcr0)
{
	uint32_t r[4];

	__asm__ volatile("xsetbv" : : "c"(0), "a"((uint32_t)xcr0), "d"((uint32_t)(xcr0 >> 32)));
	cpuid(13, 0, r); /* EBX: bytes for what XCR0 now holds */
	cpu_features.xcr0 = xcr0;
	cpu_features.xsave_size = (uint32_t)ALIGN_UP(r[1], 64);
}

void fpu_init(void)
{
	struct xsave_area *x = (struct xsave_area *)boot_area;

	cpu_features.xcr0 = XCR0_X87 | XCR0_SSE;
	cpu_features.xsave_size = FXSAVE_SIZE;
	if (cpu_features.xsave)
		enable_components(choose_components());
	__asm__ volatile("fninit\n\tfxsaveq (%0)" : : "r"(boot_area) : "memory");
	if (x->mxcsr_mask)
		mxcsr_mask = x->mxcsr_mask;
	memset(boot_area, 0, sizeof(boot_area));
	x->fcw = INITIAL_FCW;
	x->mxcsr = INITIAL_MXCSR;
	fpu_restore(boot_area);
	pr_info("x86/fpu: %s, components %#lx, context size is %u bytes",
		!cpu_features.xsave     ? "FXSAVE"
		: cpu_features.xsaveopt ? "XSAVEOPT"
					: "XSAVE",
		cpu_features.xcr0, cpu_features.xsave_size);
}

/* ---- Signal frames ---- */

size_t fpu_frame_size(void)
{
	return cpu_features.xsave ? cpu_features.xsave_size + FP_XSTATE_MAGIC2_SIZE : FXSAVE_SIZE;
}

/* The image in kernel memory: what the frame will hold, the second magic number included. */
static void build_image(struct xsave_area *x)
{
	memset(x, 0, fpu_frame_size());
	fpu_clone_current(x);
	if (!cpu_features.xsave)
		return;
	memset(&x->sw, 0, sizeof(x->sw));
	x->sw.magic1 = FP_XSTATE_MAGIC1;
	x->sw.extended_size = (uint32_t)fpu_frame_size();
	x->sw.xfeatures = cpu_features.xcr0;
	x->sw.xstate_size = cpu_features.xsave_size;
	*(uint32_t *)((char *)x + cpu_features.xsave_size) = FP_XSTATE_MAGIC2;
}

/* Room for an image of any kind; a multiple of 64, which aligns it. */
static size_t image_room(void) { return ALIGN_UP(MAX(fpu_frame_size(), sizeof(struct xsave_area)), 64); }

int fpu_to_user(uaddr_t image)
{
	struct xsave_area *x = kmalloc(image_room());

	if (!x)
		return -ENOMEM;
	build_image(x);
	int err = copy_to_user(image, x, fpu_frame_size());
	kfree(x);
	return err;
}

/* An image with both magic numbers has all components; any other is taken for plain FXSAVE, as Linux does. */
static bool image_is_extended(const struct xsave_area *x)
{
	uint32_t magic2;

	if (!cpu_features.xsave || x->sw.magic1 != FP_XSTATE_MAGIC1 || x->sw.xstate_size != cpu_features.xsave_size ||
	    x->sw.extended_size != fpu_frame_size())
		return false;
	memcpy(&magic2, (const char *)x + cpu_features.xsave_size, sizeof(magic2));
	return magic2 == FP_XSTATE_MAGIC2;
}

/* What XRSTOR and FXRSTOR refuse (SDM 1, 13.8.1), told beforehand: not every CPU's emulation does. */
static int check_image(const struct xsave_area *x)
{
	uint64_t reserved = x->xcomp_bv;

	for (unsigned i = 0; i < ARRAY_LEN(x->header_reserved); i++)
		reserved |= x->header_reserved[i];
	if ((x->mxcsr & ~mxcsr_mask) || reserved || (x->xstate_bv & ~cpu_features.xcr0))
		return -EFAULT;
	return 0;
}

/* An image without the extended part sets x87 and SSE; the rest gets its initial state. */
static void make_plain(struct xsave_area *x)
{
	memset(&x->xstate_bv, 0, fpu_frame_size() - FXSAVE_SIZE);
	x->xstate_bv = XCR0_X87 | XCR0_SSE;
}

/* Reads the image: the FXSAVE part must be there, the rest only if the FXSAVE part says so. */
static int fetch_image(struct xsave_area *x, uaddr_t image)
{
	int err = copy_from_user(x, image, FXSAVE_SIZE);

	if (err || image.v % (cpu_features.xsave ? 64 : 16))
		return -EFAULT;
	if (cpu_features.xsave && x->sw.magic1 == FP_XSTATE_MAGIC1 && x->sw.extended_size == fpu_frame_size())
		err = copy_from_user(x, image, fpu_frame_size());
	if (!err && cpu_features.xsave && !image_is_extended(x))
		make_plain(x);
	return err ? err : check_image(x);
}

static int load_image(const struct xsave_area *x)
{
	bool ok = cpu_features.xsave ? probe_xrstor(x, UINT64_MAX) : probe_fxrstor(x);

	return ok ? 0 : -EFAULT;
}

int fpu_from_user(uaddr_t image)
{
	struct xsave_area *x = kmalloc(image_room());
	int err = 0;

	if (!x)
		return -ENOMEM;
	memset(x, 0, image_room());
	x->fcw = INITIAL_FCW;
	x->mxcsr = INITIAL_MXCSR;
	if (image.v)
		err = fetch_image(x, image);
	if (!err)
		err = load_image(x);
	kfree(x);
	return err;
}

/* ---- Exceptions ---- */

/* The first exception that is flagged and not masked, in the order of the architecture's priorities. */
static int exception_code(uint32_t flags)
{
	if (flags & 0x01)
		return FPE_FLTINV;
	if (flags & 0x04)
		return FPE_FLTDIV;
	if (flags & 0x08)
		return FPE_FLTOVF;
	if (flags & 0x12)
		return FPE_FLTUND;
	if (flags & 0x20)
		return FPE_FLTRES;
	return FPE_FLTUNK;
}

int fpu_fault_code(bool simd)
{
	uint16_t control, status;
	uint32_t mxcsr;

	if (simd) {
		__asm__ volatile("stmxcsr %0" : "=m"(mxcsr));
		return exception_code(mxcsr & ~(mxcsr >> 7) & 0x3f);
	}
	__asm__ volatile("fnstcw %0\n\tfnstsw %1" : "=m"(control), "=m"(status));
	return exception_code(status & ~(uint32_t)control & 0x3f);
}
