"""What the DAGs are made of: `pipeline` is the sentence, the modules beside it are its words."""
