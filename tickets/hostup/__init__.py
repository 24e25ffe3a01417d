"""HostUp's support API v2, for Python. Knows nothing of Django.

`types` are the values, `errors` what can go wrong, `wire` turns bytes into either, `client` makes the calls,
`multipart` is the body of an upload, `deadline` holds a call to its time, `circuit` and `limits` say when not to
make one, `redaction` blanks the key out of what comes, `tally` counts the calls, `watcher` is told of them,
`clock` puts our times on HostUp's.

Reference: https://developer.hostup.se
"""
