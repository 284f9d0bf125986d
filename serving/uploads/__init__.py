"""Untrusted uploads, unpacked in memory within limits."""
