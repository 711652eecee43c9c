"""HTTP/1.1 towards an upstream: heads written, responses read strictly, one exchange at a time on a connection."""
