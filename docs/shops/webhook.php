<?php
// Hears from the gateway what becomes of orders, and keeps what it heard in orders.json.
//
//     SECRET=whsec_... php -S 127.0.0.1:8090 webhook.php

const OLDEST = 300; // Seconds. What was signed longer ago may be a copy that somebody kept.

/** Whether whoever has the secret signed exactly this, just now. */
function is_genuine(string $body): bool
{
    $name = $_SERVER['HTTP_WEBHOOK_ID'] ?? '';
    $at = $_SERVER['HTTP_WEBHOOK_TIMESTAMP'] ?? '';
    $secret = getenv('SECRET');
    if (!is_string($secret) || !str_starts_with($secret, 'whsec_')) {
        throw new RuntimeException('set SECRET to the secret of the webhook, whsec_...');
    }
    if (!ctype_digit($at) || abs(time() - (int) $at) > OLDEST) {
        return false;
    }
    $key = base64_decode(substr($secret, 6), true);
    $right = 'v1,' . base64_encode(hash_hmac('sha256', "$name.$at.$body", $key, true));
    foreach (explode(' ', $_SERVER['HTTP_WEBHOOK_SIGNATURE'] ?? '') as $given) {
        if (hash_equals($right, $given)) {
            return true;
        }
    }
    return false;
}

/**
 * Keeps it, unless this version or a higher one is kept already. Whether it was new.
 *
 * With a database: UPDATE orders SET state = ?, version = ? WHERE order_id = ? AND version < ?
 */
function keep(array $order): bool
{
    $lock = fopen('orders.lock', 'c');
    if (!$lock || !flock($lock, LOCK_EX)) {
        throw new RuntimeException("orders.lock can't be locked");
    }
    $kept = is_file('orders.json') ? json_decode(file_get_contents('orders.json'), true, flags: JSON_THROW_ON_ERROR) : [];
    $known = $kept[$order['order_id']]['version'] ?? -1;
    if ($order['version'] <= $known) {
        return false;
    }
    $kept[$order['order_id']] = ['state' => $order['state'], 'version' => $order['version']];
    // What your shop does because of it, such as to refund what has failed, belongs into the same transaction: what is
    // kept is not done again. Here a file of its own, and then its name: one of the two is whole.
    if (file_put_contents('orders.new', json_encode($kept)) === false || !rename('orders.new', 'orders.json')) {
        throw new RuntimeException("orders.json can't be written");
    }
    return true;
}

$body = file_get_contents('php://input');
if (!is_genuine($body)) {
    http_response_code(401);
    return;
}
// What goes wrong from here on is answered with 500, and the notice is sent again.
$order = json_decode($body, true, flags: JSON_THROW_ON_ERROR)['data'];
if (keep($order)) {
    file_put_contents('php://stdout', "{$order['order_id']} {$order['state']}\n");
}
// Only now: what is answered with 2xx is not sent again. A repeated or an older notice is one, too.
http_response_code(204);
