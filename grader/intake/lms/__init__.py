"""What learning management systems write: tables of a class, and archives of submissions."""
