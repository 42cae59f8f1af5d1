"""Machines, firmware settings and boot files in odd shapes: each must boot and work, or say clearly why not."""
import os
import re
import shutil

from suite.core import IMAGE, LOGS, Boot, Failure, Job

WORKS = "forksimple > /dev/null && forkmem > /dev/null && echo fine"


class Case:
    """log, serial, err: patterns that must be there; absent: one that must not be in the log."""

    def __init__(self, settings=None, cmd=WORKS, out=b"fine\n", status=0, log=(), serial=(), err=(), absent=None,
                 files=None, overlay=None, timeout=240):
        self.settings, self.cmd, self.out, self.status = dict(settings or {}), cmd, out, status
        self.log, self.serial, self.err, self.absent = log, serial, err, absent
        self.files, self.overlay, self.timeout = files, overlay, timeout


def initrd():
    with open("build/initrd.cpio", "rb") as file:
        return file.read()


def replaced_shell(target=None):
    """/bin/sh as a file that nobody may run, or as a link that leads nowhere."""
    def fill(folder):
        os.makedirs(f"{folder}/bin")
        if target:
            os.symlink(target, f"{folder}/bin/sh")
        else:
            with open(f"{folder}/bin/sh", "w", encoding="utf-8") as out:
                out.write("not a shell\n")
            os.chmod(f"{folder}/bin/sh", 0o644)
    return fill


REGISTERS = "forkregs > /dev/null && " + WORKS

CASES = {
    "mem-64": Case({"MEM": 64}, log=[r"Memory: \d+K/\d+K available"]),
    "mem-256": Case({"MEM": 256}),
    "mem-6144": Case({"MEM": 6144}, log=[r"Memory: [56]\d{6}K/"]),
    "mem-below-firmware": Case({"MEM": 54}, out=b"", status=125, err=[rb"the firmware could not start the image"]),
    "mem-too-small": Case({"MEM": 64}, out=b"", status=125, files=lambda: {"EFI/tine/initrd.img": bytes(60 << 20)},
                          serial=[r"no memory|not enough memory"]),
    "mem-option": Case({"MEM": 512, "APPEND": "mem=96M"}, log=[r"Memory: \d{5}K/"]),
    "vga-none": Case({"QEMU_EXTRA": "-vga none"}),
    "cpu-qemu64": Case({"CPU": "qemu64"}, REGISTERS, log=[r"protections: NX"], absent="SMEP"),
    "cpu-no-nx": Case({"CPU": "qemu64,-nx"}, log=[r"no NX"]),
    "cpu-no-syscall": Case({"CPU": "qemu64,-syscall"}, out=b"", status=125, serial=[r"lacks SYSCALL"]),
    "cpu-no-avx": Case({"CPU": "max,-avx,-avx2"}, REGISTERS),
    "cpu-no-smap": Case({"CPU": "max,-smap,-smep,-umip,-fsgsbase"}, REGISTERS, absent="SMAP"),
    "smp-2": Case({"SMP": 2}),
    "stale-map-key": Case({"APPEND": "efi=stale-key"}, log=[r"ExitBootServices took 2 tries"]),
    "nokaslr": Case({"APPEND": "nokaslr"}),
    "cmdline-garbage": Case({"APPEND": "fork=sideways =x \"open mem=0 init.y=1 \x01\x7f " + "b=" * 40},
                            log=[r'bad value in "fork=sideways"']),
    "cmdline-too-long": Case({"APPEND": "x" * 6000}, log=[r"Command line"]),
    "initrd-missing": Case({"APPEND": r"initrd=\EFI\nowhere.img"}, log=[r"initrd=\\EFI\\nowhere\.img: not found"]),
    "initrd-beside": Case(files=lambda: {"EFI/tine/initrd.img": initrd()}, log=[r"initrd: \d+ KiB from beside"]),
    "initrd-option": Case({"APPEND": r"initrd=\EFI\my.img"}, files=lambda: {"EFI/my.img": initrd()},
                          log=[r"initrd: \d+ KiB by initrd="]),
    # The firmware starts QEMU's -kernel before any disk: no volume, so no command; the archive and the options are QEMU's.
    "initrd-loadfile2": Case({"QEMU_EXTRA": f"-kernel {IMAGE} -initrd build/initrd.cpio -append 'tine.batch exit=0xf4 '"},
                             cmd=None, out=b"", log=[r"initrd: \d+ KiB by LoadFile2", r"Command line: tine\.batch"]),
    "overlay-garbage": Case(cmd=None, out=b"", status=0,
                            files=lambda: {"EFI/tine/overlay.img": b"no archive, this " * 500},
                            log=[r"initrd: broken archive: no cpio header at offset \d+"]),
    "overlay-truncated": Case(cmd=None, out=b"", status=0,
                              files=lambda: {"EFI/tine/overlay.img": initrd()[:1000001]},
                              log=[r"initrd: broken archive: .* at offset \d+"]),
    "shell-not-executable": Case(out=b"", status=126, overlay=replaced_shell(),
                                 err=[rb"init: /bin/sh: Permission denied"]),
    "shell-missing": Case(out=b"", status=127, overlay=replaced_shell("/no/such/shell"),
                          err=[rb"init: /bin/sh: No such file"]),
    "init-option": Case({"APPEND": "init=/bin/true"}, out=b"", status=0, log=[r"Run /bin/true as init process"]),
    "init-missing": Case({"APPEND": "init=/no/such/init"}, status=None, out=None,
                         log=[r"(cannot run|Requested init) /no/such/init"]),
    "fork-trace": Case({"APPEND": "fork_trace", "FORK": "cow"},
                       log=[r"fork: .*parent frame 0x[0-9a-f]+, child frame 0x", r"fork: parent \d+ rip 0x[0-9a-f]+,"]),
}


