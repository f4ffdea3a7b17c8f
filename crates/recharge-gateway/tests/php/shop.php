<?php
// A shop's program in the style that Juhe and Jisu document: curl with an array as the body, which makes it
// multipart, for a submit; GET for everything else; and codes that are compared as strings.
// Usage: php shop.php JUHE_URL KEY OPENID JISU_URL APPKEY APPSECRET

class JuheRecharge
{
    private $url;
    private $key;
    private $openid;

    public function __construct($url, $key, $openid)
    {
        $this->url = $url . '/ofpay/mobile/';
        $this->key = $key;
        $this->openid = $openid;
    }

    public function telcheck($phone, $amount)
    {
        return $this->get('telcheck', array('phoneno' => $phone, 'cardnum' => $amount));
    }

    public function telquery($phone, $amount)
    {
        return $this->get('telquery', array('phoneno' => $phone, 'cardnum' => $amount));
    }

    public function submit($phone, $amount, $orderid)
    {
        $params = array(
            'key' => $this->key,
            'phoneno' => $phone,
            'cardnum' => $amount,
            'orderid' => $orderid,
            'sign' => md5($this->openid . $this->key . $phone . $amount . $orderid),
        );
        return fetch($this->url . 'onlineorder', $params);
    }

    public function status($orderid)
    {
        return $this->get('ordersta', array('orderid' => $orderid));
    }

    public function balance()
    {
        $time = time();
        $sign = md5($this->openid . $this->key . $time);
        return $this->get('yue', array('timestamp' => $time, 'sign' => $sign));
    }

    private function get($call, $params)
    {
        return fetch($this->url . $call . '?' . http_build_query(array('key' => $this->key) + $params));
    }
}

class JisuRecharge
{
    private $url;
    private $appkey;
    private $appsecret;

    public function __construct($url, $appkey, $appsecret)
    {
        $this->url = $url . '/';
        $this->appkey = $appkey;
        $this->appsecret = $appsecret;
    }

    public function recharge($product, $params)
    {
        ksort($params);
        $params['sign'] = md5(implode('', $params) . $this->appsecret);
        return $this->get($product . '/recharge', $params);
    }

    public function detail($product, $outorderno)
    {
        return $this->get($product . '/orderdetail', array('outorderno' => $outorderno));
    }

    private function get($call, $params)
    {
        return fetch($this->url . $call . '?' . http_build_query(array('appkey' => $this->appkey) + $params));
    }
}

function fetch($url, $post = null)
{
    $curl = curl_init();
    curl_setopt($curl, CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1);
    curl_setopt($curl, CURLOPT_USERAGENT, 'JuheData');
    curl_setopt($curl, CURLOPT_CONNECTTIMEOUT, 5);
    curl_setopt($curl, CURLOPT_TIMEOUT, 30);
    curl_setopt($curl, CURLOPT_RETURNTRANSFER, true);
    curl_setopt($curl, CURLOPT_PROXY, '');
    curl_setopt($curl, CURLOPT_URL, $url);
    if ($post !== null) {
        curl_setopt($curl, CURLOPT_POST, true);
        curl_setopt($curl, CURLOPT_POSTFIELDS, $post);
    }
    $text = curl_exec($curl);
    if ($text === false) {
        fwrite(STDERR, 'curl: ' . curl_error($curl) . "\n");
        exit(1);
    }
    return json_decode($text, true);
}

// A value and its type: prices differ from one to the other, their types must not.
function type($value)
{
    return is_float($value) || is_int($value) ? 'number' : gettype($value);
}

function tell($what, $answer, $names = array())
{
    $code = isset($answer['error_code']) ? $answer['error_code'] : $answer['status'];
    $text = isset($answer['reason']) ? $answer['reason'] : $answer['msg'];
    echo $what, ': ', (string) $code === '0' ? 'understood' : "code $code", ' ', $text, "\n";
    foreach ($names as $name => $shown) {
        $value = $answer['result'][$name];
        echo '  ', $name, ' ', $shown ? $value : type($value), "\n";
    }
}

list(, $juhe_url, $key, $openid, $jisu_url, $appkey, $appsecret) = $argv;
$juhe = new JuheRecharge($juhe_url, $key, $openid);
$jisu = new JisuRecharge($jisu_url, $appkey, $appsecret);

tell('check', $juhe->telcheck('18900001234', '10'));
tell('check of a wrong amount', $juhe->telcheck('18900001234', '7'));
tell('query', $juhe->telquery('18900001234', '10'), array('cardid' => false, 'cardname' => false, 'inprice' => false, 'game_area' => false));
tell('balance', $juhe->balance(), array('uid' => false, 'money' => false));
tell('status before', $juhe->status('111111111'));
$fields = array('cardid' => false, 'cardnum' => true, 'ordercash' => false, 'cardname' => false, 'sporder_id' => false,
    'uorderid' => true, 'game_userid' => true, 'game_state' => true);
tell('submit', $juhe->submit('18900001234', '10', '111111111'), $fields);
tell('submit again', $juhe->submit('18900001234', '10', '111111111'));
tell('submit of a wrong phone', $juhe->submit('123', '10', '111111112'));
tell('submit of a wrong number', $juhe->submit('18900001234', '10', '1'));
$wrong = new JuheRecharge($juhe_url, $key, 'JHwrong');
tell('submit with a wrong openid', $wrong->submit('18900001234', '10', '111111113'));
for ($i = 0; $i < 300; $i++) {
    $status = $juhe->status('111111111');
    if ($status['error_code'] == '0' && $status['result']['game_state'] != '0') {
        break;
    }
    usleep(100000);
}
tell('status', $status, array('uordercash' => false, 'sporder_id' => false, 'game_state' => true));

$line = array('tel' => '0571-56565366', 'amount' => 100, 'teltype' => 1, 'rechargetype' => 1, 'outorderno' => 'L0000001');
$fields = array('tel' => true, 'amount' => true, 'outorderno' => true, 'orderno' => false, 'totalfee' => false,
    'actuallytotalfee' => false, 'teltype' => true, 'rechargetype' => true, 'rechargestatus' => true);
tell('line', $jisu->recharge('telrecharge', $line), $fields);
tell('line again', $jisu->recharge('telrecharge', $line));
tell('line of no amount', $jisu->recharge('telrecharge', array('amount' => '') + $line));
$mobile = array('mobile' => '18900001234', 'amount' => 100, 'outorderno' => 'M0000001');
tell('mobile', $jisu->recharge('mobilerecharge', $mobile), array('mobile' => true, 'rechargestatus' => true));
foreach (array('telrecharge' => 'L0000001', 'mobilerecharge' => 'M0000001') as $product => $number) {
    for ($i = 0; $i < 300; $i++) {
        $detail = $jisu->detail($product, $number);
        if ($detail['status'] == '0' && $detail['result']['rechargestatus'] != '0') {
            break;
        }
        usleep(100000);
    }
    tell("detail of $product", $detail, array('outorderno' => true, 'account' => true, 'num' => true, 'status' => true,
        'rechargestatus' => true, 'amount' => true, 'totalfee' => false, 'addtime' => false, 'company' => true));
}
