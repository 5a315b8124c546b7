"""What there is to know about computers, addresses and connections, whoever uses them."""
