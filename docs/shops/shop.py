"""Places an order with the gateway and follows it to its end.

    GATEWAY=http://127.0.0.1:8080 KEY=rk_... python3 shop.py ORDER_ID PHONE YUAN
"""

import json
import os
import sys
import time
import urllib.error
import urllib.request


def call(method, path, body=None):
    """Answers status and JSON; status None if no answer came."""
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
        return refused.code, json.load(refused)
    except OSError:
        return None, None


def certainly(method, path, body=None):
    """Asks until there is an answer. An order may be sent again: it is the same order."""
    while True:
        status, answer = call(method, path, body)
        if status is not None and status != 429 and status < 500:
            return status, answer
        time.sleep(1)


def main():
    order_id, phone, yuan = sys.argv[1:]
    order = {"order_id": order_id, "kind": "mobile", "account": phone, "amount": int(yuan)}
    status, answer = certainly("POST", "/v1/orders", order)
    if status not in (200, 202):
        sys.exit(f"refused: {answer['detail']} ({answer['advice']})")
    while answer["state"] not in ("succeeded", "failed", "review"):
        time.sleep(1)
        status, answer = certainly("GET", "/v1/orders/" + order_id)
        if status != 200:
            sys.exit(f"can't be looked at: {answer['detail']} ({answer['advice']})")
    print(answer["order_id"], answer["state"])


main()
