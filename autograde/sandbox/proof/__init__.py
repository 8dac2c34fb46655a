"""What `autograde doctor` does: every promise of the sandbox, and the attempts to break it."""
