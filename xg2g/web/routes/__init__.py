"""Routes, apart from the API: each file begins with the paths that it answers."""
