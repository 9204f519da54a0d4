//! Attack A34: ten thousand wrong login codes from one address.

use serde_json::json;

use crate::world::World;

#[tokio::test]
async fn an_address_with_too_many_wrong_codes_cannot_log_in_for_a_while() {
    let mut world = World::open().await;
    let app = world.app(0);
    let order = world.order("tea-1", &app).await;
    let node = world
        .start_node(|config| {
            config.server.trusted_proxies = vec!["127.0.0.1".parse().unwrap()];
            config.limits.failed_logins_per_minute = 3.try_into().unwrap();
        })
        .await;
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let pay = async |code: &str, address: &str| {
        let request = http.post(format!("{node}/miniprogram/pay"));
        let request = request.header("x-forwarded-for", address);
        let body = json!({ "code": code, "orderId": order });
        let answer = request.json(&body).send().await.unwrap();
        let status = answer.status().as_u16();
        let problem: serde_json::Value = answer.json().await.unwrap();
        (status, problem["code"].as_str().unwrap_or_default().to_owned())
    };
    let wrong = (422, "SP-LOGIN-CODE-INVALID".to_owned());
    let too_often = (429, "SP-TOO-OFTEN".to_owned());
    // The fourth is one too many, and is the last that WeChat hears of.
    for nth in 0..4 {
        assert_eq!(pay(&format!("wrong-{nth}"), "203.0.113.9").await, wrong);
    }
    let asked = world.asked("/sns/jscode2session").await;
    for nth in 4..200 {
        assert_eq!(pay(&format!("wrong-{nth}"), "203.0.113.9").await, too_often);
    }
    assert_eq!(world.asked("/sns/jscode2session").await, asked);

    // A right code does not help him either; from elsewhere it does, and from there after his time.
    let code = world.login("alice", &app).await;
    assert_eq!(pay(&code, "203.0.113.9").await, too_often);
    assert_eq!(pay(&code, "203.0.113.10").await.0, 200);
    world.advance(20);
    let code = world.login("alice", &app).await;
    assert_eq!(pay(&code, "203.0.113.9").await.0, 200);
}
