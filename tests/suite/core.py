"""Jobs, results, and booting: what all phases share."""
import fnmatch
import os
import subprocess
import threading
import time
from concurrent.futures import ThreadPoolExecutor

LOGS = "build/test"
IMAGE = "build/checked/BOOTX64.EFI"
BOOT_TIMEOUT = 240
SETTINGS = ("CMD OVERLAY ESP MEM SMP CPU FORK APPEND QEMU_EXTRA ICOUNT TIMEOUT EFI KERNEL_LOG "
            "MAKEFLAGS MAKELEVEL MFLAGS CHECKED").split()


class Failure(Exception):
    """A test's verdict; the text is the reason that the user reads."""


class Runner:
    """Keeps the results and says what was selected. A job is (name, function); the function gets a report callback
    for results of its own (a boot that runs many programs), or raises Failure, or returns."""

    def __init__(self, patterns):
        self.patterns = [p if any(c in p for c in "*?[") else f"*{p}*" for p in patterns]
        self.passed = self.failed = 0
        self.lock = threading.Lock()
        os.makedirs(LOGS, exist_ok=True)

    def wants(self, name):
        return not self.patterns or any(fnmatch.fnmatch(name, p) for p in self.patterns)

    def report(self, name, reason=None, seconds=None):
        with self.lock:
            if reason is None:
                self.passed += 1
                print(f"PASS {name}" + (f" ({seconds:.1f} s)" if seconds is not None else ""), flush=True)
            else:
                self.failed += 1
                print(f"FAIL {name}: {reason}", flush=True)

    def note(self, text):
        with self.lock:
            print(text, flush=True)

    def run(self, jobs, workers):
        with ThreadPoolExecutor(max_workers=workers) as pool:
            list(pool.map(self.run_one, jobs))

    def run_one(self, job):
        start = time.monotonic()
        try:
            if job.function(self) is not job.SILENT:
                self.report(job.name, None, time.monotonic() - start)
        except Failure as failure:
            self.report(job.name, str(failure))
        except Exception as error:  # the harness itself: a failure like any other, never a lost result
            self.report(job.name, f"the test broke: {type(error).__name__}: {error}")

    def summary(self):
        print(f"{self.passed} passed, {self.failed} failed", flush=True)
        return 1 if self.failed or not self.passed else 0


class Job:
    SILENT = object()  # returned by a job that has reported its results itself

    def __init__(self, name, function):
        self.name, self.function = name, function


def save(name, data):
    path = os.path.join(LOGS, name.replace("/", "-"))
    with open(path, "wb") as out:
        out.write(data)
    return path


def run_tool(argv, timeout=300, **options):
    """Runs a program of ours; Failure with its last line where it fails."""
    try:
        done = subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
                              timeout=timeout, check=False, **options)
    except subprocess.TimeoutExpired:
        raise Failure(f"{argv[0]} did not end within {timeout} s") from None
    return done.returncode, done.stdout


class Boot:
    """One run of ovmf/run: its exit status, both outputs, the kernel's log and the serial port's."""

    def __init__(self, name, settings, stdin=b"", timeout=BOOT_TIMEOUT):
        base = os.path.join(LOGS, name.replace("/", "-"))
        self.kernel_log = base + ".log"
        for stale in (self.kernel_log, base + ".serial.log"):
            if os.path.exists(stale):
                os.unlink(stale)
        env = {k: v for k, v in os.environ.items() if k not in SETTINGS}
        env.update(EFI=IMAGE, KERNEL_LOG=self.kernel_log, TIMEOUT=str(timeout))
        env.update({k: str(v) for k, v in settings.items()})
        start = time.monotonic()
        try:
            done = subprocess.run(["ovmf/run"], env=env, input=stdin, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                  timeout=timeout + 60, check=False)
            self.status, self.out, self.err = done.returncode, done.stdout, done.stderr
        except subprocess.TimeoutExpired as late:
            self.status, self.out, self.err = 124, late.stdout or b"", late.stderr or b""
        self.seconds = time.monotonic() - start
        save(name + ".out", self.out)
        save(name + ".err", self.err)
        self.log = self.read(self.kernel_log)
        self.serial = self.read(base + ".serial.log")

    @staticmethod
    def read(path):
        try:
            with open(path, "rb") as file:
                return file.read().decode("utf-8", "replace")
        except FileNotFoundError:
            return ""

    def why(self):
        """The line that says most about a boot that went wrong."""
        for line in self.log.splitlines():
            if "Kernel panic" in line:
                return line.strip()
        if self.status == 124:
            tail = self.log.strip().splitlines()[-1:] or ["the kernel's log is empty"]
            return "time-out; last: " + tail[0].strip()
        text = self.err.decode("utf-8", "replace").strip().splitlines()
        return f"status {self.status}" + (f": {text[-1]}" if text else "")
