"""A judge that stays for its user's next command: its suite collected, its slot warm."""
