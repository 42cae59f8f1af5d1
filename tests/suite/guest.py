"""Programs and scripts under each fork strategy, one boot for all of them, compared with the same on Linux.

The guest's driver prints for each test `@@@ begin NAME`, then `@@@ output NAME STATUS SIZE` and SIZE bytes, then
`@@@ frames NAME FREE1 FREE2 FREE3`: free page frames after each run. A hang or a panic so names the test that caused
it, and the machine is booted again for the rest.
"""
import contextlib
import glob
import os
import re
import shutil
import signal
import subprocess
import tempfile

from suite.core import LOGS, Boot, Job, save

STRATEGIES = ["copy", "cow", "hybrid", "tree"]
MAX_BOOTS = 6

# The test $2 of kind $1 (a program in folder $3, or a script for the shell $3) runs in an empty directory, twice, and a third
# time where the free frames (or the kernel's live heap blocks) after the second run are not those after the first. Reading
# the counters forks nothing. Then the kernel recounts all references to frames (mm/verify.h).
DRIVER = r"""
frames() {
	sleep 0.1
	free=absent
	while read -r key value; do
		case $key in
		frames_free) free=$value ;;
		frames_heap) free=$((free + value)) ;;
		heap_live) free=$free/$value ;;
		esac
	done < /proc/tine/counters
}
once() {
	mkdir /tmp/t && cd /tmp/t
	case $1 in
	program) set -- "$3/$2" ;;
	*) cp "/test/scripts/$2.$1" .; set -- "$3" "$2.$1" ;;
	esac
	"$@" > /tmp/out 2>&1 < /dev/null
	status=$?
	cd / && rm -rf /tmp/t
}
one() {
	echo "@@@ begin $2"
	once "$@"
	echo "@@@ output $2 $status $(wc -c < /tmp/out)"
	cat /tmp/out
	rm -f /tmp/out
	frames; f1=$free
	once "$@"; rm -f /tmp/out; frames; f2=$free; f3=$free
	if [ "$f1" != "$f2" ]; then once "$@"; rm -f /tmp/out; frames; f3=$free; fi
	read -r verdict < /proc/tine/verify
	echo "@@@ frames $2 $f1 $f2 $f3 $verdict"
}
"""


def programs():
    found = [("/bin", os.path.splitext(os.path.basename(f))[0]) for f in sorted(glob.glob("user/fork*.c"))
             if not f.endswith("forktest.c")]  # which runs the others: see behaviour.py
    found += [("/test/bin", os.path.splitext(os.path.basename(f))[0]) for f in sorted(glob.glob("tests/guest/*.c"))]
    tests = [("program", name, folder) for folder, name in found]
    for kind, shell in (("sh", "/bin/sh"), ("bash", "/test/bin/bash-static")):
        scripts = sorted(glob.glob(f"tests/scripts/*.{kind}"))
        tests += [(kind, os.path.splitext(os.path.basename(f))[0], shell) for f in scripts]
    return tests


def host_binary(name, folder):
    return os.path.abspath(f"build/user/{name}" if folder == "/bin" else f"build/guest/{name}")


def busybox_path():
    """A directory with the host's busybox under all its names, as in the initial RAM file system."""
    folder = os.path.abspath(os.path.join(LOGS, "busybox"))
    os.makedirs(folder, exist_ok=True)
    for applet in subprocess.run(["busybox", "--list"], stdout=subprocess.PIPE, check=True).stdout.decode().split():
        with contextlib.suppress(FileExistsError):  # strategies run side by side
            os.symlink(shutil.which("busybox"), f"{folder}/{applet}")
    return folder


def on_linux(kind, name, folder):
    """(status, output) of the test here; a recorded expectation beside the source wins over a run."""
    recorded = f"tests/guest/{name}.expected"
    if kind == "program" and os.path.exists(recorded):
        with open(recorded, "rb") as file:
            return 0, file.read()
    path = busybox_path()
    env = {"PATH": path, "HOME": "/root", "USER": "root", "LOGNAME": "root", "SHELL": "/bin/sh", "TERM": "dumb"}
    with tempfile.TemporaryDirectory() as cwd:
        if kind == "program":
            argv = [host_binary(name, folder)]
        else:
            shutil.copy(f"tests/scripts/{name}.{kind}", cwd)
            argv = [f"{path}/sh" if kind == "sh" else shutil.which("bash-static"), f"{name}.{kind}"]
        done = subprocess.run(argv, cwd=cwd, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, timeout=120, check=False,
                              preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL))  # whoever started us
    # Where this machine itself is odd (a container), the check's own expectation counts.
    fails = re.compile(rb"^FAIL ([^:\n]*):.*$", re.M)
    status = 0 if kind == "program" and fails.search(done.stdout) else done.returncode
    return status, fails.sub(rb"ok \1", done.stdout)


