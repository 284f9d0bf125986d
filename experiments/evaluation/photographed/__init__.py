"""Digits as people photograph, scan and capture them, to evaluate on and never to train on."""
