//! The problems of an operation, as its handler names them by code: each gets its status from the table of
//! `http/problem.rs` and an example that is written by the same code as the real answer.

use std::collections::BTreeMap;

use suanpan_ledger::{Mismatch, Overdrawn, RefundState};
use suanpan_wechat as wechat;
use suanpan_wechat::Fen;
use utoipa::openapi::content::ContentBuilder;
use utoipa::openapi::example::{Example, ExampleBuilder};
use utoipa::openapi::path::Operation;
use utoipa::openapi::response::ResponseBuilder;
use utoipa::openapi::{Ref, RefOr};

use crate::Error;
use crate::http::problem::{Problem, status};
use crate::repair::refund::RescueError;
use crate::repair::shipping::ShippingError;

/// Under which name a handler lists its codes.
pub(super) const EXTENSION: &str = "x-problems";

/// Writes the answers of an operation that are refusals: its own, and those of its kind.
pub(super) fn describe(path: &str, is_post: bool, operation: &mut Operation) {
    let mut codes = own(operation);
    codes.extend(["SP-BUSY", "SP-REQUEST-TIMEOUT", "SP-BROKEN"].map(str::to_owned));
    if path.starts_with("/v1/") {
        codes.push("SP-UNAUTHORIZED".to_owned());
    }
    if path.starts_with("/v1/") && is_post {
        codes.extend(
            ["SP-REQUEST-FIELD", "SP-IDEMPOTENCY-REUSED", "SP-IDEMPOTENCY-RUNNING"]
                .map(str::to_owned),
        );
    }
    if operation.request_body.is_some() {
        codes.extend(
            ["SP-REQUEST-BODY", "SP-REQUEST-FIELD", "SP-REQUEST-TOO-LARGE"].map(str::to_owned),
        );
    }
    if path.contains("/orders/{") || path == "/miniprogram/pay" {
        codes.push("SP-ORDER-ARCHIVED".to_owned());
    }
    codes.sort_unstable();
    codes.dedup();

    let mut answers: BTreeMap<u16, Vec<Error>> = BTreeMap::new();
    for code in &codes {
        if let Some(error) = example(code) {
            answers.entry(status(&error).as_u16()).or_default().push(error);
        }
    }
    for (status, errors) in answers {
        let answer = RefOr::T(answer(&errors));
        operation.responses.responses.insert(status.to_string(), answer);
    }
    if let Some(extensions) = &mut operation.extensions {
        extensions.insert(EXTENSION.to_owned(), serde_json::json!(codes));
    }
}

/// The codes that the handler names.
pub(super) fn own(operation: &Operation) -> Vec<String> {
    let named = operation.extensions.as_ref().and_then(|extensions| extensions.get(EXTENSION));
    named.and_then(|codes| serde_json::from_value(codes.clone()).ok()).unwrap_or_default()
}

/// One answer for all problems of a status.
fn answer(errors: &[Error]) -> utoipa::openapi::Response {
    let words = errors.iter().map(|error| format!("`{}`: {}", error.code(), error.remedy()));
    let examples = errors.iter().map(|error| {
        let code = error.code();
        (code, RefOr::Ref(Ref::new(format!("#/components/examples/{code}"))))
    });
    let content = ContentBuilder::new()
        .schema(Some(Ref::from_schema_name("Problem")))
        .examples_from_iter(examples)
        .build();
    ResponseBuilder::new()
        .description(words.collect::<Vec<_>>().join("\n\n"))
        .content("application/problem+json", content)
        .build()
}

/// Every problem as it is answered, by its code.
pub(super) fn written() -> impl Iterator<Item = (String, RefOr<Example>)> {
    examples().into_iter().map(|error| {
        let problem = Problem::of(&error, status(&error));
        let problem = problem.with_request_id("req_019b76da2c00700080000000000000ff");
        let written = ExampleBuilder::new()
            .summary(error.remedy())
            .value(serde_json::to_value(problem).ok())
            .build();
        (error.code().to_owned(), RefOr::T(written))
    })
}

/// An error of this code.
pub(super) fn example(code: &str) -> Option<Error> {
    examples().into_iter().find(|error| error.code() == code)
}

fn examples() -> Vec<Error> {
    let refusal = |code: &str, message: &str| wechat::Refusal {
        status: 200,
        code: code.to_owned(),
        message: message.to_owned(),
        verified: true,
        detail: None,
    };
    let login = |code, message| Error::Login { refusal: refusal(code, message) };
    let mut examples = vec![
        Error::field("amount", "must be 1 to 2147483647 fen"),
        Error::Body { why: "EOF while parsing a value at line 1 column 0".to_owned() },
        Error::TooLarge { limit: 262_144 },
        Error::Unauthorized,
        Error::NotFound { what: "order" },
        Error::OrderArchived { file: "orders-2026-01-01-0190a3f2.jsonl.gz".to_owned() },
        Error::KeyReused,
        Error::KeyRunning,
        Error::OrderClosed,
        Error::OrderExpired,
        Error::OrderPaid,
        Error::OtherPayer,
        Error::OrderNotPaid,
        Error::Overdrawn(Overdrawn { asked: Fen::new(990).unwrap_or(Fen::ZERO), left: Fen::ZERO }),
        Error::NothingLeft,
        Error::TooManyRefunds,
        RescueError::NotAbnormal(RefundState::Processing).into(),
        RescueError::ByHand.into(),
        Error::RefundReferenceTaken { id: "ref_019b76da2c007000800000000000000d".to_owned() },
        login("40029", "invalid code"),
        login("40163", "code been used"),
        login("45011", "api minute-quota reach limit"),
        login("-1", "system error"),
        Error::Token { refusal: refusal("40125", "invalid appsecret") },
        Error::Refused {
            operation: "POST /v3/pay/transactions/jsapi",
            refusal: refusal("APPID_MCHID_NOT_MATCH", "商户号与appid不匹配"),
        },
        Error::Unknown {
            operation: "POST /v3/pay/transactions/jsapi",
            cause: std::sync::Arc::new(suanpan_client::Error::WeChat(wechat::Error::Refused(
                refusal("SYSTEM_ERROR", "系统错误"),
            ))),
        },
        ShippingError::Off.into(),
        ShippingError::NotManaged.into(),
        ShippingError::Running.into(),
        ShippingError::Final.into(),
        ShippingError::NotShipped.into(),
        ShippingError::Reminded.into(),
        Error::Notification(wechat::Error::Signature { what: "notification" }),
        Error::ForeignNotification { why: "it is neither XML nor JSON".to_owned() },
        Error::Unmatched,
        Error::Notification(wechat::Error::Xml {
            why: "a document type is not allowed".to_owned(),
        }),
        Error::Mismatch(Mismatch {
            field: "amount",
            told: "0.01".to_owned(),
            expected: "9.90".to_owned(),
        }),
        Error::Address {
            url: "https://10.0.0.1".to_owned(),
            why: "the address is not of the public internet".to_owned(),
        },
        Error::EndpointDisabled { reason: "answered 410 Gone".to_owned() },
        Error::TooOften { seconds: 1 },
        Error::Busy,
        Error::TimedOut,
        Error::Broken,
    ];
    examples.extend(
        "ord_019b76da2c007000800000000000000a".parse().ok().map(|id| Error::ReferenceTaken { id }),
    );
    examples
}
