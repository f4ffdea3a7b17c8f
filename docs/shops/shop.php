<?php
// Places an order with the gateway and follows it to its end.
//
//     GATEWAY=http://127.0.0.1:8080 KEY=rk_... php shop.php ORDER_ID PHONE YUAN

const TRIES = 30; // Of one call, a second apart. Later, run it again with the same order id: it is the same order.
const PATIENCE = 600; // Seconds until an order that has not ended is left to webhooks, or to a later look.
const USAGE = "GATEWAY=http://127.0.0.1:8080 KEY=rk_... php shop.php ORDER_ID PHONE YUAN\n";

/** Answers status and JSON; status 0, and why, if no answer came that can be read. */
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
    if ($text === false) {
        return [0, ['detail' => 'no answer: ' . curl_error($curl), 'advice' => 'look at GATEWAY, and whether it runs']];
    }
    $status = curl_getinfo($curl, CURLINFO_RESPONSE_CODE);
    $answer = json_decode($text, true);
    if (!is_array($answer)) {
        // Broken off, or a proxy's own words.
        $problem = ['detail' => "the answer was $status, without JSON", 'advice' => 'look at GATEWAY'];
        return [$status < 400 ? 0 : $status, $problem];
    }
    return [$status, $answer];
}

/** Says why, and ends. */
function give_up(string $what): never
{
    fwrite(STDERR, "$what\n");
    exit(1);
}

function said(array $answer): string
{
    return ($answer['detail'] ?? '') . ' (' . ($answer['advice'] ?? '') . ')';
}

/** Asks until there is an answer. An order may be sent again: it is the same order. */
function certainly(string $method, string $path, ?array $body = null): array
{
    for ($try = 0; $try < TRIES; $try++) {
        [$status, $answer] = call($method, $path, $body);
        if ($status !== 0 && $status !== 429 && $status < 500) {
            return [$status, $answer];
        }
        fwrite(STDERR, 'asking again: ' . said($answer) . "\n");
        sleep(1);
    }
    give_up('given up for now: ' . said($answer)
        . '. Nobody knows whether the order was taken: run this again with the same order id');
}

if (count($argv) !== 4 || !getenv('GATEWAY') || !getenv('KEY')) {
    fwrite(STDERR, USAGE);
    exit(2);
}

[, $orderId, $phone, $yuan] = $argv;
$order = ['order_id' => $orderId, 'kind' => 'mobile', 'account' => $phone, 'amount' => $yuan];
[$status, $answer] = certainly('POST', '/v1/orders', $order);
if ($status !== 200 && $status !== 202) {
    give_up('refused: ' . said($answer));
}
$end = time() + PATIENCE;
while (!in_array($answer['state'], ['succeeded', 'failed', 'review'], true)) {
    if (time() > $end) {
        give_up("$orderId is still {$answer['state']}: it goes on. Look again later, with the same order id");
    }
    sleep(1);
    [$status, $answer] = certainly('GET', '/v1/orders/' . rawurlencode($orderId));
    if ($status !== 200) {
        give_up("can't be looked at: " . said($answer));
    }
}
echo "{$answer['order_id']} {$answer['state']}\n";
