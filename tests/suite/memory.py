"""Memory that runs out: tests/alone/oom.c in small machines, all its scenarios in one boot for each fork strategy.

A scenario's lines say themselves what held; here the log is looked at too: one line for each victim, that says who and why.
"""
import os
import re
import shutil

from suite.core import LOGS, Boot, Failure, Job
from suite.guest import STRATEGIES

MEM = 112
SCENARIOS = ["pair", "big", "sparse", "stopped", "vforked", "waiting", "adjusted", "shared", "family", "kernel", "alone", "promise",
             "bomb"]
SLOW = ["nobody"]  # ten seconds; what it is about does not depend on the strategy
NOBODY = r"Out of memory: process \d+ \(oom\) needs a frame, and nobody is left who may be killed"
KILLED = (r"Out of memory: Killed process (\d+) \((\S+)\) total-vm:(\d+)kB, anon-rss:(\d+)kB, file-rss:\d+kB, "
          r"shmem-rss:\d+kB, exclusive:(\d+)kB, share:(\d+)kB, pgtables:\d+kB, oom_score_adj:(-?\d+); "
          r"(\d+) \((\S+)\) asked for memory")


def overlay():
    folder = os.path.join(LOGS, "memory-overlay")
    os.makedirs(f"{folder}/test", exist_ok=True)
    shutil.copy("build/alone/oom", f"{folder}/test/oom")
    return folder


def sections(out):
    """The lines below each `# NAME`."""
    found, name = {}, None
    for line in out.decode("utf-8", "replace").splitlines():
        if line.startswith("# "):
            name = line[2:]
            found[name] = []
        elif name:
            found[name].append(line)
    return found


def judge(lines):
    bad = [line for line in lines if not line.startswith("ok ")]
    if bad:
        return bad[0]
    return None if lines and lines[-1] == "ok verify" else f"it ends after `{(lines or ['nothing'])[-1]}`"


def judge_log(log):
    """The victims' lines are whole, and say of each that it held something."""
    victims = re.findall(KILLED, log)
    if len(victims) != log.count("Killed process") or not victims:
        return f"{len(victims)} of {log.count('Killed process')} lines about victims are whole"
    for pid, name, size, anon, exclusive, share, _, asker, asking in victims:
        if not (name == asking == "oom" and int(pid) > 1 and int(asker) > 1):
            return f"process {pid} ({name}) was killed for {asker} ({asking})"
        if not int(exclusive) <= int(share) or int(anon) > int(size):
            return f"of process {pid} the log says exclusive {exclusive} kB, share {share} kB, {anon} kB of {size} kB"
    return None


def run_strategy(strategy, names, runner):
    command = f"/test/oom {' '.join(names)}; status=$?; echo '# end'; exit $status"
    boot = Boot(f"memory-{strategy}", {"FORK": strategy, "MEM": MEM, "OVERLAY": overlay(), "CMD": command})
    found = sections(boot.out)
    for name in names:
        ended = "end" in found or name != list(found)[-1:]
        reason = judge(found[name]) if name in found and ended else f"not run: {boot.why()}"
        runner.report(f"memory/{strategy}/{name}", reason)
    if not set(names) <= {"promise"}:
        runner.report(f"memory/{strategy}/log", judge_log(boot.log))
    return Job.SILENT


def run_init():
    """Process 1 itself wants more than there is, and nobody may be killed: a line now and then, until memory comes back."""
    boot = Boot("memory-init", {"MEM": MEM, "OVERLAY": overlay(), "APPEND": "init=/test/oom"}, timeout=120)
    lines = len(re.findall(NOBODY, boot.log))
    if boot.status != 0 or "Killed" in boot.log:
        raise Failure(f"init did not come through: {boot.why()}")
    if not 1 <= lines <= 3:
        raise Failure(f"{lines} lines in the log within a quarter of a minute")


def jobs(runner):
    made = []
    for strategy in STRATEGIES:
        names = SCENARIOS + (SLOW if strategy == "tree" else [])
        names = [n for n in names if runner.wants(f"memory/{strategy}/{n}")]
        if names:
            made.append(Job(f"memory/{strategy}", lambda r, s=strategy, n=names: run_strategy(s, n, r)))
    if runner.wants("memory/init"):
        made.append(Job("memory/init", lambda r: run_init()))
    return made
