"""What a customer of Enedis can download: recognised by its content, and taken in."""
