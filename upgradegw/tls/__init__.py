"""TLS on a connection: Twisted's layer over any transport, with less work for each read and write."""
