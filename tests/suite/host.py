"""Unit tests: the kernel's own sources, built for this machine under the address and undefined-behaviour sanitizers."""
import glob
import os
import re

from suite.core import Failure, Job, run_tool

OUT = "build/host"
CFLAGS = ("-std=gnu11 -O1 -g -Wall -Wextra -Werror -fsanitize=address,undefined -fno-sanitize-recover=all "
          "-DTINE_CHECKED -Itests/host/shim -I.").split()
# The kernel's own memcpy and friends must not take the place of this machine's.
RENAMED = ("memcpy memmove memset memcmp memchr strlen strnlen strcmp strncmp strchr strrchr strlcpy").split()
KERNEL = ["-fno-builtin"] + [f"-D{name}=k_{name}" for name in RENAMED]


def sources_of(test):
    with open(test, encoding="utf-8") as file:
        found = re.search(r"sources:([^\n]*)", file.read())
    if not found:
        raise Failure(f"{test} names no sources")
    return found[1].replace("*/", "").split()


def build(test):
    name = os.path.splitext(os.path.basename(test))[0]
    objects = []
    for source in [test, "tests/host/shim/shim.c"] + sources_of(test):
        folder = f"{OUT}/{name}"
        os.makedirs(folder, exist_ok=True)
        target = f"{folder}/{source.replace('/', '-')}.o"
        extra = KERNEL if source.startswith(("kernel/", "mm/", "proc/", "efi/")) else []
        compile_or_fail(["clang"] + CFLAGS + extra + ["-c", source, "-o", target])
        objects.append(target)
    compile_or_fail(["clang", "-fsanitize=address,undefined", "-o", f"{OUT}/{name}/test"] + objects)
    return f"{OUT}/{name}/test"


def compile_or_fail(argv):
    status, out = run_tool(argv)
    if status:
        errors = [line for line in out.decode("utf-8", "replace").splitlines() if "error" in line]
        raise Failure(errors[0] if errors else f"{' '.join(argv)} failed")


def run_test(test):
    env = dict(os.environ, ASAN_OPTIONS="detect_leaks=1", UBSAN_OPTIONS="print_stacktrace=0")
    status, out = run_tool([build(test)], timeout=120, env=env)
    if status:
        lines = out.decode("utf-8", "replace").strip().splitlines() or ["no output"]
        first = next((line for line in lines if re.search(r"expected|ERROR:|runtime error|panic", line)), lines[0])
        raise Failure(f"{first} (status {status}, {len(lines)} lines)")


def jobs(runner):
    tests = sorted(glob.glob("tests/host/*.c"))
    names = {f"host/{os.path.splitext(os.path.basename(t))[0]}": t for t in tests}
    return [Job(name, lambda r, t=test: run_test(t)) for name, test in names.items() if runner.wants(name)]
