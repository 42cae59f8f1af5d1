"""The quick checks: what `make check` runs, one result each."""
from suite.core import Failure, Job, run_tool

CHECKS = ["format", "layers", "objects", "words", "functions"]


def run_check(name):
    status, out = run_tool(["tests/check/" + name])
    if status:
        lines = out.decode("utf-8", "replace").strip().splitlines() or ["no output"]
        raise Failure(f"{lines[0]}" + (f" (and {len(lines) - 1} more lines: tests/check/{name})" if lines[1:] else ""))


def jobs(runner):
    return [Job(f"check/{n}", lambda r, n=n: run_check(n)) for n in CHECKS if runner.wants(f"check/{n}")]
