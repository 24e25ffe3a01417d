"""The one app: tickets at HostUp, and what HostUp does not keep about them."""
