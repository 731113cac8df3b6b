"""The shared words; no input or output."""
