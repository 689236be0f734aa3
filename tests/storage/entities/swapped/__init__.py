"""A project whose users are not Django's."""
