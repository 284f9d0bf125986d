"""Files that strangers send, unpacked in memory within bounds."""
