"""Places an order with the gateway and follows it to its end.

    GATEWAY=http://127.0.0.1:8080 KEY=rk_... python3 shop.py ORDER_ID PHONE YUAN
"""

import json
import os
import sys
import time
import urllib.error
import urllib.parse
import urllib.request

TRIES = 30  # Of one call, a second apart. Later, run it again with the same order id: it is the same order.
PATIENCE = 600  # Seconds until an order that has not ended is left to webhooks, or to a later look.


def call(method, path, body=None):
    """Answers status and JSON; no status, and why, if no answer came that can be read."""
    request = urllib.request.Request(
        os.environ["GATEWAY"] + path,
        method=method,
        data=None if body is None else json.dumps(body).encode(),
        headers={
            "Authorization": "Bearer " + os.environ["KEY"],
            "Content-Type": "application/json",
        },
    )
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as refused:
        try:
            return refused.code, json.load(refused)
        except ValueError:
            # A proxy's own words, say.
            return refused.code, {"detail": f"the answer was {refused.code}, without JSON", "advice": "look at GATEWAY"}
    except (OSError, ValueError) as error:
        return None, {"detail": f"no answer: {error}", "advice": "look at GATEWAY, and whether it runs"}


def said(answer):
    return f"{answer.get('detail')} ({answer.get('advice')})"


def certainly(method, path, body=None):
    """Asks until there is an answer. An order may be sent again: it is the same order."""
    for _ in range(TRIES):
        status, answer = call(method, path, body)
        if status is not None and status != 429 and status < 500:
            return status, answer
        print(f"asking again: {said(answer)}", file=sys.stderr)
        time.sleep(1)
    sys.exit(f"given up for now: {said(answer)}. Nobody knows whether the order was taken: run this again with the same order id")


def main():
    missing = [name for name in ("GATEWAY", "KEY") if not os.environ.get(name)]
    if missing or len(sys.argv) != 4:
        sys.exit("GATEWAY=http://127.0.0.1:8080 KEY=rk_... python3 shop.py ORDER_ID PHONE YUAN")
    order_id, phone, yuan = sys.argv[1:]
    order = {"order_id": order_id, "kind": "mobile", "account": phone, "amount": yuan}
    status, answer = certainly("POST", "/v1/orders", order)
    if status not in (200, 202):
        sys.exit(f"refused: {said(answer)}")
    give_up = time.monotonic() + PATIENCE
    while answer["state"] not in ("succeeded", "failed", "review"):
        if time.monotonic() > give_up:
            sys.exit(f"{order_id} is still {answer['state']}: it goes on. Look again later, with the same order id")
        time.sleep(1)
        status, answer = certainly("GET", "/v1/orders/" + urllib.parse.quote(order_id, safe=""))
        if status != 200:
            sys.exit(f"can't be looked at: {said(answer)}")
    print(answer["order_id"], answer["state"])


if __name__ == "__main__":
    main()
