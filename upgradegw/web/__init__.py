"""Resources and the site: where a twisted.web request meets a negotiation."""
