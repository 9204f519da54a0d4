//! `/docs`: all that the document has, and nothing from elsewhere.

use serde_json::Value;

use crate::backend::Backend;

#[tokio::test]
async fn every_operation_member_and_code_can_be_read_without_a_network() {
    let backend = Backend::start().await;
    let document = backend.get("/openapi.json").await.json;
    // Without a key: it is public.
    let page = reqwest::get(format!("{}/docs", backend.url)).await.unwrap();
    let policy = page.headers()["content-security-policy"].to_str().unwrap().to_owned();
    assert!(policy.starts_with("default-src 'none'; style-src 'self'"), "{policy}");
    assert!(page.headers()["content-type"].to_str().unwrap().starts_with("text/html"));
    let page = page.text().await.unwrap();

    let operations = document["paths"].as_object().unwrap().iter();
    let operations: Vec<_> = operations
        .flat_map(|(path, item)| item.as_object().unwrap().values().map(move |about| (path, about)))
        .collect();
    assert!(20 < operations.len());
    for (path, about) in operations {
        let id = about["operationId"].as_str().unwrap();
        assert_eq!(page.matches(&format!("<article id=\"{id}\">")).count(), 1, "{path}");
        assert_eq!(page.matches(&format!("href=\"#{id}\"")).count(), 1, "{path}");
    }
    for name in ["reference", "out_refund_no", "overlap_seconds", "SP-IDEMPOTENCY-REUSED"] {
        assert!(page.contains(&format!("<code>{name}</code>")), "{name}");
    }
    // Examples are whole: the order that is asked for, as it may be sent.
    let example = page.split("<article id=\"create_order\">").nth(1).unwrap();
    let example = example.split("<pre tabindex=\"0\"><code>").nth(1).unwrap();
    let example = example.split("</code></pre>").next().unwrap().replace("&quot;", "\"");
    let example: Value = serde_json::from_str(&example).unwrap();
    assert_eq!((&example["amount"], &example["reference"]), (&990.into(), &"tea-1".into()));

    // Of two answers that there can be, the example is one.
    let pay = page.split("<article id=\"pay\">").nth(1).unwrap();
    let answer = pay.split("<pre tabindex=\"0\"><code>").nth(2).unwrap();
    let answer = answer.split("</code></pre>").next().unwrap();
    assert!(answer.contains("paySign") && !answer.contains("alreadyPaid"), "{answer}");

    assert!(!page.contains("<script") && !page.contains(" style="));
    let from_elsewhere = ["src=\"http", "href=\"http", "src=\"//", "href=\"//", "@import", "url("];
    let style = reqwest::get(format!("{}/docs/docs.css", backend.url)).await.unwrap();
    assert_eq!(style.headers()["content-type"], "text/css; charset=utf-8");
    let style = style.text().await.unwrap();
    for found in from_elsewhere {
        assert!(!page.contains(found) && !style.contains(found), "{found}");
    }
}

#[tokio::test]
async fn every_error_is_explained_on_a_page_of_its_own_server() {
    let backend = Backend::start().await;
    let page = reqwest::get(format!("{}/docs/errors", backend.url)).await.unwrap();
    assert!(page.headers().contains_key("content-security-policy"));
    let page = page.text().await.unwrap();
    let still = reqwest::redirect::Policy::none();
    let browser = reqwest::Client::builder().redirect(still).build().unwrap();
    for code in ["SP-ORDER-PAID", "40163", "APPID_MCHID_NOT_MATCH", "order-lost"] {
        assert_eq!(page.matches(&format!("<article id=\"{code}\">")).count(), 1, "{code}");
        let lower = code.to_lowercase();
        let url = format!("{}/docs/errors/{lower}", backend.url);
        let one = browser.get(url).send().await.unwrap();
        assert_eq!(one.status(), 303);
        assert_eq!(one.headers()["location"], format!("/docs/errors#{code}"));
    }
    assert!(!page.contains("<script") && !page.contains(" style="));

    let unknown = reqwest::get(format!("{}/docs/errors/SP-TEA", backend.url)).await.unwrap();
    assert_eq!(unknown.status(), 404);
    assert!(unknown.text().await.unwrap().contains("SP-NOT-FOUND"));
}
