"""Results of earlier runs: which are still right, and how they and new ones become one."""
