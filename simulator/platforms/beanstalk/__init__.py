"""AWS Elastic Beanstalk: how a new application version reaches an environment."""
