"""The rules of the Upgrade mechanism, without I/O: bytes and values in, decisions out."""
