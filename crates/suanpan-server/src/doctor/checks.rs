//! All checks: their stable ids, their names, and why each of them matters.

use serde::Serialize;

use crate::explain::Language;

/// A check of the doctor.
#[derive(Debug, Eq, PartialEq, Serialize)]
pub struct Check {
    /// Its stable name, `key.pair`.
    pub id: &'static str,
    /// What it looks at.
    pub name: Words,
    /// Why that matters.
    pub why: Words,
    /// Whether it asks somebody beyond this machine.
    pub online: bool,
}

/// A text of the table, in both languages.
#[derive(Debug, Eq, PartialEq, Serialize)]
pub struct Words {
    /// In Chinese.
    pub zh: &'static str,
    /// In English.
    pub en: &'static str,
}

impl Words {
    /// In this language.
    pub const fn of(&self, language: Language) -> &'static str {
        language.of(self.zh, self.en)
    }
}

/// All of them, in the order in which they are made.
pub fn checks() -> &'static [&'static Check] {
    ALL
}

/// Whether a wish such as `key.pair` or `key` names this check.
pub(super) fn is_named(check: &Check, wish: &str) -> bool {
    check.id.strip_prefix(wish).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

macro_rules! checks {
    ($($name:ident $id:literal $online:literal
        $zh:literal $en:literal
        $why_zh:literal $why_en:literal;)*) => {
        $(pub(super) static $name: Check = Check {
            id: $id,
            name: Words { zh: $zh, en: $en },
            why: Words { zh: $why_zh, en: $why_en },
            online: $online,
        };)*
        static ALL: &[&Check] = &[$(&$name),*];
    };
}

checks! {
    CONFIG_PARSES "config.parses" false
        "配置文件读得懂" "the configuration can be read"
        "读不懂的文件里，后面的检查什么也看不到。" "In a file that cannot be read nothing else can be looked at.";
    CONFIG_SETTINGS "config.settings" false
        "配置项的名字和值" "names and values of the settings"
        "写错名字的配置项等于没写；`serve` 会因此拒绝启动。" "A setting with a wrong name is not set; `serve` does not start with it.";
    FILES_RIGHTS "files.rights" false
        "密钥文件的权限" "who may read the files of secrets"
        "同一台机器上的别人读到密钥，就能以商户的名义下单、退款。" "Whoever reads the keys on this machine can order and refund in the merchant's name.";
    FILES_TRACKED "files.tracked" false
        "密钥没有进 git" "no secret is in git"
        "进过仓库的密钥会留在历史和每一份克隆里，删掉文件也没用，只能作废。" "A key that was committed stays in the history and in each clone: it can only be revoked.";
    APP_APPID "app.appid" false
        "小程序的 AppID" "the mini program's AppID"
        "下单、登录都用它；错了微信答 40013 或 APPID_NOT_EXIST。" "Orders and logins name it; a wrong one ends in 40013 or APPID_NOT_EXIST.";
    APP_SECRET "app.secret" false
        "AppSecret 的样子" "the form of the AppSecret"
        "登录用它换 openid；错了谁也付不了款。" "A login needs it for the openid; with a wrong one nobody can pay.";
    APP_PARTNER "app.partner" false
        "服务商和特约商户" "partner and sub-merchants"
        "钱进哪个特约商户由它决定。" "It decides whose money it is.";
    MERCHANT_MCHID "merchant.mchid" false
        "商户号" "the merchant number"
        "错一位，签名就是别人的。" "With one digit wrong the signature is somebody else's.";
    MERCHANT_APPS "merchant.apps" false
        "商户号下的小程序" "the apps of the account"
        "没有小程序的商户号收不了款；一个小程序属于两个商户号，就不知道该用谁的密钥。" "An account without an app takes no payment; an app of two accounts does not say whose keys to use.";
    MERCHANT_API "merchant.api" false
        "API 版本和它要的东西" "the version of the API, and what it needs"
        "v3 要商户证书、私钥和 APIv3 密钥，v2 要 APIv2 密钥。" "v3 needs certificate, private key and APIv3 key; v2 needs the APIv2 key.";
    KEY_V2 "key.v2" false
        "APIv2 密钥的样子" "the form of the APIv2 key"
        "32 个字母数字，差一个字符就是「签名错误」。" "32 letters and digits: one character more or less is SIGNERROR.";
    KEY_V3 "key.v3" false
        "APIv3 密钥的样子" "the form of the APIv3 key"
        "32 个字符，通知要用它解密；错了收不到付款通知。" "32 characters that open the notifications; with a wrong one no payment is heard of.";
    KEY_MIXED "key.mixed" false
        "密钥没有放错位置" "no key is in the place of another"
        "AppSecret、APIv2 密钥、APIv3 密钥样子很像，互相填错最常见。" "AppSecret, APIv2 key and APIv3 key look alike, and are most often mixed up.";
    KEY_PRIVATE "key.private" false
        "商户私钥" "the merchant's private key"
        "v3 的每个请求都用它签名。" "Each request of v3 is signed with it.";
    KEY_P12 "key.p12" false
        "商户证书 p12" "the merchant's p12"
        "里面是商户证书和私钥；打不开就等于没有。" "It holds certificate and private key; one that does not open is none.";
    CERT_MERCHANT "cert.merchant" false
        "商户证书" "the merchant's certificate"
        "它的序列号告诉微信用哪个公钥验签；v2 退款要出示它。" "Its serial number tells WeChat how to verify us; refunds of v2 show it.";
    KEY_PAIR "key.pair" false
        "证书和私钥是一对" "certificate and private key are a pair"
        "不是一对，微信验签必然失败（SIGN_ERROR）。" "If they are not, WeChat refuses each signature (SIGN_ERROR).";
    PLATFORM_CERTIFICATES "platform.certificates" false
        "微信支付平台证书" "WeChat's platform certificates"
        "用它验证微信的应答和通知；放进商户自己的证书，一条也验不过。" "They verify WeChat's answers and notifications; with the merchant's own certificate none verifies.";
    PLATFORM_PUBLIC_KEY "platform.public_key" false
        "微信支付公钥" "the WeChat Pay public key"
        "2024 年以后的新商户用它验签，公钥和公钥 ID 要成对。" "New merchants verify by it since 2024; key and id go together.";
    CERT_EXPIRY "cert.expiry" false
        "证书有效期" "how long the certificates are valid"
        "商户证书过期的那一刻，所有请求都会被拒绝。" "When the merchant's certificate expires all requests are refused.";
    REFUND_CERTIFICATE "refund.certificate" false
        "v2 退款用的证书" "the certificate for refunds of v2"
        "APIv2 退款要在连接上出示商户证书；没有就退不了款。" "APIv2 gives money back only over a connection that shows it.";
    PUBLIC_URL "public.url" false
        "通知地址的写法" "the form of the notify URL"
        "微信只往公网的 https 地址发通知，不带查询串，不跟跳转。" "WeChat notifies public https addresses only, without a query, and follows no redirect.";
    WEBHOOK_FORM "webhook.form" false
        "接收端的写法" "how the endpoints are written"
        "写错的接收端收不到事件；没有密钥它也没法验签。" "An endpoint that is written wrongly hears nothing; without a key it cannot verify.";
    SAFE_LISTEN "safe.listen" false
        "监听地址" "where it listens"
        "直接对公网监听的是明文 http：订单号就是付款的凭证，谁都能在路上看到。" "What listens to the internet itself speaks plain http, and an order's id is all that is needed to pay it.";
    SAFE_PROXIES "safe.proxies" false
        "反向代理" "the reverse proxies"
        "不写 trusted_proxies，所有付款人算一个地址，一起被限流；写得太宽，谁都能冒充地址。" "Without trusted_proxies all payers are one address and are limited together; too wide, anybody can claim an address.";
    SAFE_PLAIN_HTTP "safe.plain_http" false
        "到微信不走明文" "no plain http to WeChat"
        "AppSecret 和 openid 会在路上被看到。" "The AppSecret and openids could be read on the way.";
    SAFE_PRIVATE_NETWORKS "safe.private_networks" false
        "回调不进内网" "webhooks stay out of private networks"
        "能登记接收端的人可以让服务器去访问内网。" "Whoever registers an endpoint could make the server call inner addresses.";
    CONFIG_START "config.start" false
        "serve 能启动" "serve would start"
        "这里用的就是 `serve` 启动时的代码。" "This is the code that `serve` starts with.";
    STORE_REACH "store.reach" false
        "数据库打得开" "the database can be opened"
        "付款、通知、事件都先存下再说话。" "Payments, notifications and events are stored before anything is said.";
    STORE_MIGRATIONS "store.migrations" false
        "数据库升级" "the database is up to date"
        "没执行的升级步骤会在启动时执行；先备份。" "What has not run runs at the next start: make a backup first.";
    STORE_DURABLE "store.durable" false
        "断电不丢" "a power cut loses nothing"
        "答应了微信的通知必须真的在盘上。" "What was acknowledged to WeChat must be on the disk.";
    STORE_INTEGRITY "store.integrity" false
        "数据库文件完好" "the file is whole"
        "坏块越晚发现，能用的备份越旧。" "The later damage is found, the older is the backup that is good.";
    STORE_DISK "store.disk" false
        "磁盘空间" "room on the disk"
        "写不进去就确认不了通知，付了款这里不知道。" "What cannot be written cannot be acknowledged, and payments go unheard.";
    WORK_OVERDUE "work.overdue" false
        "没有拖着的任务" "no work is late"
        "查单、关单、回调都是到点的任务；没人做，掉的单就补不回来。" "Queries, closes and webhooks are due work: undone, lost payments stay lost.";
    WORK_GIVEN_UP "work.given_up" false
        "没有放弃的任务" "nothing was given up"
        "商户系统还不知道这些事。" "The merchant's systems do not know of it.";
    WORK_DIFFERENCES "work.differences" false
        "没有未处理的对账差异" "no difference is open"
        "差异就是钱和账对不上。" "A difference is money that the books do not show.";
    WORK_RECONCILED "work.reconciled" false
        "昨天对过账" "yesterday was reconciled"
        "漏掉的付款最后靠账单找回来。" "The bill finds what everything else has missed.";
    WORK_NOTIFIED "work.notified" false
        "收得到微信的通知" "WeChat's notifications arrive"
        "收不到也能靠查单，但会晚。" "Without them payments are found by asking, and late.";
    PUBLIC_REACH "public.reach" true
        "公网名字通到这里" "the public name leads here"
        "微信从公网来：跳转、登录页、证书链不全都会让通知丢掉。" "WeChat comes from outside: a redirect, a sign-in page or half a chain loses notifications.";
    WEBHOOK_REACH "webhook.reach" true
        "接收端连得上" "the endpoints are reached"
        "连不上的接收端一天之内会重试，之后要人补发。" "One that is down is tried for a day, then a person has to replay.";
    NET_REACH "net.reach" true
        "连得上微信" "WeChat can be reached"
        "DNS、TCP、TLS 有一样不通，就下不了单。" "Without DNS, TCP and TLS nothing can be ordered.";
    NET_CLOCK "net.clock" true
        "时钟" "the clock"
        "差 300 秒以上，微信拒绝我们的签名，我们也不认微信的。" "From 300 s on WeChat refuses our signatures, and we WeChat's.";
    WECHAT_APP_SECRET "wechat.app_secret" true
        "AppSecret 能用" "the AppSecret works"
        "登录和发货都要它。" "Logins and shipping need it.";
    SHIPPING_MANAGED "shipping.managed" true
        "发货信息管理" "order shipping management"
        "微信要求上传发货信息的小程序，不传就不结算。" "Where WeChat wants to hear of shipments, the money is held until it does.";
    WECHAT_V3_KEY "wechat.v3_key" true
        "APIv3 密钥能用" "the APIv3 key works"
        "通知和平台证书要用它解密。" "Notifications and certificates are opened with it.";
    WECHAT_V3_SIGN "wechat.v3_sign" true
        "v3 签名" "our signature of APIv3"
        "查一个不存在的订单：微信答「没有」，就证明商户号、证书、私钥、时钟都对。" "WeChat is asked about a number that no order has: its no proves number, certificate, key and clock.";
    WECHAT_V3_ANSWER "wechat.v3_answer" true
        "验微信的签名" "WeChat's signature verifies"
        "验不过的应答和通知一条也不能信：付了款这里也不知道。" "Nothing that does not verify is believed: a payment would go unheard.";
    WECHAT_V2_SIGN "wechat.v2_sign" true
        "v2 签名" "our signature of APIv2"
        "查一个不存在的订单：微信答 ORDERNOTEXIST，就证明密钥对。" "WeChat is asked about a number that no order has: ORDERNOTEXIST proves the key.";
    WECHAT_BINDING "wechat.binding" true
        "小程序绑定了商户号" "app and merchant belong together"
        "没绑定的小程序下不了单（APPID_MCHID_NOT_MATCH）。" "An app that is not bound cannot order (APPID_MCHID_NOT_MATCH).";
    QUALITY_VERIFY "quality.verify" false
        "先验签再做业务" "verify before any business"
        "清单·致命" "the list, fatal";
    QUALITY_REFUSE "quality.refuse" false
        "验签失败不答成功" "never say yes to a wrong signature"
        "清单·致命" "the list, fatal";
    QUALITY_AMOUNT "quality.amount" false
        "金额、商户、用户来自后端" "amount, merchant and payer come from the back end"
        "清单·致命" "the list, fatal";
    QUALITY_CLIENT "quality.client" false
        "前端没有密钥" "no key in the front end"
        "清单·致命" "the list, fatal";
    QUALITY_SENSITIVE "quality.sensitive" false
        "敏感字段加密" "sensitive fields are encrypted"
        "清单·致命" "the list, fatal";
    QUALITY_RETRY "quality.retry" false
        "重试用同一个单号" "repeats carry the same number"
        "清单·必须" "the list, a must";
    QUALITY_NOTIFY "quality.notify" false
        "通知重复不重复处理" "a repeated notification changes nothing"
        "清单·必须" "the list, a must";
    QUALITY_QUERY "quality.query" false
        "主动查单兜底" "queries behind every payment"
        "清单·必须" "the list, a must";
    QUALITY_REQUEST_ID "quality.request_id" false
        "记录 Request-ID" "Request-ID is logged"
        "清单·建议" "the list, advice";
    QUALITY_BILLS "quality.bills" false
        "整数金额，每天对账" "whole fen, and daily bills"
        "清单·建议" "the list, advice";
}
