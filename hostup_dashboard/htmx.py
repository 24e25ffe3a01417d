"""What htmx tells of the page that asks."""


def asking_page(request) -> str | None:
    """Return path and query of the page that htmx asks from, None when it says none or one of another site."""
    try:
        return request.htmx.current_url_abs_path
    except ValueError:  # no address, such as "http://["
        return None
