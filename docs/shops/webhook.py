"""Hears from the gateway what becomes of orders, and keeps what it heard in shop.sqlite.

    SECRET=whsec_... python3 webhook.py 127.0.0.1:8090
"""

import base64
import hashlib
import hmac
import http.server
import json
import os
import sqlite3
import sys
import time

MOST = 64 * 1024  # A notice is shorter.
OLDEST = 300  # Seconds. What was signed longer ago may be a copy that somebody kept.


def is_genuine(headers, body):
    """Whether whoever has the secret signed exactly this, just now."""
    name, at = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    if not (at.isascii() and at.isdigit()) or abs(time.time() - int(at)) > OLDEST:
        return False
    key = base64.b64decode(os.environ["SECRET"].removeprefix("whsec_"))
    right = hmac.new(key, f"{name}.{at}.".encode("latin-1") + body, hashlib.sha256).digest()
    right = b"v1," + base64.b64encode(right)
    given = headers.get("webhook-signature", "").encode("latin-1").split(b" ")
    return any([hmac.compare_digest(right, it) for it in given])


def keep(order):
    """Keeps it, unless this version or a higher one is kept already. Whether it was new."""
    with sqlite3.connect("shop.sqlite") as shop:
        # What your shop does because of it, such as to refund what has failed, belongs into this transaction: what is
        # kept is not done again.
        changed = shop.execute(
            """INSERT INTO orders (order_id, state, version) VALUES (:order_id, :state, :version)
               ON CONFLICT (order_id) DO UPDATE SET state = excluded.state, version = excluded.version
               WHERE excluded.version > orders.version""",
            {name: order[name] for name in ("order_id", "state", "version")},
        )
        return changed.rowcount > 0


class Receiver(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        length = self.headers.get("content-length", "")
        if not (length.isascii() and length.isdigit()) or int(length) > MOST:
            return self.answer(413)
        body = self.rfile.read(int(length))
        if not is_genuine(self.headers, body):
            return self.answer(401)
        # What goes wrong from here on is answered with nothing, and the notice is sent again.
        order = json.loads(body)["data"]
        if keep(order):
            print(order["order_id"], order["state"], flush=True)
        # Only now: what is answered with 2xx is not sent again. A repeated or an older notice is one, too.
        self.answer(204)

    def answer(self, status):
        self.send_response(status)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


def main():
    if len(sys.argv) != 2 or ":" not in sys.argv[1] or not os.environ.get("SECRET", "").startswith("whsec_"):
        sys.exit("SECRET=whsec_... python3 webhook.py HOST:PORT")
    with sqlite3.connect("shop.sqlite") as shop:
        shop.execute(
            """CREATE TABLE IF NOT EXISTS orders
               (order_id TEXT PRIMARY KEY, state TEXT NOT NULL, version INTEGER NOT NULL)"""
        )
    host, _, port = sys.argv[1].rpartition(":")
    http.server.HTTPServer((host, int(port)), Receiver).serve_forever()


if __name__ == "__main__":
    main()
