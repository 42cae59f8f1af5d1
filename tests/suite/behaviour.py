"""What `make run` promises to its user: statuses, outputs, inputs, time-outs, a terminal."""
import os
import shutil
import subprocess
import time

from suite.core import BOOT_TIMEOUT, IMAGE, LOGS, SETTINGS, Boot, Failure, Job


def expect(what, want, got):
    if want != got:
        def show(v):
            return repr(v if not isinstance(v, bytes) or len(v) < 120 else v[:120])
        raise Failure(f"{what}: expected {show(want)}, got {show(got)}")


def run_and_expect(name, settings, status, out, err=None, stdin=b"", timeout=BOOT_TIMEOUT):
    boot = Boot(name, settings, stdin, timeout)
    if boot.status != status and boot.status >= 124:
        raise Failure(boot.why())
    expect("standard output", out, boot.out)
    expect("status", status, boot.status)
    if err is not None:
        expect("standard error", err, boot.err)


def test_status():
    run_and_expect("run-status", {"CMD": "exit 42"}, 42, b"", b"")


def test_killed():
    run_and_expect("run-killed", {"CMD": "kill -KILL $$"}, 137, b"")


def test_outputs():
    run_and_expect("run-outputs", {"CMD": "echo out; echo err >&2; echo \"two  words\" '$x' | tr a-z A-Z"}, 0,
                   b"out\nTWO  WORDS $X\n", b"err\n")


