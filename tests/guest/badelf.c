/*
 * tests/guest/badelf.c - executables that are not what they say.
 *
 * Starts from the smallest program that runs (it exits with 7), spoils one field at a time, and shows what execve() said.
 * Linux must print the same. Where Linux has already given up the old program when it sees the damage (it then kills the
 * process), a kernel that refuses in time is as good: both show as `does not run`. Where Linux overlooks what the standard
 * forbids, and at the end for some hundred files with random damage, only survival counts.
 */
#define _GNU_SOURCE
#include "user/check.h"

#include <elf.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#define BASE    0x10000000ull
#define TEXT_AT 0x200 /* file offset of the code */
#define SIZE    0x1000
#define MUTANTS 200

struct image {
	Elf64_Ehdr eh;
	Elf64_Phdr ph[4];
	unsigned char rest[SIZE - sizeof(Elf64_Ehdr) - 4 * sizeof(Elf64_Phdr)];
};

static char path[] = "/tmp/badelf.XXXXXX";
static struct image img;

/* mov $60, %eax; mov $7, %edi; syscall; ud2 */
static const unsigned char code[] = {0xb8, 60, 0, 0, 0, 0xbf, 7, 0, 0, 0, 0x0f, 0x05, 0x0f, 0x0b};

static void make_valid(void)
{
	memset(&img, 0, sizeof(img));
	memcpy(img.eh.e_ident, ELFMAG, SELFMAG);
	img.eh.e_ident[EI_CLASS] = ELFCLASS64;
	img.eh.e_ident[EI_DATA] = ELFDATA2LSB;
	img.eh.e_ident[EI_VERSION] = EV_CURRENT;
	img.eh.e_type = ET_EXEC;
	img.eh.e_machine = EM_X86_64;
	img.eh.e_version = EV_CURRENT;
	img.eh.e_entry = BASE + TEXT_AT;
	img.eh.e_phoff = sizeof(img.eh);
	img.eh.e_ehsize = sizeof(img.eh);
	img.eh.e_phentsize = sizeof(Elf64_Phdr);
	img.eh.e_phnum = 1;
	img.ph[0] = (Elf64_Phdr){
	    .p_type = PT_LOAD,
	    .p_flags = PF_R | PF_X,
	    .p_vaddr = BASE,
	    .p_paddr = BASE,
	    .p_filesz = SIZE,
	    .p_memsz = SIZE,
	    .p_align = 0x1000,
	};
	memcpy((unsigned char *)&img + TEXT_AT, code, sizeof(code));
}

static void write_image(size_t size)
{
	int fd;

	unlink(path);
	fd = (int)need("open", open(path, O_CREAT | O_WRONLY | O_EXCL, 0700));
	need("write", write(fd, &img, size));
	close(fd);
}

/* Exit status 100 + errno when execve() comes back. */
static int exec_it(void *arg)
{
	char *args[] = {path, NULL}, *env[] = {NULL};

	(void)arg;
	execve(path, args, env);
	return 100 + errno;
}

enum verdict { EXACT, RUNS_OR_NOT, SURVIVES };

static void try_size(const char *name, size_t size, enum verdict verdict)
{
	int status;

	write_image(size);
	status = in_child(exec_it, NULL);
	if (verdict == SURVIVES)
		dprintf(1, "%s: %s\n", name, status == -1 ? "lost" : "survived");
	else if (status == EXITED(7))
		dprintf(1, "%s: runs\n", name);
	else if (verdict == RUNS_OR_NOT)
		dprintf(1, "%s: does not run\n", name);
	else if (WIFEXITED(status) && WEXITSTATUS(status) > 100)
		dprintf(1, "%s: refused: %s\n", name, strerror(WEXITSTATUS(status) - 100));
	else
		show_status(name, status);
}

static void try_image(const char *name, enum verdict verdict)
{
	try_size(name, SIZE, verdict);
	make_valid();
}

