"""The operator's own pages, on a listener of their own: is it alive, is it ready, what does it do, who is connected."""
