"""The page and the API: ``dogmood serve``.

`app.create_app` puts the parts together; `server.serve` runs the result.
"""
