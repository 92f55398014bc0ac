"""What an instructor wrote, read and checked: directory, spec, catalog."""
