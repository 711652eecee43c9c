"""A gateway for the HTTP Upgrade mechanism on Twisted."""

__version__ = "0.1.0"
