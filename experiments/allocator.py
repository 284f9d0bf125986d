"""What the C library does with memory that training frees."""

import ctypes
import platform

TRIM_THRESHOLD, TOP_PAD, MMAP_MAX = -1, -2, -4  # mallopt's names, from glibc's malloc.h
KEPT = 2**31 - 1  # bytes of freed memory that stay: the most that an int says
GROWTH = 2**28  # bytes asked of the kernel at a time


def keep_freed_memory() -> None:
    """From now on this process gives nothing back to the kernel, where the C library is glibc: every batch takes the
    same large blocks, and having each cleared and mapped anew can take as long as the arithmetic."""
    if platform.libc_ver()[0] == "glibc":
        libc = ctypes.CDLL(None)
        for parameter, value in ((MMAP_MAX, 0), (TRIM_THRESHOLD, KEPT), (TOP_PAD, GROWTH)):
            libc.mallopt(parameter, value)
