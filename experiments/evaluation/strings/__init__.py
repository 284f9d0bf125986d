"""Numbers and pages of digits as one writer would write them, to evaluate on and never to train on."""
