"""Reading an API through cadran, beside bare httpx."""