def settings_of(name, case):
    settings = dict(case.settings)
    if case.cmd:
        settings["CMD"] = case.cmd
    if case.overlay:
        folder = os.path.join(LOGS, f"boot-{name}-overlay")
        shutil.rmtree(folder, ignore_errors=True)
        case.overlay(folder)
        settings["OVERLAY"] = folder
    if case.files:
        folder = os.path.join(LOGS, f"boot-{name}-esp")
        shutil.rmtree(folder, ignore_errors=True)
        for path, data in case.files().items():
            os.makedirs(os.path.dirname(f"{folder}/{path}"), exist_ok=True)
            with open(f"{folder}/{path}", "wb") as out:
                out.write(data)
        settings["ESP"] = folder
    return settings


def judge(case, boot):
    if "Kernel panic" in boot.log:
        return boot.why()
    for what, text, patterns in (("kernel's log", boot.log, case.log), ("serial port", boot.serial, case.serial),
                                 ("standard error", boot.err, case.err)):
        for pattern in patterns:
            if not re.search(pattern, text):
                shown = pattern if isinstance(pattern, str) else pattern.decode()
                return f"the {what} does not say `{shown}` ({boot.why()})"
    if case.absent and re.search(case.absent, boot.log):
        return f"the kernel's log says `{case.absent}`"
    if case.status is not None and boot.status != case.status:
        return f"expected status {case.status}, got {boot.why()}"
    if case.out is not None and boot.out != case.out:
        return f"expected the output {case.out!r}, got {boot.out[-100:]!r}"
    return None


def run_case(name):
    case = CASES[name]
    boot = Boot(f"boot-{name}", settings_of(name, case), timeout=case.timeout)
    reason = judge(case, boot)
    if reason:
        raise Failure(reason)


def jobs(runner):
    return [Job(f"boot/{n}", lambda r, n=n: run_case(n)) for n in CASES if runner.wants(f"boot/{n}")]
