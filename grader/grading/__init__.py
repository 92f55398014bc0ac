"""One submission to a verdict; many to a batch."""
