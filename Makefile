# Tine: `make help` lists the targets. Everything built goes to build/; nothing else is written.
#
# One PE file is the whole system: the stub (efi/), the kernel (kernel/, mm/, proc/) and the initial RAM file system.

.DEFAULT_GOAL := all
.DELETE_ON_ERROR:
MAKEFLAGS += --no-builtin-rules --no-print-directory
ifeq ($(filter -j%,$(MAKEFLAGS)),)
MAKEFLAGS += -j$(shell nproc 2>/dev/null || echo 2)
endif

# CHECKED=1 builds the kernel with its dear assertions (CHECK, lock ranks) into a directory of its own.
CHECKED ?=
B := build$(if $(CHECKED),/checked)

# ---- Tools and flags -------------------------------------------------------------------------------------------------
# The target gives COFF objects, Win64 calls (UEFI's) and LP64 with GCC's struct layout (Linux's), so that the headers of
# both worlds give the right structs.
CC      := clang --target=x86_64-pc-windows-cygnus
LLD     := lld-link
OBJCOPY := llvm-objcopy
USERCC  := musl-gcc

CFLAGS := -DGNU_EFI_USE_MS_ABI -std=gnu11 -ffreestanding -O2 -gdwarf-4 -Wall -Wextra -Werror -mno-red-zone \
	-mgeneral-regs-only -mno-stack-arg-probe -fasynchronous-unwind-tables -fdata-sections -I. \
	-isystem /usr/include/efi -isystem /usr/include -isystem /usr/include/x86_64-linux-gnu \
	$(if $(CHECKED),-DTINE_CHECKED)
# The stub runs once, before the guard has a random value, and on the firmware's stack.
CFLAGS_efi    := -fno-stack-protector -Os
# The inliner's own threshold (225) costs 20 KiB of image and gains nothing that can be measured.
CFLAGS_kernel := -fstack-protector-strong -mllvm -inline-threshold=45
# What runs once, or for people to read, is built for size.
COLD          := boot_log acpi cmdline procfs proc_files proc_pid

# No -ffunction-sections: on this target it hangs all unwind tables of a file on its first function, and they go with it.
# The image version tells GRUB that the image takes its initrd by the LoadFile2 protocol.
LDFLAGS := /lldmingw /subsystem:efi_application /entry:efi_main /base:0xffffffff80000000 /dynamicbase /nxcompat \
	/version:1.0 /nodefaultlib /debug:dwarf /Brepro /opt:ref

# musl's include path lacks the kernel's own headers (linux/, asm/): they come last.
USER_CFLAGS := -static -O2 -Wall -Wextra -Werror -s -I. -idirafter /usr/include -idirafter /usr/include/x86_64-linux-gnu

