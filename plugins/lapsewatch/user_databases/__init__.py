"""The service's own users, through a profile: SQL files and a short declaration for each schema."""
