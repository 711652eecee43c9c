"""The running server: command line, TLS, routes, access log, orderly stop and the demonstration site."""
