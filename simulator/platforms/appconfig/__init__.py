"""AWS AppConfig: configuration that reaches everyone by growth, and then bakes."""
