"""`python -m hub.cli` is `hub`. In: its words. Out: its exit code."""

from hub.cli import main

if __name__ == "__main__":
    main()
