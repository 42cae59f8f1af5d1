"""Fuzz targets: the same sources and sanitizers as the unit tests, driven by libFuzzer (tests/fuzz/*.c)."""
import glob
import os
import random

from suite import host
from suite.core import Failure, Job, run_tool, save

OUT = "build/fuzz"
RUNS, SECONDS = 20000, 20  # of one target within `make test`, whichever comes first


def corpus(name):
    """What was found so far; for a start a few inputs of random bytes, since an empty corpus grows slowly."""
    folder = f"{OUT}/{name}/corpus"
    if not os.path.isdir(folder):
        os.makedirs(folder)
        numbers = random.Random(1)
        for i in range(32):
            with open(f"{folder}/start-{i:02}", "wb") as out:
                out.write(numbers.randbytes(40 + 10 * i))
    return folder


def command(target, seconds, runs=-1):
    """Builds a target: the words that run it."""
    name = os.path.splitext(os.path.basename(target))[0]
    program = host.build(target, OUT, "-fsanitize=fuzzer")
    return [program, f"-max_total_time={seconds}", f"-runs={runs}", "-max_len=1500", "-timeout=60",
            f"-artifact_prefix={OUT}/{name}/", "-print_final_stats=1", corpus(name)]


def run_target(name, target):
    status, out = run_tool(command(target, SECONDS, RUNS), timeout=240)
    save(name, out)
    if status:
        why, count = host.first_line(out)
        raise Failure(f"{why} (status {status}, {count} lines in build/test/{name.replace('/', '-')})")


def targets():
    return {f"fuzz/{os.path.splitext(os.path.basename(t))[0]}": t for t in sorted(glob.glob("tests/fuzz/*.c"))}


def jobs(runner):
    return [Job(name, lambda r, n=name, t=target: run_target(n, t)) for name, target in targets().items()
            if runner.wants(name)]
