"""Figures: printed, compared with nothing. Instructions are counted by QEMU, one for each nanosecond of guest time."""
import os
import re
import shutil
import statistics
import subprocess
import tempfile
import time

from suite.core import SETTINGS, Boot

FIRST_USER = re.compile(r"^\[ *(\d+\.\d+)\] Run (\S+) as init process", re.M)


def first_user_seconds(name, settings):
    """From efi_main to the first user instruction, by the guest's clock, which starts at efi_main."""
    boot = Boot(name, dict(settings, CMD="true", EFI="build/BOOTX64.EFI"))
    found = FIRST_USER.search(boot.log)
    return float(found[1]) if found else None


def clean_build_seconds():
    """make from a fresh copy of the sources, in a directory of its own."""
    with tempfile.TemporaryDirectory() as folder:
        listed = subprocess.run(["git", "ls-files", "-co", "--exclude-standard", "-z"], stdout=subprocess.PIPE,
                                check=True)
        for path in filter(None, listed.stdout.decode().split("\0")):
            if os.path.isfile(path):
                os.makedirs(os.path.dirname(f"{folder}/{path}") or folder, exist_ok=True)
                shutil.copy2(path, f"{folder}/{path}")
        env = {k: v for k, v in os.environ.items() if k not in SETTINGS}
        start = time.monotonic()
        done = subprocess.run(["make", "-s"], cwd=folder, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL, timeout=300, check=False)
        return time.monotonic() - start if done.returncode == 0 else None


def in_words(value, text):
    return "not measured" if value is None else text.format(value)


def show(runner):
    if not runner.wants("figures"):
        return
    counted = [first_user_seconds(f"figures-icount-{seed}", {"ICOUNT": seed}) for seed in (1, 2, 3)]
    wall = first_user_seconds("figures-wall", {})
    counted = [c * 1e9 for c in counted if c is not None]
    image = os.path.getsize("build/BOOTX64.EFI") - os.path.getsize("build/initrd.cpio")
    runner.note("figure: efi_main to the first user instruction: "
                + in_words(statistics.median(counted) if counted else None, "{:,.0f} instructions") + ", "
                + in_words(wall and wall * 1e3, "{:.0f} ms in TCG"))
    runner.note(f"figure: BOOTX64.EFI without the initrd: {image / 1024:.0f} KiB")
    runner.note("figure: make from clean: " + in_words(clean_build_seconds(), "{:.1f} s"))
