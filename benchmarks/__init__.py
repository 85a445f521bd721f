"""Speed and quality, measured against peers in one run; see README.md."""
