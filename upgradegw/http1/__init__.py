"""HTTP/1.1: our own channel for twisted.web's Request, strict, bounded and with a way out to other protocols."""
