"""One module per family of formats; each offers ``read(source) -> Reading``."""
