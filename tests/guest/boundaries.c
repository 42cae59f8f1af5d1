/*
 * tests/guest/boundaries.c - every call that changes memory, cut at and around the boundaries of the page tables.
 *
 * An area of 10 stretches of 2 MiB lies around an address that is a multiple of 4 KiB, 2 MiB, 1 GiB or 512 GiB and of no more. Each
 * stretch has enough pages for fork=tree to share its table, and each half enough stretches to share the table above. The area
 * is filled, the process forks, and one side, the actor, makes a call on a range that begins or ends on the boundary or a page
 * beside it. Then both sides check what they hold: contents and rights of the actor by the call, those of the bystander as they
 * were; the bystander writes, the actor checks, writes, and the bystander checks again. The child acts, then the parent.
 */
#define _GNU_SOURCE
#include "user/check.h"

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#define PAGE    4096ul
#define STRETCH 512 /* pages */
#define PAGES   (10 * STRETCH)
#define MIDDLE  (PAGES / 2)
#define RW      (PROT_READ | PROT_WRITE)

#define BASE   0x100000000000ul /* the areas lie above this */
#define SOURCE 0x200000000000ul /* what is moved into the area comes from here */
#define TARGET 0x300000000000ul /* what is moved out goes here */
#define MOVED  6                /* pages that are moved in */

enum kind { PRIVATE, SHARED, SHARED_FILE, PRIVATE_FILE, HEAP };
enum rights { GONE, NONE, READ, WRITE };

/* What this process must find in a page. */
struct page {
	uint32_t tag; /* 0: zeroes */
	uint8_t rights;
	bool or_zero; /* MADV_FREE: the contents may be gone */
};

/* The area, as the process at hand must see it: a fork copies this too. */
static struct {
	enum kind kind;
	char *start;
	unsigned reach; /* pages to either side of the middle, where something is */
	bool filled;
	unsigned used[PAGES], nused; /* the pages that hold something */
	struct page page[PAGES];
	char *moved_to; /* pages [moved_from, moved_end) lie there */
	unsigned moved_from, moved_end;
} area;

struct range {
	unsigned from, to; /* pages of the area */
};

static int private_file, shared_file, data_file; /* data_file: pages for read() */
static int probe_pipe[2];
static char *heap_start;

/* ---- Pages ---- */

static uint32_t tag_of(unsigned i, unsigned salt) { return ((i * 2654435761u) ^ (salt * 40503u)) | 1; }

static uint32_t file_tag(unsigned i) { return tag_of(i, 77); }

static bool is_shared(void) { return area.kind == SHARED || area.kind == SHARED_FILE; }

static char *home_of(unsigned i) { return area.start + i * PAGE; }

static char *address_of(unsigned i)
{
	if (i >= area.moved_from && i < area.moved_end)
		return area.moved_to + (i - area.moved_from) * PAGE;
	return home_of(i);
}

/* The pages in use: more than 64 in each stretch, those at both ends of it among them. */
static bool in_use(unsigned i)
{
	unsigned at = ((uintptr_t)home_of(i) / PAGE) % STRETCH;

	return i >= MIDDLE - area.reach && i < MIDDLE + area.reach && (at < 66 || at >= STRETCH - 4);
}

static void write_page(unsigned i, uint32_t tag)
{
	volatile uint32_t *p = (uint32_t *)address_of(i);

	p[0] = tag;
	p[PAGE / 4 - 1] = tag ? ~tag : 0;
	area.page[i].tag = tag;
	area.page[i].or_zero = false;
}

static bool page_holds(unsigned i)
{
	const volatile uint32_t *p = (uint32_t *)address_of(i);
	uint32_t tag = area.page[i].tag, first = p[0], last = p[PAGE / 4 - 1];

	return (first == tag && last == (tag ? ~tag : 0)) || (area.page[i].or_zero && !first && !last);
}

/* ---- Rights, by trying ---- */

static sigjmp_buf after_fault;
static volatile int fault_code;
static volatile bool fault_expected;

static void on_fault(int signo, siginfo_t *info, void *context)
{
	(void)signo, (void)context;
	if (!fault_expected) {
		fail("access", "page %ld of the area: a fault", ((char *)info->si_addr - area.start) / (long)PAGE);
		_exit(1);
	}
	fault_expected = false;
	fault_code = info->si_code;
	siglongjmp(after_fault, 1);
}

