"""`python -m xg2g`, and where the single executable begins."""

from xg2g.cli import main

if __name__ == "__main__":
    main()
