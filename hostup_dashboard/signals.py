"""What the frame tells whoever listens."""

from django.dispatch import Signal

# Somebody was not allowed to do something. Arguments: request; reason, "permission" or "csrf".
denied = Signal()
