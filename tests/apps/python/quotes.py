"""Quotes over HTTP: a WSGI application, as gunicorn serves it.

`python quotes.py` serves it without gunicorn, to try it.
"""

import json
import os
import random
import tempfile

QUOTES = [
    "Simple is better than complex.",
    "Readability counts.",
    "Errors should never pass silently.",
]


def application(environ, start_response):
    path = environ["PATH_INFO"]
    if path == "/health":
        return answer(start_response, "200 OK", {"status": "ok"})
    if path == "/":
        return answer(start_response, "200 OK", {
            "greeting": os.environ.get("GREETING", "Hello"),
            "quote": random.choice(QUOTES),
            "token": "set" if os.environ.get("API_TOKEN") else "not set",
        })
    if path == "/scratch":
        with tempfile.TemporaryFile() as file:
            file.write(b"x" * 1024)
        return answer(start_response, "200 OK", {"written": 1024})
    return answer(start_response, "404 Not Found", {"error": "not found"})


def answer(start_response, status, body):
    data = json.dumps(body).encode()
    start_response(status, [("Content-Type", "application/json"), ("Content-Length", str(len(data)))])
    return [data]


if __name__ == "__main__":
    from wsgiref.simple_server import make_server

    with make_server("127.0.0.1", int(os.environ.get("PORT", "8000")), application) as server:
        server.serve_forever()
