"""What a controller's messages mean; pure, no device."""
