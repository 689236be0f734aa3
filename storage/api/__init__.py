"""A REST API from models: `create_api(*models)`. What is shown of each stands in its `Resource`."""
