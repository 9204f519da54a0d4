//! What is wrong with keys and apps is wrong at start, by name.

use std::path::Path;

use super::*;

/// A v3 account over the vectors of `suanpan-wechat`: keys and certificates that openssl made.
const V3: &str = r#"
[[merchants]]
mchid = "1900000109"
api = "v3"
api_v3_key = "ThrowawayApiV3Key_0123456789abcd"
merchant_certificate = "merchant-1.cert.pem"
merchant_private_key = "merchant-1.key.pem"
platform_certificates = ["platform-1.cert.pem"]
apps = [{ appid = "wx2421b1c4370ec43b", secret = "0123456789abcdef0123456789abcdef" }]
"#;

fn load(text: &str) -> Result<Accounts, Error> {
    let vectors = Path::new(env!("CARGO_MANIFEST_DIR")).join("../suanpan-wechat/tests/vectors");
    Accounts::load(&Config::parse(text, &vectors)?)
}

/// The account with one thing changed is refused, and the refusal says where and why.
#[track_caller]
fn check(change: (&str, &str), place: &str, says: &str) {
    assert!(V3.contains(change.0), "{}", change.0);
    match load(&V3.replace(change.0, change.1)) {
        Ok(_) => panic!("{} was taken", change.1),
        Err(Error::Config { place: at, why }) => {
            assert_eq!(at, format!("merchants[1900000109].{place}"), "{why}");
            assert!(why.contains(says), "{why}");
        }
        Err(other) => panic!("{other}"),
    }
}

fn account(text: &str) -> Arc<Account> {
    let accounts = load(text).unwrap();
    accounts.iter().next().cloned().unwrap()
}

#[test]
fn keys_and_certificates_must_belong_together() {
    assert!(account(V3).v3().unwrap().keys.preferred().is_some());
    check(
        ("merchant-1.key.pem", "merchant-2.key.pem"),
        "merchant_certificate",
        "not the certificate of merchant_private_key",
    );
    check(
        ("platform-1.cert.pem", "merchant-1.cert.pem"),
        "platform_certificates",
        "merchant-1.cert.pem is the merchant's own certificate",
    );
    check(("platform-1.cert.pem", "nowhere.pem"), "platform_certificates", "nowhere.pem");
    check(("merchant-1.key.pem", "merchant-1.cert.pem"), "merchant_private_key", "CERTIFICATE");
    check(("merchant-1.cert.pem", "merchant-1.key.pem"), "merchant_certificate", "KEY");
    check(
        ("api = \"v3\"", "api = \"v3\"\nwechatpay_public_key_id = \"PUB_KEY_ID_0116000000002026\""),
        "wechatpay_public_key",
        "go together",
    );
}

const PEMS: &str = "merchant_certificate = \"merchant-1.cert.pem\"
merchant_private_key = \"merchant-1.key.pem\"";

#[test]
fn a_p12_is_as_good_as_the_two_pem_files() {
    let from_pem = account(V3);
    // WeChat's own are of the old kind, which OpenSSL 3 makes with `-legacy` only.
    for file in ["merchant-1.p12", "merchant-1-legacy.p12"] {
        let from_p12 = account(&V3.replace(PEMS, &format!("merchant_p12 = {file:?}")));
        let (one, other) = (from_p12.identity().unwrap(), from_pem.identity().unwrap());
        assert_eq!(one.certificate.serial, other.certificate.serial);
        assert_eq!(
            from_p12.v3().unwrap().signer.key.sign(b"text"),
            from_pem.v3().unwrap().signer.key.sign(b"text")
        );
        let shown = format!("{from_p12:?}");
        assert!(!shown.contains("PRIVATE KEY"), "{shown}");
    }
}

