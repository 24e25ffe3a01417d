"""HostUp's support API v2, for Python. Independent of Django.

`types` has the values and `errors` what can go wrong; `wire` turns bytes into either. `client` makes the calls,
`multipart` builds the body of an upload, and `deadline` limits how long a call takes. `circuit` and `limits`
decide when not to make one. `redaction` removes the API key from answers, `tally` counts the calls, `watcher` is
told about them, and `clock` converts our times to HostUp's clock.

Reference: https://developer.hostup.se
"""
