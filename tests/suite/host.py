"""Unit tests: the kernel's own sources, built for this machine under the address and undefined-behaviour sanitizers."""
import glob
import os
import re

from suite.core import Failure, Job, run_tool, save

OUT = "build/host"
CFLAGS = ("-std=gnu11 -O1 -g -Wall -Wextra -Werror -fsanitize=address,undefined -fno-sanitize-recover=all "
          "-DTINE_CHECKED -Itests/host/shim -I.").split()
# The kernel's own memcpy and friends must not take the place of this machine's.
RENAMED = ("memcpy memmove memset memcmp memchr strlen strnlen strcmp strncmp strchr strrchr strlcpy").split()
KERNEL = ["-fno-builtin"] + [f"-D{name}=k_{name}" for name in RENAMED]


def sources_of(test):
    """What its lines `sources: a.c mm/[a-z]*.c !mm/b.c` name, and the shim where it does not bring a machine of its own."""
    with open(test, encoding="utf-8") as file:
        words = " ".join(re.findall(r"\bsources:([^\n]*)", file.read())).replace("*/", "").split()
    left_out = {word[1:] for word in words if word.startswith("!")}
    found = [path for word in words if not word.startswith("!") for path in sorted(glob.glob(word)) or [word]]
    shim = [] if any(path.startswith("tests/host/machine/") for path in found) else ["tests/host/shim/shim.c"]
    return shim + [path for path in found if path not in left_out]


KERNELS = ("kernel/", "mm/", "proc/", "efi/")


def build(test, out=OUT, instrument=None):
    """The program of a test. `instrument` is for the sources that are tested (a fuzzer is to see which code it reaches), not for the
    test's own and not for the checker."""
    name = os.path.splitext(os.path.basename(test))[0]
    folder = f"{out}/{name}"
    os.makedirs(folder, exist_ok=True)
    objects = []
    for source in [test] + sources_of(test):
        target = f"{folder}/{source.replace('/', '-')}.o"
        extra = KERNEL if source.startswith(KERNELS) else []
        seen = [instrument] if instrument and extra and source != "mm/verify.c" else []
        compile_or_fail(["clang"] + CFLAGS + extra + seen + ["-c", source, "-o", target])
        objects.append(target)
    link = [instrument] if instrument else []
    compile_or_fail(["clang", "-fsanitize=address,undefined"] + link + ["-o", f"{folder}/test"] + objects)
    return f"{folder}/test"


def compile_or_fail(argv):
    status, out = run_tool(argv)
    if status:
        errors = [line for line in out.decode("utf-8", "replace").splitlines() if "error" in line]
        raise Failure(errors[0] if errors else f"{' '.join(argv)} failed")


def first_line(out):
    """The line that says why, and how to come there again."""
    lines = out.decode("utf-8", "replace").strip().splitlines() or ["no output"]
    why = next((line for line in lines if re.search(r"expected|ERROR:|runtime error|panic", line)), lines[0])
    again = next((line for line in lines if re.search(r"^replay: |Test unit written to", line)), None)
    return why + (f"; {again}" if again else ""), len(lines)


def run_test(runner, name, test):
    env = dict(os.environ, ASAN_OPTIONS="detect_leaks=1", UBSAN_OPTIONS="print_stacktrace=0")
    status, out = run_tool([build(test)], timeout=180, env=env)
    save(name, out)
    if status:
        why, count = first_line(out)
        raise Failure(f"{why} (status {status}, {count} lines in build/test/{name.replace('/', '-')})")
    for line in out.decode("utf-8", "replace").splitlines():
        if line.startswith("note: "):
            runner.note(line[len("note: "):])


LONG = ["host/model"]  # first, so that the others run beside it


def jobs(runner):
    tests = sorted(glob.glob("tests/host/*.c"))
    names = {f"host/{os.path.splitext(os.path.basename(t))[0]}": t for t in tests}
    wanted = sorted(filter(runner.wants, names), key=lambda name: (name not in LONG, name))
    return [Job(name, lambda r, n=name: run_test(r, n, names[n])) for name in wanted]
