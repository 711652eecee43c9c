"""The client's side of an upgrade in HTTP/1.1: the request, the answer read strictly, and a Twisted endpoint."""