def test_bytes():
    data = bytes((i + i // 256 * 7) & 255 for i in range(65536))
    run_and_expect("run-bytes", {"CMD": "cat"}, 0, data, b"", stdin=data)


def test_script():
    run_and_expect("run-script", {}, 5, b"from a script\n2\n", stdin=b"echo from a script\necho $((1 + 1))\nexit 5\n")


def test_no_input():
    run_and_expect("run-no-input", {}, 0, b"", b"")


def test_overlay():
    folder = f"{LOGS}/run-overlay-files"
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(f"{folder}/opt/my")
    shutil.copy("build/user/forksimple", f"{folder}/opt/my/program")
    with open(f"{folder}/opt/my/text", "wb") as out:
        out.write(b"mine\n")
    os.symlink("text", f"{folder}/opt/my/link")
    run_and_expect("run-overlay", {"OVERLAY": folder, "CMD": "cd /opt/my && ./program | grep -c ok && cat link"}, 0,
                   b"13\nmine\n")


def copy_with_libraries(programs, folder):
    """Dynamically linked programs of this machine, their libraries and the loader, at the same paths."""
    for program in programs:
        listed = subprocess.run(["ldd", program], stdout=subprocess.PIPE, check=True).stdout.decode()
        for path in [program] + [word for word in listed.split() if word.startswith("/")]:
            os.makedirs(os.path.dirname(folder + path), exist_ok=True)
            shutil.copy(path, folder + path)


def test_dynamic():
    """Debian's own bash, sort and date with glibc and its loader: nothing recompiled."""
    folder = f"{LOGS}/run-dynamic-files"
    shutil.rmtree(folder, ignore_errors=True)
    copy_with_libraries(["/usr/bin/bash", "/usr/bin/sort", "/usr/bin/date"], folder)
    script = ("(echo sub; echo shell) | /usr/bin/sort; echo $((6 * 7)); /usr/bin/date -u -d @0 +%F; "
              "f() { return 4; }; f; exit $?")
    run_and_expect("run-dynamic", {"OVERLAY": folder, "CMD": f"/usr/bin/bash -c '{script}'"}, 4,
                   b"shell\nsub\n42\n1970-01-01\n", b"")


def test_forktest():
    boot = Boot("run-forktest", {"CMD": "forktest"})
    last = boot.out.decode("utf-8", "replace").strip().splitlines()[-1:]
    if boot.status or not last or not last[0].endswith(" ok, 0 failed"):
        failed = [line for line in boot.out.decode("utf-8", "replace").splitlines() if line.startswith("FAIL")]
        raise Failure(f"{(failed or last or ['no output'])[0]} ({boot.why()})")


def test_timeout():
    start = time.monotonic()
    boot = Boot("run-timeout", {"CMD": "echo begun; sleep 1000"}, timeout=45)
    expect("status", 124, boot.status)
    expect("output", b"begun\n", boot.out)
    if b"time-out" not in boot.err or time.monotonic() - start > 90:
        raise Failure(f"no clear end: {boot.err[-100:]!r}")


def test_bad_values():
    for settings, word in (({"MEM": "abc"}, b"MEM"), ({"OVERLAY": "/no/such/dir"}, b"OVERLAY"), ({"SMP": "0"}, b"SMP"),
                           ({"EFI": "/no/such/image"}, b"EFI"), ({"FORK": "cwo"}, b"FORK")):
        boot = Boot("run-bad-values", dict(settings, CMD="true"))
        if boot.status != 2 or word not in boot.err or boot.seconds > 5:
            raise Failure(f"{settings}: status {boot.status}, {boot.err[-100:]!r}")


def test_panic():
    boot = Boot("run-panic", {"CMD": "echo c > /proc/sysrq-trigger"})
    expect("status", 125, boot.status)
    for text in ("Kernel panic - not syncing", "Call Trace:"):
        if text not in boot.log:
            raise Failure(f"the kernel's log does not say `{text}`")
    if b"Kernel panic" not in boot.err:
        raise Failure("the panic is not shown on standard error")


def forgotten_own(stretches):
    """A store into a shared page table without own() (mm/forget_own.h): a panic that says so, and where."""
    folder = f"{LOGS}/run-forgotten-own-{stretches}-files"
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    shutil.copy("build/alone/forgetown", folder)
    boot = Boot(f"run-forgotten-own-{stretches}", {"OVERLAY": folder, "CMD": f"/forgetown {stretches}"})
    names = "no-number no-table kernel-half own-path cow-shares-no-table after-own owned-now"
    expect("standard output", "".join(f"ok {name}\n" for name in names.split()).encode(), boot.out)
    expect("status", 125, boot.status)
    window = 0xffffff0000000000 + (0x100000001000 >> 9)  # the leaf entry of the page, in the recursive slot
    text = f"Kernel panic - not syncing: write to a shared page table at {window:#x}: own() was forgotten"
    if text not in boot.log:
        raise Failure(f"the kernel's log does not say `{text}` ({boot.why()})")


def test_make_status():
    """Through make itself, with its default image: the exact status, and nothing but the command's output."""
    env = {k: v for k, v in os.environ.items() if k not in SETTINGS}
    done = subprocess.run(["make", "-s", "run", "CMD=echo \"it's $$\" | wc -w; exit 7",
                           f"KERNEL_LOG={LOGS}/run-make.log"], env=env, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=400, check=False)
    expect("status", 7, done.returncode)
    expect("standard output", b"2\n", done.stdout)


def test_terminal():
    """A session as a person has it: greeting, prompt, an interrupt, job control, end by exit."""
    import pexpect
    env = {k: v for k, v in os.environ.items() if k not in SETTINGS}
    env.update(EFI=IMAGE, KERNEL_LOG=f"{LOGS}/run-terminal.log", TERM="vt100")
    with open(f"{LOGS}/run-terminal.out", "wb") as transcript:
        child = pexpect.spawn("ovmf/run", env=env, timeout=120, logfile=transcript, dimensions=(24, 100))
        steps = [
            (None, "forktest"),                       # the greeting
            (None, r"# "),                            # the prompt
            ("echo $((6 * 7))", r"\n42\r"),
            ("tty", r"/dev/(console|tty\w*)\r"),
            ("sleep 1000", None),
            ("\x03", r"# "),
            ("echo after-$?", r"\nafter-130\r"),
            ("sleep 1000", None),
            ("\x1a", r"Stopped"),
            ("fg", r"sleep 1000\r"),
            ("\x03", r"# "),
            ("cat", None),
            ("echoed line", r"echoed line\r\nechoed line\r"),
            ("\x04", r"# "),
            ("sleep 1000 &", r"# "),
            ("kill %1; wait; echo reaped", r"\nreaped\r"),
            ("forksimple | tail -1", r"ok wnohang-none\r"),
            ("exit 3", None),
        ]
        try:
            for send, answer in steps:
                if send is not None:
                    time.sleep(0.5)
                    child.send(send if len(send) == 1 else send + "\r")
                if answer is not None:
                    child.expect(answer)
            child.expect(pexpect.EOF)
        except (pexpect.TIMEOUT, pexpect.EOF) as error:
            child.close(force=True)
            last = child.before[-80:] if isinstance(child.before, bytes) else b""
            step = f"at `{send or 'the start'}`, waiting for `{answer}`"
            raise Failure(f"{step}: {type(error).__name__}, last: {last!r}") from None
        child.close()
        expect("status", 3, child.exitstatus)


TESTS = {
    "status": test_status, "killed": test_killed, "outputs": test_outputs, "bytes": test_bytes, "script": test_script,
    "no-input": test_no_input, "overlay": test_overlay, "forktest": test_forktest, "dynamic": test_dynamic,
    "timeout": test_timeout,
    "bad-values": test_bad_values, "panic": test_panic,
    "forgotten-own-table": lambda: forgotten_own(1), "forgotten-own-subtree": lambda: forgotten_own(6),
    "make-status": test_make_status, "terminal": test_terminal,
}


def jobs(runner):
    return [Job(f"run/{n}", lambda r, f=f: f()) for n, f in TESTS.items() if runner.wants(f"run/{n}")]
