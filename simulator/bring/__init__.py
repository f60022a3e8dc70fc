"""What people bring that is no scenario: templates, policies and manifests."""
