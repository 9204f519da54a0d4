//! One id from the phone's call to the merchant's webhook: in the log of machines, in the headers, and in the traces that a
//! collector gets.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::routing::post;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value as Text;
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message as _;
use serde_json::{Map, Value, json};
use tokio::net::TcpListener;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use crate::process::{Running, suanpan, text};
use crate::secrets;

/// The merchant's system: tells the header that names the payer's request.
async fn receiver() -> (String, UnboundedReceiver<Option<String>>) {
    async fn take(State(told): State<UnboundedSender<Option<String>>>, headers: HeaderMap) {
        let id = headers.get("x-request-id").map(|id| id.to_str().unwrap().to_owned());
        told.send(id).unwrap();
    }
    let (told, heard) = unbounded_channel();
    (serve(Router::new().route("/", post(take)).with_state(told)).await, heard)
}

/// A collector that keeps the spans it is sent.
async fn collector() -> (String, Arc<Mutex<Vec<Span>>>) {
    async fn take(State(spans): State<Arc<Mutex<Vec<Span>>>>, headers: HeaderMap, body: Bytes) {
        assert_eq!(headers["content-type"], "application/x-protobuf");
        let sent = ExportTraceServiceRequest::decode(body).unwrap();
        for of_process in sent.resource_spans {
            let resource = attributes(&of_process.resource.unwrap().attributes);
            assert_eq!(resource["service.name"], "tea");
            let scopes = of_process.scope_spans.into_iter();
            spans.lock().unwrap().extend(scopes.flat_map(|scope| scope.spans));
        }
    }
    let spans = Arc::<Mutex<Vec<Span>>>::default();
    let router = Router::new().route("/v1/traces", post(take)).with_state(Arc::clone(&spans));
    (serve(router).await, spans)
}

async fn serve(router: Router) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    url
}

async fn ask(url: &str, key: Option<&str>, body: &Value) -> Value {
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let mut request = http.post(url).body(body.to_string());
    if let Some(key) = key {
        request = request.bearer_auth(key);
    }
    let answer = request.header("content-type", "application/json").send().await.unwrap();
    assert!(answer.status().is_success(), "{url}: {answer:?}");
    serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap()
}

/// Walks one payment from its order to its webhook; answers what the backend said, and the id that the receiver was told.
async fn walked(folder: &Path, collector: &str) -> (String, String, String) {
    let simulator =
        Running::start(&["simulator", "--listen", "127.0.0.1:0", "--data", text(folder)]);
    let mut serve =
        suanpan(&["serve", "--config", &simulator.says("config"), "--listen", "127.0.0.1:0"]);
    serve
        .env("SUANPAN_LOG__FORMAT", "json")
        .env("SUANPAN_WEBHOOKS__ALLOW_PRIVATE_NETWORKS", "true")
        .env("SUANPAN_TELEMETRY__OTLP_ENDPOINT", collector)
        .env("SUANPAN_TELEMETRY__SERVICE_NAME", "tea");
    let backend = Running::start_command(serve);
    let (url, key, wechat) = (backend.says("url"), backend.says("api_key"), simulator.says("url"));
    let (receiver, mut heard) = receiver().await;
    ask(&format!("{url}/v1/webhook-endpoints"), Some(&key), &json!({ "url": receiver })).await;

    let order = json!({ "reference": "tea-1", "amount": 990, "description": "龙井一杯" });
    let order = ask(&format!("{url}/v1/orders"), Some(&key), &order).await;
    let app = &order["app"];
    let login = json!({ "appid": app, "user": "alice" });
    let code = ask(&format!("{wechat}/_sim/login"), None, &login).await;
    let pay = json!({ "code": code["code"], "orderId": order["id"] });
    let mut sheet = ask(&format!("{url}/miniprogram/pay"), None, &pay).await;
    let on_the_phone = json!({ "user": "alice", "appId": app, "outcome": "pay" });
    sheet.as_object_mut().unwrap().extend(on_the_phone.as_object().unwrap().clone());
    let paid = ask(&format!("{wechat}/_sim/request-payment"), None, &sheet).await;
    assert_eq!(paid["errMsg"], "requestPayment:ok");

    let told = heard.recv().await.unwrap().expect("a webhook names the payer's request");
    let ended = backend.end("-TERM");
    assert_eq!(ended.code, Some(0), "{ended:?}");
    for secret in secrets::of_folder(folder) {
        assert!(!ended.stderr.contains(&secret), "{secret} is in:\n{}", ended.stderr);
    }
    (ended.stderr, told, order["id"].as_str().unwrap().to_owned())
}