def make_overlay(tests, folder):
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(f"{folder}/test/bin")
    shutil.copytree("tests/scripts", f"{folder}/test/scripts")
    for kind, name, where in tests:
        if kind == "program" and where == "/test/bin":
            shutil.copy(host_binary(name, where), f"{folder}/test/bin/{name}")
    if any(kind == "bash" for kind, _, _ in tests):
        shutil.copy(shutil.which("bash-static"), f"{folder}/test/bin")
    with open(f"{folder}/test/driver.sh", "w", encoding="utf-8") as out:
        out.write(DRIVER)
        for test in tests:
            out.write("one %s %s %s\n" % test)
        out.write("echo '@@@ end'\n")


def parse(out):
    """What the driver said: (status, output, frames) by name, and the test that was under way when the output ended."""
    outputs, results, begun, at = {}, {}, None, 0
    header = re.compile(rb"@@@ (begin|output|frames|end) ?(\S*) ?(.*)\n")
    while found := header.search(out, at):
        at = found.end()
        word, name, fields = found[1], found[2].decode(), found[3].decode().split()
        if word == b"begin":
            begun = name
        elif word == b"output":
            size = int(fields[1])
            outputs[name] = int(fields[0]), out[at:at + size]
            at += size
        elif word == b"frames":
            results[name] = *outputs[name], fields
            begun = None
    return results, begun


def first_difference(want, got):
    a, b = want.decode("utf-8", "replace").splitlines(), got.decode("utf-8", "replace").splitlines()
    for n in range(max(len(a), len(b))):
        x, y = (s[n] if n < len(s) else "(nothing)" for s in (a, b))
        if x != y:
            return f"line {n + 1}: Linux says `{x[:150]}`, Tine says `{y[:150]}`"
    return "they differ in the end of the last line"


def judge(name, result, expected):
    status, output, frames = result
    want_status, want = expected
    if output != want:
        save(f"guest-{name}.tine", output)
        save(f"guest-{name}.linux", want)
        return first_difference(want, output)
    if status != want_status:
        return f"the output is right, but the status is {status} instead of {want_status}"
    if "absent" in frames:
        return "/proc/tine/counters has no line frames_free"
    if frames[3:4] != ["ok"]:
        return f"the kernel's recount: {' '.join(frames[3:])}"
    if leaks(frames[:3]):
        return f"leaks: {' '.join(frames[:3])} frames free / heap blocks live after each run"
    return None


def leaks(frames):
    """What leaks does so in every run; what merely ends a little later than the shell looks (an orphan) does not."""
    counts = [[int(n) for n in f.split("/")] for f in frames]
    return (counts[0][0] > counts[1][0] > counts[2][0]
            or any(len(c) > 1 for c in counts) and counts[0][1] < counts[1][1] < counts[2][1])


def run_strategy(strategy, tests, runner):
    expected = {name: on_linux(kind, name, folder) for kind, name, folder in tests}
    left, boots = list(tests), 0
    while left and boots < MAX_BOOTS:
        overlay = os.path.join(LOGS, f"overlay-{strategy}")
        make_overlay(left, overlay)
        boot = Boot(f"guest-{strategy}-{boots}", {"FORK": strategy, "OVERLAY": overlay, "CMD": "sh /test/driver.sh"},
                    timeout=900)
        boots += 1
        results, begun = parse(boot.out)
        for name, result in results.items():
            runner.report(f"guest/{strategy}/{name}", judge(f"{strategy}-{name}", result, expected[name]))
        done = set(results)
        if begun or not results:
            culprit = begun or left[0][1]
            runner.report(f"guest/{strategy}/{culprit}", boot.why())
            done.add(culprit)
        left = [t for t in left if t[1] not in done]
        if not begun and not results:
            break
    for _, name, _ in left:
        runner.report(f"guest/{strategy}/{name}", "not run: too many boots ended early")
    return Job.SILENT


def jobs(runner):
    made = []
    for strategy in STRATEGIES:
        tests = [t for t in programs() if runner.wants(f"guest/{strategy}/{t[1]}")]
        if tests:
            made.append(Job(f"guest/{strategy}", lambda r, s=strategy, t=tests: run_strategy(s, t, r)))
    return made
