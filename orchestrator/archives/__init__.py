"""Archives: one campaign in one file, which another installation can import and verify."""
