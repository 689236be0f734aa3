"""Data in and out of the database: imports, exports, backups."""