#[test]
fn what_proves_the_merchant_is_one_of_two_and_whole() {
    let p12 = "merchant_p12 = \"merchant-1.p12\"";
    check((PEMS, &format!("{p12}\nmerchant_p12_password = \"1\"")), "merchant_p12", "password");
    check((PEMS, "merchant_p12 = \"merchant-1.key.pem\""), "merchant_p12", "no PKCS#12 file");
    check((PEMS, "merchant_p12 = \"nowhere.p12\""), "merchant_p12", "nowhere.p12");
    check((PEMS, &format!("{PEMS}\n{p12}")), "merchant_p12", "not both");
    let (certificate, key) = PEMS.split_once('\n').unwrap();
    check((key, ""), "merchant_private_key", "go together");
    check((certificate, ""), "merchant_certificate", "needed beside");
    check((PEMS, ""), "merchant_private_key", "or merchant_p12");

    // An account of APIv2 needs it for refunds alone, and is checked all the same.
    let v2 = V3.replace("api = \"v3\"", "api = \"v2\"").replace(
        "api_v3_key = \"ThrowawayApiV3Key_0123456789abcd\"",
        "api_v2_key = \"8934e7d15453e97507ef794cf7b0519d\"",
    );
    assert!(account(&v2).identity().is_some());
    let error = load(&v2.replace("merchant-1.key.pem", "merchant-2.key.pem")).unwrap_err();
    assert!(error.to_string().contains("merchant_certificate"), "{error}");
}

/// It starts, and says what it lacks: certificates are fetched later.
#[test]
fn an_account_without_any_key_of_wechats_is_taken() {
    let account = account(&V3.replace("\"platform-1.cert.pem\"", ""));
    assert!(account.v3().unwrap().keys.preferred().is_none());
    let problem = account.keys().unwrap().problem(&account).unwrap();
    assert_eq!(problem.code, "SP-KEYS-PENDING");
}

#[test]
fn certificates_that_expire_within_a_month_are_named() {
    let account = account(V3);
    let ends = account.v3.as_ref().unwrap().certificates.iter().map(|one| one.not_after);
    let (first, month) = (ends.min().unwrap(), 30 * 24 * 3600);
    assert!(account.expiring(first - month - 1).is_empty());
    let warned = account.expiring(first - month + 1);
    assert_eq!(warned[0].code, "SP-CERT-EXPIRES");
    assert!(warned[0].detail.contains("valid until"), "{}", warned[0].detail);
}

#[test]
fn a_partner_says_for_whom_each_app_sells() {
    let app = "apps = [{ appid = \"wx2421b1c4370ec43b\",";
    let partner =
        "mode = \"partner\"\napps = [{ sub_mchid = \"1900000222\", appid = \"wx2421b1c4370ec43b\",";
    let accounts = account(&V3.replace(app, partner));
    let ids = accounts.apps[0].partner.as_ref().unwrap();
    assert_eq!(
        (ids.sp_appid.as_str(), ids.sub_mchid.as_str()),
        ("wx2421b1c4370ec43b", "1900000222")
    );

    let own = partner.replace("[{ sub", "[{ owner = \"sub_merchant\", sub");
    check((app, &own), "sp_appid", "orders name an app of the partner too");
    let own = format!("sp_appid = \"wx8888888888888888\"\n{own}");
    let accounts = account(&V3.replace(app, &own));
    let ids = accounts.apps[0].partner.as_ref().unwrap();
    assert_eq!(ids.sp_appid.as_str(), "wx8888888888888888");

    check((app, &format!("mode = \"partner\"\n{app}")), "apps.sub_mchid", "needed with mode");
    let direct = partner.replace("mode = \"partner\"\n", "");
    check((app, &direct), "apps.sub_mchid", "only");
    check((app, &format!("sp_appid = \"wx8888888888888888\"\n{app}")), "sp_appid", "only");
}

#[test]
fn all_that_is_wrong_with_the_accounts_is_told_at_once() {
    let text = V3
        .replace("merchant-1.key.pem", "nowhere.pem")
        .replace("wx2421b1c4370ec43b", "no app")
        + &V3.replace("1900000109", "19").replace("ThrowawayApiV3Key_0123456789abcd", "tooshort");
    let Err(Error::Settings(mistakes)) = load(&text) else { panic!("it was taken") };
    let keys: Vec<_> = mistakes.0.iter().map(|mistake| mistake.key.as_str()).collect();
    assert_eq!(
        keys,
        [
            "merchants[1900000109].apps.appid",
            "merchants[1900000109].merchant_private_key",
            "merchants[19].api_v3_key",
        ],
        "{mistakes}"
    );
}
