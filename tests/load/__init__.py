"""Long runs against a whole stack; `make help` lists them, plain pytest leaves them out."""