fn attributes(
    given: &[opentelemetry_proto::tonic::common::v1::KeyValue],
) -> BTreeMap<String, String> {
    let text = |value: &Text| {
        if let Text::StringValue(text) = value { text.clone() } else { format!("{value:?}") }
    };
    let pair = |one: &opentelemetry_proto::tonic::common::v1::KeyValue| {
        let value = one.value.as_ref().and_then(|value| value.value.as_ref());
        (one.key.clone(), value.map(text).unwrap_or_default())
    };
    given.iter().map(pair).collect()
}

/// The names that the documentation says a line may have.
fn documented() -> BTreeSet<String> {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/operations/observability.md");
    let page = std::fs::read_to_string(page).unwrap();
    let (_, table) = page.split_once("| 字段 |").unwrap();
    let rows = table.lines().skip(2).take_while(|row| row.starts_with('|'));
    let names = rows.flat_map(|row| row.split(" | ").next().unwrap().split('`').skip(1).step_by(2));
    names.map(str::to_owned).collect()
}

// The collector is to answer while we wait for the backend to end.
#[tokio::test(flavor = "multi_thread")]
async fn one_id_leads_from_the_phone_to_the_merchant() {
    let folder = tempfile::tempdir().unwrap();
    let (collector, spans) = collector().await;
    let (log, told, order) = walked(folder.path(), &collector).await;

    let lines: Vec<Map<String, Value>> =
        log.lines().map(|line| serde_json::from_str(line).expect(line)).collect();
    let names = documented();
    for line in &lines {
        for name in ["timestamp", "level", "target", "message"] {
            assert!(line[name].is_string(), "{line:?}");
        }
        let strangers: Vec<_> = line.keys().filter(|name| !names.contains(*name)).collect();
        assert!(strangers.is_empty(), "{strangers:?} are not documented: {line:?}");
    }
    let under = |target: &str| -> Vec<&Map<String, Value>> {
        let same = |line: &&Map<_, _>| line.get("request_id") == Some(&json!(told));
        lines.iter().filter(same).filter(|line| line["target"] == target).collect()
    };
    let answered = under("suanpan::request");
    assert_eq!(answered.len(), 1, "{log}");
    assert_eq!(answered[0]["route"], "/miniprogram/pay");
    let steps: Vec<_> = under("suanpan::step").iter().map(|line| line["step"].clone()).collect();
    assert_eq!(steps, ["login", "prepay", "prepay", "second_sign", "webhook"], "{log}");
    let asked = under("suanpan::wechat");
    let operations: Vec<_> = asked.iter().map(|line| line["operation"].clone()).collect();
    assert_eq!(operations, ["GET /sns/jscode2session", "POST /v3/pay/transactions/jsapi"]);
    assert!(asked[1]["wechat_request_id"].is_string(), "{:?}", asked[1]);

    let spans = spans.lock().unwrap().clone();
    traced(&spans, &told, &order);
    for secret in secrets::of_folder(folder.path()) {
        assert!(!format!("{spans:?}").contains(&secret), "{secret} is in a trace");
    }
}

/// The spans of the six steps are there, each below the one that it belongs to.
fn traced(spans: &[Span], request: &str, order: &str) {
    let by_id: BTreeMap<_, _> = spans.iter().map(|span| (span.span_id.clone(), span)).collect();
    let path = |span: &Span| {
        let mut names = vec![span.name.clone()];
        let mut above = by_id.get(&span.parent_span_id);
        while let Some(span) = above {
            names.insert(0, span.name.clone());
            above = by_id.get(&span.parent_span_id);
        }
        names.join(" > ")
    };
    let paths: BTreeSet<_> = spans.iter().map(path).collect();
    for wanted in [
        "request > pay > order",
        "request > pay > login > wechat",
        "request > pay > prepay > wechat",
        "request > pay > second_sign",
        "request > notify",
        "work > webhook",
    ] {
        assert!(paths.contains(wanted), "{wanted} is not among {paths:#?}");
    }
    let named = |name: &'static str| spans.iter().filter(move |span| span.name == name);
    let pay = attributes(&named("pay").next().unwrap().attributes);
    assert_eq!(pay["order_id"], order);
    let webhook = attributes(&named("webhook").next().unwrap().attributes);
    assert_eq!((webhook["request_id"].as_str(), webhook["order_id"].as_str()), (request, order));
    let place = named("wechat").map(|span| attributes(&span.attributes));
    let place = place.into_iter().find(|span| span["operation"].contains("/jsapi")).unwrap();
    assert_eq!(place["outcome"], "done");
    for span in spans {
        for name in attributes(&span.attributes).into_keys() {
            assert!(!["openid", "code", "url", "query"].contains(&name.as_str()), "{span:?}");
        }
        assert!(span.events.is_empty(), "the words of the log stay here: {span:?}");
    }
}
