"""One module per command, one screen each; everything heavy is imported inside the command."""
