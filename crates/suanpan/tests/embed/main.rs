//! The example of `suanpan-server`, a shop with Suanpan inside, is bought from, paid and told of.

#[cfg(test)]
#[expect(dead_code, reason = "cargo runs `main`, the test runs `open`")]
#[path = "../../../suanpan-server/examples/embed.rs"]
mod embed;

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::{Value, json};
    use suanpan_server::Config;
    use suanpan_simulator::{Options, Simulator};
    use tokio::sync::oneshot;

    use crate::embed;

    #[tokio::test]
    async fn a_shop_with_suanpan_inside_sells_a_tea() {
        let folder = tempfile::tempdir().unwrap();
        let options = Options::new(folder.path().to_owned(), "127.0.0.1:0".parse().unwrap());
        let simulator = Simulator::open(options).await.unwrap();
        let wechat = simulator.base_url().to_owned();
        let credentials = std::fs::read_to_string(simulator.credentials_path()).unwrap();
        let credentials: Value = serde_json::from_str(&credentials).unwrap();
        let appid = credentials["merchants"][0]["apps"][0].as_str().unwrap().to_owned();
        tokio::spawn(simulator.serve(std::future::pending()));

        let config = || {
            let mut config = Config::load(&folder.path().join("suanpan.toml")).unwrap();
            config.server.listen = "127.0.0.1:0".parse().unwrap();
            config
        };
        let server = embed::open(config()).await.unwrap();
        let (shop, key) = (server.url(), server.first_api_key().unwrap().to_owned());
        let (stop, stopped) = oneshot::channel::<()>();
        let running = tokio::spawn(server.run(async move { drop(stopped.await) }));

        // Suanpan and the shop answer at one address, each for its own paths.
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        let bought = post(&http, format!("{shop}/buy"), json!({ "tea": "longjing" })).await;
        let order = http.get(format!("{shop}/v1/orders/{}", bought["orderId"].as_str().unwrap()));
        let order: Value = order.bearer_auth(&key).send().await.unwrap().json().await.unwrap();
        assert_eq!((&order["amount"], &order["status"]), (&json!(990), &json!("unpaid")));
        assert_eq!(order["reference"], bought["reference"]);
        let sale = format!("{shop}/sales/{}", bought["reference"].as_str().unwrap());
        assert_eq!(get(&http, &sale).await, json!({ "tea": "longjing", "paid": false }));
        let status = |path: &str| http.get(format!("{shop}{path}")).send();
        assert_eq!(status("/sales/none").await.unwrap().status(), 404);
        assert_eq!(status("/healthz").await.unwrap().status(), 200);

        // The phone pays; what is not signed tells the shop nothing.
        let login = json!({ "appid": appid, "user": "alice" });
        let code = post(&http, format!("{wechat}/_sim/login"), login).await["code"].clone();
        let pay = json!({ "code": code, "orderId": bought["orderId"] });
        let mut sheet = post(&http, format!("{shop}/miniprogram/pay"), pay).await;
        let forged = json!({ "type": "order.paid", "data": { "reference": bought["reference"] } });
        let forged = http.post(format!("{shop}/told")).body(forged.to_string()).send();
        assert_eq!(forged.await.unwrap().status(), 401);
        assert_eq!(get(&http, &sale).await["paid"], json!(false));
        sheet["user"] = json!("alice");
        sheet["appId"] = json!(appid);
        sheet["outcome"] = json!("pay");
        let said = post(&http, format!("{wechat}/_sim/request-payment"), sheet).await;
        assert_eq!(said, json!({ "errMsg": "requestPayment:ok" }));
        let told = async { while get(&http, &sale).await["paid"] != json!(true) {} };
        tokio::time::timeout(Duration::from_secs(30), told).await.expect("the shop was not told");

        // At its next start the shop has the endpoint that it made.
        stop.send(()).unwrap();
        running.await.unwrap().unwrap();
        let mut config = config();
        config.server.listen = shop.strip_prefix("http://").unwrap().parse().unwrap();
        let server = embed::open(config).await.unwrap();
        let (stop, stopped) = oneshot::channel::<()>();
        let running = tokio::spawn(server.run(async move { drop(stopped.await) }));
        let endpoints = http.get(format!("{shop}/v1/webhook-endpoints")).bearer_auth(&key);
        let endpoints: Value = endpoints.send().await.unwrap().json().await.unwrap();
        assert_eq!(endpoints["data"].as_array().unwrap().len(), 1);
        stop.send(()).unwrap();
        running.await.unwrap().unwrap();
    }

    async fn post(http: &reqwest::Client, url: String, body: Value) -> Value {
        let request = http.post(url).header("content-type", "application/json");
        let answer = request.body(body.to_string()).send().await.unwrap();
        assert_eq!(answer.status().as_u16() / 100, 2, "{}", answer.text().await.unwrap());
        answer.json().await.unwrap()
    }

    async fn get(http: &reqwest::Client, url: &str) -> Value {
        http.get(url).send().await.unwrap().json().await.unwrap()
    }
}
