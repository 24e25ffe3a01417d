"""Sign-in and accounts: django-allauth's pages and rules, and what this dashboard adds to them."""
