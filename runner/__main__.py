"""``python -m runner`` is the same program as the console script ``runner``."""

from runner.cli.main import main

if __name__ == "__main__":
    main()
