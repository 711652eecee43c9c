"""From a configuration to a running server: routes, listeners, and the exchange of both while it runs."""