/* 0, or the si_code of the SIGSEGV. Leaves the contents as they are. */
static int try_access(volatile uint32_t *p, bool write)
{
	if (sigsetjmp(after_fault, 1))
		return fault_code;
	fault_expected = true;
	if (write)
		*p = *p;
	else
		(void)*p;
	fault_expected = false;
	return 0;
}

/* The kernel reads four bytes there and writes them back, where it may. */
static bool try_kernel(char *p, enum rights rights)
{
	char back[4];

	if (rights < READ)
		return write(probe_pipe[1], p, 4) == -1 && errno == EFAULT;
	if (write(probe_pipe[1], p, 4) != 4)
		return false;
	if (rights == WRITE)
		return read(probe_pipe[0], p, 4) == 4;
	return read(probe_pipe[0], p, 4) == -1 && errno == EFAULT && read(probe_pipe[0], back, 4) == 4;
}

static bool check_rights(const char *name, char *p, enum rights rights)
{
	int denied = rights == GONE ? SEGV_MAPERR : SEGV_ACCERR;

	return (try_access((uint32_t *)p, false) == (rights >= READ ? 0 : denied) &&
		try_access((uint32_t *)p, true) == (rights == WRITE ? 0 : denied) && try_kernel(p, rights)) ||
	       fail(name, "page %ld of the area: rights %d expected", (p - area.start) / (long)PAGE, rights);
}

/* ---- What a side holds ---- */

/* Calls fn for the pages at the ends of the range: two on either side of each. */
static bool near_ends(struct range r, bool (*fn)(const char *, unsigned), const char *name)
{
	unsigned ends[] = {r.from, r.to};
	bool fine = true;

	for (unsigned e = 0; e < 2 && fine; e++)
		for (unsigned i = ends[e] < 2 ? 0 : ends[e] - 2; i < ends[e] + 2 && i < PAGES && fine; i++)
			fine = fn(name, i);
	return fine;
}

static bool page_rights(const char *name, unsigned i)
{
	bool moved = address_of(i) != home_of(i);

	return check_rights(name, address_of(i), area.page[i].rights) &&
	       (!moved || check_rights(name, home_of(i), GONE));
}

static bool check_side(const char *name, struct range r, const char *side)
{
	for (unsigned n = 0; n < area.nused; n++) {
		unsigned i = area.used[n];

		if (area.page[i].rights >= READ && !page_holds(i))
			return fail(name, "%s: page %u (range %u-%u) expected %x, got %x", side, i, r.from, r.to,
				    area.page[i].tag, *(volatile uint32_t *)address_of(i));
	}
	return near_ends(r, page_rights, name);
}

static unsigned salt;

static bool write_near(const char *name, unsigned i)
{
	(void)name;
	if (area.page[i].rights == WRITE)
		write_page(i, tag_of(i, salt));
	return true;
}

/* The other side has written to shared pages. */
static bool note_near(const char *name, unsigned i)
{
	(void)name;
	area.page[i].tag = tag_of(i, salt);
	return true;
}

/* ---- The calls ---- */

static size_t size_of(struct range r) { return (r.to - r.from) * PAGE; }

static void set_pages(struct range r, enum rights rights)
{
	for (unsigned i = r.from; i < r.to; i++)
		area.page[i].rights = (uint8_t)rights;
}

static void set_zero(struct range r)
{
	for (unsigned i = r.from; i < r.to; i++)
		area.page[i].tag = 0;
}

static bool act_munmap(struct range r)
{
	set_pages(r, GONE);
	return munmap(home_of(r.from), size_of(r)) == 0;
}

static bool act_read_only(struct range r)
{
	set_pages(r, READ);
	return mprotect(home_of(r.from), size_of(r), PROT_READ) == 0;
}

static bool act_no_access(struct range r)
{
	set_pages(r, NONE);
	return mprotect(home_of(r.from), size_of(r), PROT_NONE) == 0;
}

static bool act_protect_and_back(struct range r)
{
	return mprotect(home_of(r.from), size_of(r), PROT_NONE) == 0 &&
	       mprotect(home_of(r.from), size_of(r), PROT_READ) == 0 && mprotect(home_of(r.from), size_of(r), RW) == 0;
}

