"""`python -m dataspace.warm`: compile the bounding kernel once, at set-up, so that no query waits for it."""

from dataspace.dp.bounding import warm

if __name__ == "__main__":
    warm()