# ---- Sources ---------------------------------------------------------------------------------------------------------
KERNEL_SRC := $(sort $(wildcard $(foreach d,kernel kernel/base kernel/fs kernel/dev mm proc,$d/*.c $d/*.S)))
EFI_SRC    := $(sort $(wildcard efi/*.c efi/*.S))
# efi/ comes last: its sections are not part of the kernel's mapped image, and the linker keeps this order.
OBJ        := $(patsubst %,$B/obj/%.o,$(KERNEL_SRC) $(EFI_SRC))

USER  := $(patsubst user/%.c,build/user/%,$(sort $(wildcard user/*.c)))
# Those of tests/alone/ harm the machine that they run on: the suite boots one for each.
GUEST := $(patsubst tests/%.c,build/%,$(sort $(wildcard tests/guest/*.c tests/alone/*.c)))

# ---- User targets ----------------------------------------------------------------------------------------------------
.PHONY: all run test fuzz check checked guest deps clean help

all: $B/BOOTX64.EFI ## build build/BOOTX64.EFI, the whole system in one file (CHECKED=1: with all assertions)

# Every variable that the runner reads, handed on byte for byte ($(value): a $ in CMD is the guest shell's, not make's).
RUN_VARS := CMD OVERLAY MEM SMP CPU FORK APPEND QEMU_EXTRA ICOUNT TIMEOUT KERNEL_LOG EFI
ifndef EFI
EFI := $B/BOOTX64.EFI
endif

# make's own exit status is 2 for any failure, but `make run CMD=...` promises the command's. So make does not run the
# runner, it becomes it: $(become) is execve(), from a module of 40 lines (ovmf/become.c).
ifneq ($(filter run,$(MAKECMDGOALS)),)
-load build/become.so
endif
DRY_RUN := $(findstring n,$(filter-out -%,$(firstword $(MAKEFLAGS))))
run: all ## boot it on OVMF in QEMU; CMD='...' OVERLAY=DIR MEM= SMP= CPU= FORK= APPEND= QEMU_EXTRA= ICOUNT=1 TIMEOUT=
	@:$(if $(DRY_RUN),,$(become ovmf/run,$(RUN_VARS)))

build/become.so: ovmf/become.c | deps
	@mkdir -p $(@D)
	@clang -shared -fPIC -O2 -Wall -Wextra -Werror $< -o $@

test: all checked guest ## everything that is checked, the last line says `N passed, N failed`; T=PATTERN for a part
	@tests/run $(T)

FUZZ_SECONDS ?= 600
export FUZZ_SECONDS
fuzz: deps ## fuzz the address-space code on a simulated machine; FUZZ_SECONDS=600
	@tests/fuzz/run

check: deps ## formatting, layers and objects only: seconds
	@tests/check/run

checked: all
	@$(MAKE) CHECKED=1 all

guest: $(GUEST)

clean: ## remove build/
	rm -rf build

help: ## this list
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1\t\2/p' Makefile | expand -t 14

# ---- What the machine must have --------------------------------------------------------------------------------------
# probe=package: a command's name, or a file's (patterns allowed). Plain sh: a fresh machine has no Python.
DEPS := clang=clang lld-link=lld llvm-objcopy=llvm clang-format=clang-format \
	/usr/lib/llvm-*/lib/clang/*/lib/linux/libclang_rt.asan-x86_64.a=libclang-rt-14-dev \
	/usr/lib/llvm-*/lib/clang/*/lib/linux/libclang_rt.fuzzer-x86_64.a=libclang-rt-14-dev \
	/usr/include/efi/efi.h=gnu-efi /usr/include/linux/version.h=linux-libc-dev /usr/include/stdlib.h=libc6-dev \
	/usr/include/gnumake.h=make gcc=gcc musl-gcc=musl-tools /var/lib/dpkg/info/busybox-static.list=busybox-static \
	/bin/bash-static=bash-static cpio=cpio mcopy=mtools python3=python3 \
	/usr/lib/python3/dist-packages/pexpect=python3-pexpect qemu-system-x86_64=qemu-system-x86 \
	/usr/share/OVMF/OVMF_CODE_4M.fd=ovmf

deps: ## install the Debian packages that are missing (apt-get, as root or by sudo)
	@missing=; \
	for dep in $(foreach d,$(DEPS),'$d'); do \
		probe=$${dep%=*}; \
		case $$probe in \
		/*) set -- $$probe; [ -e "$$1" ] && continue ;; \
		*) command -v "$$probe" >/dev/null && continue ;; \
		esac; \
		missing="$$missing $${dep##*=}"; \
	done; \
	[ -n "$$missing" ] || exit 0; \
	command -v apt-get >/dev/null || { echo "missing, and there is no apt-get here:$$missing" >&2; exit 1; }; \
	sudo=; [ "$$(id -u)" = 0 ] || sudo=sudo; \
	echo "  APT$$missing" >&2; \
	log=$$(mktemp); \
	{ $$sudo apt-get -qq update && $$sudo env DEBIAN_FRONTEND=noninteractive \
		apt-get -qq -y --no-install-recommends install $$missing; } </dev/null >"$$log" 2>&1 || \
		{ cat "$$log" >&2; rm -f "$$log"; exit 1; }; \
	rm -f "$$log"

# What is being made; for `make run` on standard error, since its standard output is the guest's.
say = echo "  $1 $2"$(if $(filter run,$(MAKECMDGOALS)), >&2)

# ---- The image -------------------------------------------------------------------------------------------------------
$B/obj/efi/%: private AREA := efi
AREA := kernel
$(COLD:%=$B/obj/kernel/%.c.o): private SIZE := -Os

$B/obj/%.c.o: %.c Makefile | deps
	@mkdir -p $(@D)
	@$(call say,CC,$<)
	@$(CC) $(CFLAGS) $(CFLAGS_$(AREA)) $(SIZE) -MMD -MP -c $< -o $@

$B/obj/%.S.o: %.S Makefile | deps
	@mkdir -p $(@D)
	@$(call say,AS,$<)
	@$(CC) $(CFLAGS) -Ibuild -MMD -MP -c $< -o $@

$B/obj/efi/initrd.S.o: build/initrd.cpio

# Linked twice: the first image gives the addresses for the table of function names (kernel/symbols.h) in the second. The
# table lies behind all code, so that it moves none.
$B/symbols-none.S: kernel/mksymbols
	@mkdir -p $(@D)
	@kernel/mksymbols >$@

$B/symbols.S: $B/first.EFI kernel/mksymbols
	@kernel/mksymbols $< >$@

$B/symbols.o $B/symbols-none.o: $B/%.o: $B/%.S | deps
	@$(CC) -c $< -o $@

$B/first.EFI: $B/symbols-none.o $(OBJ)
	@$(LLD) $(LDFLAGS) /out:$@ $^

$B/BOOTX64.debug.EFI: $B/symbols.o $(OBJ)
	@$(call say,LD,$@)
	@$(LLD) $(LDFLAGS) /out:$@ $^

# The debugger's file keeps what the shipped one loses; addresses are the same.
$B/BOOTX64.EFI: $B/BOOTX64.debug.EFI efi/mkheader
	@$(OBJCOPY) --strip-all $< $B/stripped.EFI
	@efi/mkheader $B/stripped.EFI $@

# ---- User programs and the initial RAM file system -------------------------------------------------------------------
build/user/%: user/%.c Makefile | deps
	@mkdir -p $(@D)
	@$(call say,USERCC,$<)
	@$(USERCC) $(USER_CFLAGS) -MMD -MP -MF $@.d -o $@ $<

$(GUEST): build/%: tests/%.c Makefile | deps
	@mkdir -p $(@D)
	@$(call say,USERCC,$<)
	@$(USERCC) $(USER_CFLAGS) -MMD -MP -MF $@.d -o $@ $<

# The same bytes from the same sources: fixed owner, order, inode numbers and times.
SOURCE_DATE_EPOCH ?= 1700000000
ROOTFS    := $(if $(wildcard user/rootfs),$(shell find user/rootfs -mindepth 1))
ROOT_DIRS := bin dev etc home lib mnt proc root run sbin sys tmp usr/bin usr/lib usr/sbin var/log var/run var/tmp

build/initrd.cpio: $(USER) $(ROOTFS) Makefile | deps
	@$(call say,CPIO,$@)
	@rm -rf build/root && mkdir -p $(addprefix build/root/,$(ROOT_DIRS))
	@cp --remove-destination /bin/busybox build/root/bin/busybox
	@busybox --list-full | while read -r applet; do \
		[ -e "build/root/$$applet" ] || ln -s /bin/busybox "build/root/$$applet"; \
	done
	@$(if $(ROOTFS),cp -R --remove-destination user/rootfs/. build/root/)
	@$(if $(USER),cp --remove-destination $(USER) build/root/bin/)
	@[ ! -e build/root/bin/init ] || mv build/root/bin/init build/root/init
	@chmod -R u=rwX,go=rX build/root && chmod 1777 build/root/tmp build/root/var/tmp && chmod 700 build/root/root
	@find build/root -exec touch -h -d @$(SOURCE_DATE_EPOCH) {} +
	@cd build/root && find . -mindepth 1 | LC_ALL=C sort | \
		cpio --quiet --reproducible -R 0:0 -o -H newc >../initrd.cpio.new
	@mv build/initrd.cpio.new $@

-include $(OBJ:.o=.d) $(addsuffix .d,$(USER) $(GUEST))
