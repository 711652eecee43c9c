"""What a connection can become behind the switch."""
