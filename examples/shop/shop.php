<?php
// 算盘的商户后端，PHP 8，没有依赖：php -S 127.0.0.1:3000 shop.php / a merchant's backend beside Suanpan: PHP 8, no dependency.
//
// POST /buy      小程序来下单：价格和订单是我们的 / the mini program buys: price and order are ours
// POST /webhook  算盘来说付款了：验签，只做一次 / Suanpan tells of the payment: verify, act once

declare(strict_types=1);

const PRICES = ['longjing' => [990, '龙井一杯']]; // 分 / fen
const TOLERANCE = 300; // 秒 / seconds

function buy(string $tea): array
{
    [$amount, $description] = PRICES[$tea];
    // 先记自己的订单，再向算盘下单 / your own order first, then Suanpan's
    $reference = bin2hex(random_bytes(16));
    $answer = file_get_contents(getenv('SUANPAN_URL') . '/v1/orders', false, stream_context_create(['http' => [
        'method' => 'POST',
        'header' => [
            'Authorization: Bearer ' . getenv('SUANPAN_API_KEY'),
            // 没有回答就用同一个 key 再发，不会下两单 / no answer: send it again with the same key, and there is still one order
            "Idempotency-Key: $reference",
            'Content-Type: application/json',
        ],
        'content' => json_encode(['reference' => $reference, 'amount' => $amount, 'description' => $description]),
        'timeout' => 10,
    ]]));
    if ($answer === false) {
        throw new RuntimeException('no order');
    }
    return ['orderId' => json_decode($answer, true, flags: JSON_THROW_ON_ERROR)['id']];
}

/** Standard Webhooks：签的是原始字节 / what is signed is the bytes as they came. */
function verified(string $body): bool
{
    $id = $_SERVER['HTTP_WEBHOOK_ID'] ?? '';
    $timestamp = $_SERVER['HTTP_WEBHOOK_TIMESTAMP'] ?? '';
    if (!ctype_digit($timestamp) || abs(time() - (int) $timestamp) > TOLERANCE) {
        return false;
    }
    $secret = base64_decode(preg_replace('/^whsec_/', '', getenv('WEBHOOK_SECRET')), true);
    $ours = 'v1,' . base64_encode(hash_hmac('sha256', "$id.$timestamp.$body", $secret, true));
    $found = false;
    // 换密钥的那一天有两个签名 / on the day after a rotation there are two
    foreach (explode(' ', $_SERVER['HTTP_WEBHOOK_SIGNATURE'] ?? '') as $theirs) {
        $found = hash_equals($ours, $theirs) || $found;
    }
    return $found;
}

function handle(string $webhookId, array $event): void
{
    // 真的商店里这是一张表：编号唯一，和发货在同一个事务里。这里是一个只能建一次的文件
    // In earnest this is a table with a unique id, written in the transaction that ships the goods; here, a file that is made once.
    $handled = sys_get_temp_dir() . '/shop-' . hash('sha256', $webhookId);
    $file = @fopen($handled, 'x');
    if ($file === false) {
        return;
    }
    if ($event['type'] === 'order.paid') {
        file_put_contents('php://stdout', "paid {$event['data']['id']} {$event['data']['amount']}\n");
    }
}

function answer(string $path, string $body): array
{
    if ($path === '/buy') {
        return [200, buy(json_decode($body, true, flags: JSON_THROW_ON_ERROR)['tea'])];
    }
    if ($path !== '/webhook') {
        return [404, []];
    }
    if (!verified($body)) {
        return [401, []];
    }
    handle($_SERVER['HTTP_WEBHOOK_ID'], json_decode($body, true, flags: JSON_THROW_ON_ERROR));
    return [200, []];
}

try {
    [$status, $value] = answer($_SERVER['REQUEST_URI'], file_get_contents('php://input'));
} catch (Throwable $error) {
    // 算盘过一会儿再送 / Suanpan delivers it again later
    [$status, $value] = [500, ['error' => get_class($error)]];
}
http_response_code($status);
header('Content-Type: application/json');
echo json_encode((object) $value);
