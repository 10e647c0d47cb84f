"""make check: asks a server, the reader's own in any language, for all that a stage has."""
