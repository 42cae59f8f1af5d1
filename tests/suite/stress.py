"""Fork in numbers: tests/alone/stress.c in machines of its own, each run judged by status, free frames and the recount.

A test runs twice in the same boot, first small or whole, so that the kernel's stores of stacks and heap pages are as full as they
get; then the free frames before and after the second run must be equal, and /proc/tine/verify must say ok.
"""
import os
import re
import shutil

from suite.core import LOGS, Boot, Job

# name: (strategy of the process, what runs first, what is judged)
LARGE = {
    "tree/forks-100000": ("tree", "forks 300", "forks 100000"),
}
CROWDS = {f"{policy}/{name}": (policy, args, args) for policy in ("tree", "copy", "cow", "hybrid") for name, args in (
    ("alive-256", "crowd 256"), ("chain-1000", "chain 1000"), ("regions-1000", "regions 1000"))}
CROWDS["tree/regions-60000"] = ("tree", "regions 60000", "regions 60000")
# In 96 MiB of memory, so that there is an end to it. (A bomb that memory ends: memory/*/bomb.)
TIGHT = {"tree/memory-nearly-gone": ("tree", "full", "full")}
BOOTS = {"large": (LARGE, 512), "crowds": (CROWDS, 512), "tight": (TIGHT, 96)}

DRIVER = r"""
echo -1000 > /proc/self/oom_score_adj
frames() {
	while read -r key value; do
		case $key in
		frames_free) free=$value ;;
		frames_heap) free=$((free + value)) ;;
		esac
	done < /proc/tine/counters
}
one() {
	echo "@@@ begin $1"
	echo "$2" > /proc/self/fork_policy
	/stress $3 > /tmp/out 2>&1
	frames; last=; tries=0
	while [ "$free" != "$last" ] && [ $tries -lt 30 ]; do last=$free; sleep 0.2; frames; tries=$((tries + 1)); done
	before=$free
	/stress $4 > /tmp/out 2>&1
	status=$?
	frames; tries=0
	while [ "$free" != "$before" ] && [ $tries -lt 30 ]; do sleep 0.2; frames; tries=$((tries + 1)); done
	read -r verdict < /proc/tine/verify
	echo "@@@ result $1 $status $before $free $verdict"
	cat /tmp/out
	rm -f /tmp/out
}
"""

RESULT = re.compile(r"^@@@ result (\S+) (\d+) (\d+) (\d+) (.*)\n((?!@@@).*)?", re.M)


def judge(found):
    _, status, before, after, verdict, said = found.groups()
    if status != "0":
        return f"status {status}: {said or 'without a word'}"
    if before != after:
        return f"{before} frames free before, {after} after"
    if not verdict.startswith("ok "):
        return f"the kernel's recount: {verdict}"
    return None


def run_boot(name, tests, mem, runner):
    folder = os.path.join(LOGS, f"stress-{name}-files")
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    shutil.copy("build/alone/stress", folder)
    with open(f"{folder}/driver.sh", "w", encoding="utf-8") as out:
        out.write(DRIVER)
        for test, (policy, first, judged) in tests.items():
            out.write(f"one {test} {policy} '{first}' '{judged}'\n")
    boot = Boot(f"stress-{name}", {"OVERLAY": folder, "CMD": "sh /driver.sh", "MEM": mem}, timeout=600)
    results = {found[1]: found for found in RESULT.finditer(boot.out.decode("utf-8", "replace"))}
    for test in tests:
        runner.report(f"stress/{test}", judge(results[test]) if test in results else boot.why())
    return Job.SILENT


def jobs(runner):
    made = []
    for name, (tests, mem) in BOOTS.items():
        wanted = {test: how for test, how in tests.items() if runner.wants(f"stress/{test}")}
        if wanted:
            made.append(Job(f"stress/{name}", lambda r, n=name, t=wanted, m=mem: run_boot(n, t, m, r)))
    return made
