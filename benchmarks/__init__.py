"""Whether it is still fast: ratios against a yardstick of the same minute (``make bench``)."""
