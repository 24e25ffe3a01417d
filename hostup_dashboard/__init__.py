"""The frame around the app: settings, addresses, middleware. It knows nothing about tickets."""
