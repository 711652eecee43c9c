"""The gateway: requests passed on to other servers, and tunnels behind the switches that they agree to."""
