"""HTTP/2 (RFC 9113) over the ``h2`` package: bounded before h2 sees a frame, with streams that can be taken over."""
