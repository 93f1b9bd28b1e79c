"""One module for each version of the tables. One that was released is never changed, and imports nothing of cadran."""
