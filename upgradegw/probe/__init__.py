"""``upgradegw probe URL``: asks a server for an upgrade, shows both sides of the handshake, says what is wrong."""
