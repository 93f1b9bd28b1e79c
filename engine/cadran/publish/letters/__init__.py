"""Reports, alerts and failures as messages: what they say, in templates of each notifier, and what comes with them."""
