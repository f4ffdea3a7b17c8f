<?php
// Places an order with the gateway and follows it to its end.
//
//     GATEWAY=http://127.0.0.1:8080 KEY=rk_... php shop.php ORDER_ID PHONE YUAN

/** Answers status and JSON; status 0 if no answer came. */
function call(string $method, string $path, ?array $body = null): array
{
    $curl = curl_init(getenv('GATEWAY') . $path);
    curl_setopt_array($curl, [
        CURLOPT_CUSTOMREQUEST => $method,
        CURLOPT_RETURNTRANSFER => true,
        CURLOPT_TIMEOUT => 30,
        CURLOPT_HTTPHEADER => [
            'Authorization: Bearer ' . getenv('KEY'),
            'Content-Type: application/json',
        ],
    ]);
    if ($body !== null) {
        curl_setopt($curl, CURLOPT_POSTFIELDS, json_encode($body));
    }
    $text = curl_exec($curl);
    $status = $text === false ? 0 : curl_getinfo($curl, CURLINFO_RESPONSE_CODE);
    return [$status, json_decode((string) $text, true)];
}

/** Asks until there is an answer. An order may be sent again: it is the same order. */
function certainly(string $method, string $path, ?array $body = null): array
{
    while (true) {
        [$status, $answer] = call($method, $path, $body);
        if ($status !== 0 && $status !== 429 && $status < 500) {
            return [$status, $answer];
        }
        sleep(1);
    }
}

[, $orderId, $phone, $yuan] = $argv;
$order = ['order_id' => $orderId, 'kind' => 'mobile', 'account' => $phone, 'amount' => (int) $yuan];
[$status, $answer] = certainly('POST', '/v1/orders', $order);
if ($status !== 200 && $status !== 202) {
    fwrite(STDERR, "refused: {$answer['detail']} ({$answer['advice']})\n");
    exit(1);
}
while (!in_array($answer['state'], ['succeeded', 'failed', 'review'], true)) {
    sleep(1);
    [$status, $answer] = certainly('GET', '/v1/orders/' . rawurlencode($orderId));
    if ($status !== 200) {
        fwrite(STDERR, "can't be looked at: {$answer['detail']} ({$answer['advice']})\n");
        exit(1);
    }
}
echo "{$answer['order_id']} {$answer['state']}\n";