static bool act_shrink(struct range r)
{
	set_pages(r, GONE);
	return mremap(area.start, PAGES * PAGE, r.from * PAGE, 0) == area.start;
}

static bool act_shrink_and_grow(struct range r)
{
	if (!act_shrink(r))
		return false;
	set_pages(r, WRITE);
	set_zero(r);
	return mremap(area.start, r.from * PAGE, PAGES * PAGE, 0) == area.start;
}

static bool move_to(struct range r, char *to)
{
	area.moved_from = r.from;
	area.moved_end = r.to;
	area.moved_to = to;
	return mremap(home_of(r.from), size_of(r), size_of(r), MREMAP_MAYMOVE | MREMAP_FIXED, to) == to;
}

/* To a place at the same distance from all boundaries; and to one three pages off. */
static bool act_move(struct range r) { return move_to(r, home_of(r.from) - BASE + TARGET); }

static bool act_move_askew(struct range r) { return move_to(r, home_of(r.from) - BASE + TARGET + 3 * PAGE); }

static bool act_move_and_grow(struct range r)
{
	char *to = mremap(home_of(r.from), size_of(r), size_of(r) + 4 * PAGE, MREMAP_MAYMOVE);

	if (to == MAP_FAILED)
		return false;
	area.moved_from = r.from;
	area.moved_end = r.to;
	area.moved_to = to;
	return to[size_of(r)] == 0; /* nothing is mapped behind the area: there it grows in place */
}

