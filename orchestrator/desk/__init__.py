"""What people do through the pages, in their name: each act is allowed or refused here, not by hiding a button."""