/* `img` is valid before each of these, and again after it. */
#define SPOIL_AS(verdict, field, value)                  \
	do {                                             \
		img.field = (value);                     \
		try_image(#field " = " #value, verdict); \
	} while (0)
#define SPOIL(field, value)      SPOIL_AS(EXACT, field, value)
#define SPOIL_LATE(field, value) SPOIL_AS(RUNS_OR_NOT, field, value)

static void try_truncated(void)
{
	static const size_t sizes[] = {0, 1, 4, 16, 52, 63, 64, 65, 100, 119, 120, 256, TEXT_AT + 12};
	char name[32];

	for (unsigned i = 0; i < ARRAY_LEN(sizes); i++) {
		snprintf(name, sizeof(name), "truncated to %zu", sizes[i]);
		try_size(name, sizes[i], sizes[i] < 120 ? EXACT : RUNS_OR_NOT);
	}
}

static void try_header(void)
{
	SPOIL(eh.e_ident[0], 0);
	SPOIL_AS(SURVIVES, eh.e_ident[EI_CLASS], 0);
	SPOIL_AS(SURVIVES, eh.e_ident[EI_DATA], ELFDATA2MSB);
	SPOIL_AS(SURVIVES, eh.e_ident[EI_VERSION], 9);
	SPOIL(eh.e_ident[EI_OSABI], 77);
	SPOIL(eh.e_type, ET_NONE);
	SPOIL(eh.e_type, ET_REL);
	SPOIL(eh.e_type, ET_CORE);
	SPOIL(eh.e_type, ET_DYN);
	SPOIL(eh.e_machine, EM_AARCH64);
	SPOIL(eh.e_machine, 0);
	SPOIL_AS(SURVIVES, eh.e_version, 0);
	SPOIL(eh.e_ehsize, 0);
	SPOIL(eh.e_flags, ~0u);
	SPOIL(eh.e_shoff, ~0ull);
	SPOIL(eh.e_shnum, 65535);
}

static void try_table(void)
{
	SPOIL(eh.e_phnum, 0);
	SPOIL(eh.e_phnum, 4); /* the other three are PT_NULL */
	SPOIL(eh.e_phnum, 74);
	SPOIL(eh.e_phnum, 2000);
	SPOIL(eh.e_phnum, 65535);
	SPOIL(eh.e_phentsize, 0);
	SPOIL(eh.e_phentsize, 32);
	SPOIL(eh.e_phentsize, 57);
	SPOIL(eh.e_phentsize, 65535);
	SPOIL(eh.e_phoff, 0xff0);
	SPOIL(eh.e_phoff, 0x100000);
	SPOIL(eh.e_phoff, 1ull << 40);
	SPOIL(eh.e_phoff, ~0ull);
	SPOIL(eh.e_phoff, ~0ull - 40);
	SPOIL(eh.e_phoff, 1ull << 63);
	SPOIL_LATE(ph[0].p_type, PT_NULL);
	SPOIL_LATE(ph[0].p_type, PT_NOTE);
}

static void try_entry(void)
{
	SPOIL_LATE(eh.e_entry, 0);
	SPOIL_LATE(eh.e_entry, BASE + SIZE);
	SPOIL_LATE(eh.e_entry, 0x7ffffffff000ull);
	SPOIL_LATE(eh.e_entry, 0x800000000000ull);
	SPOIL_LATE(eh.e_entry, 0x8000000000000000ull);
	SPOIL_LATE(eh.e_entry, 0xffffffff80000000ull);
	SPOIL_LATE(ph[0].p_flags, PF_R);
	SPOIL_LATE(ph[0].p_flags, PF_R | PF_W);
	SPOIL_LATE(ph[0].p_flags, PF_X);
	SPOIL_LATE(ph[0].p_flags, PF_R | PF_W | PF_X);
	SPOIL_LATE(ph[0].p_flags, 0);
}

static void try_sizes(void)
{
	SPOIL_LATE(ph[0].p_memsz, 0);
	SPOIL_LATE(ph[0].p_memsz, SIZE - 1);
	SPOIL_LATE(ph[0].p_memsz, 1ull << 47);
	SPOIL_LATE(ph[0].p_memsz, 1ull << 63);
	SPOIL_LATE(ph[0].p_memsz, ~0ull);
	SPOIL_LATE(ph[0].p_filesz, ~0ull);
	SPOIL_LATE(ph[0].p_filesz, 1ull << 47);
	SPOIL_LATE(ph[0].p_filesz, 0x210);
	SPOIL_LATE(ph[0].p_offset, ~0ull);
	SPOIL_LATE(ph[0].p_offset, ~0ull << 12);
	SPOIL_LATE(ph[0].p_offset, 1ull << 62);
	SPOIL_LATE(ph[0].p_offset, 0x1000);
	SPOIL_LATE(ph[0].p_offset, 0x123);
	SPOIL_LATE(ph[0].p_align, 0);
	SPOIL_LATE(ph[0].p_align, 3);
	SPOIL_LATE(ph[0].p_align, 1ull << 63);
}

static void try_addresses(void)
{
	SPOIL_LATE(ph[0].p_vaddr, 0x7ffffffff000ull);
	SPOIL_LATE(ph[0].p_vaddr, 0x800000000000ull);
	SPOIL_LATE(ph[0].p_vaddr, 0x8000000000000000ull);
	SPOIL_LATE(ph[0].p_vaddr, 0xffff800000000000ull);
	SPOIL_LATE(ph[0].p_vaddr, 0xfffffffffffff000ull);
	SPOIL_LATE(ph[0].p_vaddr, BASE + 0x10);
	SPOIL_LATE(ph[0].p_vaddr, BASE + 0x1000);
}

static void add_segment(unsigned i, Elf64_Phdr ph)
{
	img.ph[i] = ph;
	img.eh.e_phnum = (Elf64_Half)(i + 1);
}

static void try_two_segments(void)
{
	const Elf64_Phdr text = img.ph[0];
	Elf64_Phdr second = text;

	add_segment(1, second);
	try_image("the same segment twice", SURVIVES);
	second.p_vaddr = BASE - 0x1000;
	add_segment(1, second);
	try_image("segments in falling order", SURVIVES);
	second.p_vaddr = BASE + 0x1000;
	second.p_memsz = 0x300000;
	second.p_filesz = 0x10;
	second.p_flags = PF_R | PF_W;
	add_segment(1, second);
	try_image("text and bss", EXACT);
	second.p_filesz = 0;
	add_segment(1, second);
	try_image("bss only", EXACT);
	second.p_vaddr = BASE + 0x800;
	second.p_offset = 0x800;
	second.p_filesz = 0x100;
	second.p_memsz = 0x100;
	second.p_flags = PF_R | PF_X;
	add_segment(1, second);
	try_image("segments on one page", SURVIVES);
}

static void try_interpreter(const char *name, const char *interpreter, size_t size)
{
	memcpy((unsigned char *)&img + 0x800, interpreter, strlen(interpreter) + 1);
	add_segment(1, (Elf64_Phdr){.p_type = PT_INTERP, .p_offset = 0x800, .p_filesz = size, .p_memsz = size});
	try_image(name, EXACT);
}

static void try_interpreters(void)
{
	try_interpreter("interpreter missing", "/no/such/ld.so", 15);
	try_interpreter("interpreter without NUL", "/no/such/ld.so", 5);
	try_interpreter("interpreter empty", "", 1);
	try_interpreter("interpreter of size 0", "/no/such/ld.so", 0);
	try_interpreter("interpreter of size 1", "x", 1);
	try_interpreter("interpreter of size 5000", "/no/such/ld.so", 5000);
	try_interpreter("interpreter of size ~0", "/no/such/ld.so", ~0ul);
	try_interpreter("interpreter is a directory", "/tmp", 5);
	try_interpreter("interpreter is a device", "/dev/null", 10);
	try_interpreter("interpreter is itself", path, sizeof(path));
	add_segment(1, (Elf64_Phdr){.p_type = PT_INTERP, .p_offset = 1 << 20, .p_filesz = 15, .p_memsz = 15});
	try_image("interpreter past the end", EXACT);
	add_segment(1, (Elf64_Phdr){.p_type = PT_GNU_STACK, .p_flags = PF_R | PF_W | PF_X});
	try_image("executable stack", EXACT);
	add_segment(1, (Elf64_Phdr){.p_type = PT_TLS, .p_offset = ~0ull, .p_filesz = ~0ull, .p_memsz = ~0ull});
	try_image("wild TLS", EXACT);
}

static uint32_t next_random(uint32_t *state) { return *state = *state * 1664525u + 1013904223u; }

/* Random damage to the headers. What comes out is not compared: it is enough that each child ends. */
static void try_mutants(void)
{
	uint32_t state = 20261124;
	unsigned ended = 0;

	for (unsigned i = 0; i < MUTANTS; i++) {
		for (unsigned n = 1 + i % 4; n; n--) {
			unsigned at = (next_random(&state) >> 8) % (sizeof(img.eh) + sizeof(img.ph[0]));

			((unsigned char *)&img)[at] ^= (unsigned char)(1u << ((next_random(&state) >> 20) & 7));
		}
		write_image(SIZE);
		ended += in_child(exec_it, NULL) != -1;
		make_valid();
	}
	dprintf(1, "mutants: %u of %u ended\n", ended, MUTANTS);
}

int main(void)
{
	close((int)need("mkstemp", mkstemp(path)));
	make_valid();
	try_image("valid", EXACT);
	try_truncated();
	make_valid();
	try_header();
	try_table();
	try_entry();
	try_sizes();
	try_addresses();
	try_two_segments();
	try_interpreters();
	try_mutants();
	unlink(path);
	return 0;
}
