"""What datasets are: data dictionaries, HealthDCAT-AP records, their validation and the registry that keeps them."""
