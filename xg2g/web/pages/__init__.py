"""The built web page: files made of `page/`, and what the daemon knows of them."""