static bool act_move_in(struct range r)
{
	uint32_t *p = mmap((void *)SOURCE, MOVED * PAGE, RW, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	struct range in = {r.from, r.from + MOVED < r.to ? r.from + MOVED : r.to};

	if (p == MAP_FAILED)
		return false;
	for (unsigned i = in.from; i < in.to; i++) {
		uint32_t tag = tag_of(i, 55), *page = p + (i - in.from) * PAGE / 4;

		page[0] = tag;
		page[PAGE / 4 - 1] = ~tag;
		area.page[i].tag = tag;
	}
	return mremap(p, size_of(in), size_of(in), MREMAP_MAYMOVE | MREMAP_FIXED, home_of(in.from)) == home_of(in.from);
}

static bool act_map_over(struct range r)
{
	set_zero(r);
	return mmap(home_of(r.from), size_of(r), RW, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == home_of(r.from);
}

static bool act_dontneed(struct range r)
{
	for (unsigned i = r.from; i < r.to && !is_shared(); i++)
		area.page[i].tag = area.kind == PRIVATE_FILE && in_use(i) ? file_tag(i) : 0;
	return madvise(home_of(r.from), size_of(r), MADV_DONTNEED) == 0;
}

static bool act_free(struct range r)
{
	for (unsigned i = r.from; i < r.to; i++)
		area.page[i].or_zero = true;
	return madvise(home_of(r.from), size_of(r), MADV_FREE) == 0;
}

/* A child that must see the range as `rights` say, with zeroes if `zero`, and writes over what it has. */
static bool fork_and_check(struct range r, enum rights rights, bool zero)
{
	pid_t pid = fork();

	if (pid)
		return pid > 0 && wait_for(pid) == EXITED(0);
	set_pages(r, rights);
	if (zero)
		set_zero(r);
	if (!check_side("grandchild", r, "at the start"))
		_exit(1);
	salt = 31;
	near_ends(r, write_near, "");
	_exit(is_shared() || check_side("grandchild", r, "at the end") ? 0 : 1);
}

static bool advise(struct range r, int advice) { return madvise(home_of(r.from), size_of(r), advice) == 0; }

/* Of shared pages the grandchild would change what the actor sees: there it may have none of them near the ends. */
static bool act_dontfork(struct range r)
{
	return advise(r, MADV_DONTFORK) && fork_and_check(r, GONE, false) && advise(r, MADV_DOFORK) &&
	       fork_and_check(r, WRITE, false);
}

static bool act_wipeonfork(struct range r)
{
	return advise(r, MADV_WIPEONFORK) && fork_and_check(r, WRITE, true) && advise(r, MADV_KEEPONFORK) &&
	       fork_and_check(r, WRITE, false);
}

/* Both at once: what is not inherited need not be wiped. */
static bool act_dontfork_wiped(struct range r)
{
	return advise(r, MADV_WIPEONFORK) && advise(r, MADV_DONTFORK) && fork_and_check(r, GONE, false) &&
	       advise(r, MADV_DOFORK) && fork_and_check(r, WRITE, true);
}

/* The kernel writes whole pages around the start of the range. */
static bool act_read(struct range r)
{
	unsigned first = r.from ? r.from - 1 : 0;

	for (unsigned i = first; i < first + 3; i++)
		area.page[i].tag = tag_of(i - first, 99);
	return pread(data_file, home_of(first), 3 * PAGE, 0) == 3 * (long)PAGE;
}

/* The kernel writes small things across the start of the range: into the last bytes of one page and the first of the next. */
static bool act_small_copies(struct range r)
{
	unsigned i = r.from ? r.from : 1;
	char *cut = home_of(i), here[256];
	int *pair = (int *)(cut - 4), *status = (int *)(cut - 4);
	struct stat *st = (struct stat *)(cut - 16), same;
	struct rusage *usage = (struct rusage *)cut;
	bool fine = getcwd(cut - 1, sizeof(here)) && getcwd(here, sizeof(here)) && !strcmp(cut - 1, here);
	pid_t pid;

	fine = fine && !fstat(data_file, st) && !fstat(data_file, &same) && !memcmp(st, &same, sizeof(same));
	fine = fine && !pipe(pair) && write(pair[1], "xy", 2) == 2 && read(pair[0], cut - 1, 2) == 2 &&
	       cut[-1] == 'x' && cut[0] == 'y';
	fine = fine && !pipe(pair) && !close(pair[0]) && !close(pair[1]);
	pid = fork();
	if (pid == 0)
		_exit(43);
	fine = fine && wait4(pid, status, 0, usage) == pid && *status == EXITED(43) && usage->ru_maxrss > 0;
	write_page(i - 1, tag_of(i, 12));
	write_page(i, tag_of(i, 13));
	memset(cut + 4, 0, PAGE - 8);
	return fine;
}

static bool act_brk_shrink(struct range r)
{
	set_pages(r, GONE);
	return (char *)syscall(SYS_brk, home_of(r.from)) == home_of(r.from);
}

static bool act_brk_shrink_and_grow(struct range r)
{
	if (!act_brk_shrink(r))
		return false;
	set_pages(r, WRITE);
	set_zero(r);
	return (char *)syscall(SYS_brk, home_of(PAGES)) == home_of(PAGES);
}

#define ANY       (1 << PRIVATE | 1 << SHARED | 1 << SHARED_FILE | 1 << PRIVATE_FILE)
#define ANONYMOUS (1 << PRIVATE)
#define UNSHARED  (1 << PRIVATE | 1 << PRIVATE_FILE)
#define BREAK     (1 << HEAP)

static const struct call {
	const char *name;
	bool (*act)(struct range r);
	unsigned kinds;
	bool to_end; /* only for ranges that end where the area does */
} calls[] = {
    {"munmap", act_munmap, ANY, false},
    {"mprotect-read", act_read_only, ANY, false},
    {"mprotect-none", act_no_access, ANY, false},
    {"mprotect-back", act_protect_and_back, ANY, false},
    {"mremap-shrink", act_shrink, ANY, true},
    {"mremap-grow", act_shrink_and_grow, ANONYMOUS, true},
    {"mremap-move", act_move, ANY, false},
    {"mremap-askew", act_move_askew, ANY, false},
    {"mremap-move-grow", act_move_and_grow, ANONYMOUS, false},
    {"mremap-onto", act_move_in, UNSHARED, false},
    {"mmap-over", act_map_over, UNSHARED, false},
    {"dontneed", act_dontneed, ANY, false},
    {"free", act_free, ANONYMOUS, false},
    {"dontfork", act_dontfork, UNSHARED, false},
    {"wipeonfork", act_wipeonfork, ANONYMOUS, false},
    {"dontfork-wiped", act_dontfork_wiped, ANONYMOUS, false},
    {"read", act_read, UNSHARED, false},
    {"small-copies", act_small_copies, UNSHARED, false},
    {"brk-shrink", act_brk_shrink, BREAK, true},
    {"brk-grow", act_brk_shrink_and_grow, BREAK, true},
};

/* ---- The area ---- */

static void map_area(void)
{
	static const int flags[] = {[PRIVATE] = MAP_PRIVATE | MAP_ANONYMOUS,
				    [SHARED] = MAP_SHARED | MAP_ANONYMOUS,
				    [SHARED_FILE] = MAP_SHARED,
				    [PRIVATE_FILE] = MAP_PRIVATE};
	int fd = area.kind == SHARED_FILE ? shared_file : area.kind == PRIVATE_FILE ? private_file : -1;

	need("mmap",
	     mmap(area.start, PAGES * PAGE, RW, flags[area.kind] | MAP_FIXED_NOREPLACE, fd, 0) == area.start ? 0 : -1);
}

/* In steps that an overcommit heuristic has nothing against, however small the machine. */
static void grow_break(char *to)
{
	char *at = (char *)syscall(SYS_brk, 0);

	while (at < to) {
		at = to - at > 64l << 20 ? at + (64l << 20) : to;
		need("brk", (char *)syscall(SYS_brk, at) == at ? 0 : -1);
	}
}

/* Half of the pages of a private file mapping stay the file's. */
static void fill_area(void)
{
	area.moved_from = area.moved_end = area.nused = 0;
	area.filled = true;
	if (area.kind == HEAP) {
		grow_break(home_of(PAGES));
		munmap(heap_start, (size_t)(area.start - heap_start)); /* Linux refuses to fork half a terabyte of it */
	} else
		map_area();
	for (unsigned i = 0; i < PAGES; i++) {
		area.page[i] = (struct page){.rights = WRITE};
		if (!in_use(i))
			continue;
		area.used[area.nused++] = i;
		if (area.kind == PRIVATE_FILE && i % 2)
			area.page[i].tag = file_tag(i);
		else
			write_page(i, tag_of(i, 1));
	}
}

static void empty_area(void)
{
	area.filled = false;
	if (area.kind == HEAP)
		need("brk", (char *)syscall(SYS_brk, area.start) == area.start ? 0 : -1);
	else
		munmap(area.start, PAGES * PAGE);
	if (area.moved_end)
		munmap(area.moved_to, (area.moved_end - area.moved_from + 4) * PAGE);
}

/* ---- Two sides ---- */

struct link {
	int in, out;
};

static bool pass_on(struct link l) { return write(l.out, "x", 1) == 1; }

static bool turn(struct link l)
{
	char byte;

	return read(l.in, &byte, 1) == 1;
}

static bool be_actor(const char *name, const struct call *call, struct range r, struct link l)
{
	bool fine = call->act(r) || fail(name, "range %u-%u: %s", r.from, r.to, strerror(errno));

	fine = fine && check_side(name, r, "actor, after the call");
	if (!fine || !pass_on(l) || !turn(l))
		return false;
	salt = 2;
	if (is_shared())
		near_ends(r, note_near, "");
	fine = check_side(name, r, "actor, after the bystander wrote");
	salt = 3;
	if (!is_shared())
		near_ends(r, write_near, "");
	return pass_on(l) && fine;
}

static bool be_bystander(const char *name, struct range r, struct link l)
{
	bool fine = turn(l) && check_side(name, r, "bystander, after the call");

	if (!fine)
		return false;
	salt = 2;
	near_ends(r, write_near, "");
	return pass_on(l) && turn(l) && check_side(name, r, "bystander, after the actor wrote");
}

static bool run_case(const char *name, const struct call *call, struct range r, bool child_acts)
{
	int down[2], up[2];
	bool fine;
	pid_t pid;

	if (!area.filled)
		fill_area();
	need("pipe", pipe(down));
	need("pipe", pipe(up));
	pid = (pid_t)need("fork", fork());
	struct link l = pid ? (struct link){up[0], down[1]} : (struct link){down[0], up[1]};
	close(pid ? up[1] : down[1]); /* so that who waits for a dead one sees the end */
	close(pid ? down[0] : up[0]);
	fine = child_acts == (pid == 0) ? be_actor(name, call, r, l) : be_bystander(name, r, l);
	if (pid == 0)
		_exit(fine ? 0 : 1);
	close(l.in);
	close(l.out);
	fine &= expect(name, EXITED(0), wait_for(pid));
	if (!fine || !child_acts)
		empty_area();
	return fine;
}

/*
 * Cuts on the boundary and a page to either side; from a cut to the end of the area or from its start to the cut, so that whole
 * subtrees go, or three pages above or below it: in turn, so that each call meets each kind at some level. When the parent acts the area has to be
 * filled anew, so that it makes each call once a level.
 */
static struct range choose_range(unsigned cut, bool to_end)
{
	static unsigned turns;
	struct range ranges[] = {{cut, PAGES}, {cut - 3, cut}, {0, cut}, {cut, cut + 3}};

	return ranges[to_end ? 0 : turns++ % ARRAY_LEN(ranges)];
}

static void run_call(const char *level, const struct call *call, bool child_acts)
{
	static const char *const kinds[] = {"private", "shared", "shared-file", "private-file", "heap"};
	static unsigned turns;
	bool thorough = child_acts && (area.kind == PRIVATE || area.kind == HEAP);
	int off = thorough ? -1 : (int)(turns++ % 3) - 1, last = thorough ? 1 : off;
	bool fine = true;
	char name[80];

	snprintf(name, sizeof(name), "%s-%s-%s-in-%s", level, kinds[area.kind], call->name,
		 child_acts ? "child" : "parent");
	for (; off <= last && fine; off++)
		fine = run_case(name, call, choose_range((unsigned)(MIDDLE + off), call->to_end), child_acts);
	ok_if(fine, name);
}

static int make_file(unsigned pages, uint32_t (*tag)(unsigned))
{
	char name[] = "/tmp/boundaries.XXXXXX";
	int fd = (int)need("mkstemp", mkstemp(name));
	uint32_t page[PAGE / 4] = {0};

	unlink(name);
	need("ftruncate", ftruncate(fd, (off_t)(pages * PAGE)));
	for (unsigned i = 0; tag && i < pages; i++) {
		page[0] = tag(i);
		page[PAGE / 4 - 1] = ~page[0];
		need("pwrite", pwrite(fd, page, PAGE, (off_t)(i * PAGE)));
	}
	return fd;
}

static uint32_t data_tag(unsigned i) { return tag_of(i, 99); }

/* An address that is a multiple of 2^shift and of nothing above, at least half an area and a page above `floor`. */
static char *boundary(uintptr_t floor, unsigned shift)
{
	uintptr_t at = (floor + (MIDDLE + 1) * PAGE) >> shift << shift;

	for (at += 1ul << shift; !(at >> shift & 1) || (shift < 21 && at / PAGE % STRETCH != 33);)
		at += 1ul << shift;
	return (char *)at;
}

static void run_level(const char *level, unsigned shift)
{
	for (area.kind = PRIVATE; area.kind <= HEAP; area.kind++) {
		uintptr_t floor = area.kind == HEAP ? (uintptr_t)heap_start : BASE;

		if (area.kind == HEAP && shift == 39) /* Linux refuses to fork a heap of half a terabyte */
			continue;
		area.start = boundary(floor, shift) - MIDDLE * PAGE;
		area.reach = shift < 30 ? 3 * STRETCH : MIDDLE; /* both halves share the table above their stretches */
		for (unsigned c = 0; c < 2 * ARRAY_LEN(calls); c++) {
			const struct call *call = &calls[c % ARRAY_LEN(calls)];

			if (call->kinds & 1u << area.kind)
				run_call(level, call, c < ARRAY_LEN(calls));
		}
		if (area.filled)
			empty_area();
	}
	syscall(SYS_brk, heap_start);
}

int main(void)
{
	struct sigaction catch = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO};

	sigaction(SIGSEGV, &catch, NULL);
	private_file = make_file(PAGES, file_tag);
	shared_file = make_file(PAGES, NULL);
	data_file = make_file(3, data_tag);
	need("pipe", pipe(probe_pipe));
	fcntl(probe_pipe[0], F_SETFL, O_NONBLOCK);
	heap_start = (char *)syscall(SYS_brk, 0);
	run_level("4K", 12);
	run_level("2M", 21);
	run_level("1G", 30);
	run_level("512G", 39);
	return checks_status();
}
