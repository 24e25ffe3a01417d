from django.apps import AppConfig


class FrameConfig(AppConfig):
    """The frame as a Django app, so that its system checks are found."""

    name = "hostup_dashboard"

    def ready(self):
        from hostup_dashboard import checks  # noqa: F401  (registers the checks)
