"""What workers do beside campaigns, one kind of job a module; `orchestrator.jobs.KINDS` names them."""
