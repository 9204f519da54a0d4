//! `/docs`: the OpenAPI document as a page to read.
//!
//! Made once, from the same document that `/openapi.json` serves, so it cannot
//! say anything else. No script, and nothing from anywhere but here: it is
//! read on machines without a network.

mod errors;

use std::sync::LazyLock;

use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use maud::{DOCTYPE, Markup, html};
use serde_json::{Map, Value};

use super::openapi;
pub(super) use errors::{all as errors_page, one as error_page};

/// `GET /docs`
pub(super) async fn page() -> Response {
    shown(PAGE.as_str())
}

fn shown(page: &'static str) -> Response {
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8")),
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
        (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
    ];
    (headers, page).into_response()
}

/// `GET /docs/docs.css`
pub(super) async fn style() -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "text/css; charset=utf-8")], STYLE)
}

static PAGE: LazyLock<String> = LazyLock::new(|| {
    let document = serde_json::to_value(openapi::document()).unwrap_or_default();
    write(&Document(document)).into_string()
});

/// The document, with what its references point at.
struct Document(Value);

/// One operation.
struct Operation<'a> {
    method: &'a str,
    path: &'a str,
    about: &'a Value,
}

impl Document {
    /// The value itself, or what it refers to.
    fn look<'a>(&'a self, value: &'a Value) -> &'a Value {
        let pointer = value.get("$ref").and_then(Value::as_str);
        let pointer = pointer.and_then(|pointer| pointer.strip_prefix('#'));
        pointer.and_then(|pointer| self.0.pointer(pointer)).unwrap_or(value)
    }

    fn operations(&self, tag: &str) -> Vec<Operation<'_>> {
        let paths = self.0.get("paths").and_then(Value::as_object).into_iter().flatten();
        let all = paths.flat_map(|(path, item)| {
            let methods = item.as_object().into_iter().flatten();
            methods.map(move |(method, about)| Operation { method, path, about })
        });
        let tagged = |operation: &Operation<'_>| {
            let tags = operation.about.get("tags").and_then(Value::as_array);
            tags.into_iter().flatten().any(|named| named == tag)
        };
        all.filter(tagged).collect()
    }

    /// The members of an object, those of its parts too.
    fn members<'a>(&'a self, schema: &'a Value, found: &mut Vec<Member<'a>>) {
        let schema = self.look(schema);
        for name in ["allOf", "oneOf", "anyOf"] {
            for part in list(schema, name) {
                self.members(part, found);
            }
        }
        let required: Vec<_> = list(schema, "required").iter().filter_map(Value::as_str).collect();
        let properties = schema.get("properties").and_then(Value::as_object);
        found.extend(properties.into_iter().flatten().map(|(name, schema)| Member {
            name,
            schema,
            required: required.contains(&name.as_str()),
        }));
    }

    /// An example of a value, made from those of its parts.
    fn example(&self, schema: &Value, depth: u8) -> Option<Value> {
        let schema = self.look(schema);
        let given = schema.get("example").or_else(|| list(schema, "examples").first());
        if given.is_some() || depth == 0 {
            return given.cloned();
        }
        let deeper = depth.saturating_sub(1);
        // Of alternatives, the first: all of them at once would be none of them.
        let first = ["oneOf", "anyOf"].iter().find_map(|name| list(schema, name).first());
        if let Some(first) = first {
            return self.example(first, deeper);
        }
        if let Some(items) = schema.get("items") {
            return Some(Value::Array(self.example(items, deeper).into_iter().collect()));
        }
        let mut members = Vec::new();
        self.members(schema, &mut members);
        if members.is_empty() {
            return None;
        }
        let example = |member: Member<'_>| {
            Some((member.name.to_owned(), self.example(member.schema, deeper)?))
        };
        Some(Value::Object(members.into_iter().filter_map(example).collect::<Map<_, _>>()))
    }
}

struct Member<'a> {
    name: &'a str,
    schema: &'a Value,
    required: bool,
}

fn write(document: &Document) -> Markup {
    let info = at(&document.0, "/info");
    html! {
        (DOCTYPE)
        html lang="zh-CN" {
            (head(&format!("接口文档 / API · {}", word(info, "title"))))
            body {
                header {
                    h1 { (word(info, "title")) " " span.version { (word(info, "version")) } }
                    (paragraphs(word(info, "description")))
                    p { a href="/openapi.json" { "/openapi.json" } " · " a href="/docs/errors" { "错误代码 / Error codes" } }
                }
                nav aria-label="接口 / endpoints" { (contents(document)) }
                main {
                    @for tag in list(&document.0, "tags") { (group(document, tag)) }
                }
            }
        }
    }
}

fn head(title: &str) -> Markup {
    html! {
        head {
            meta charset="utf-8";
            meta name="viewport" content="width=device-width, initial-scale=1";
            meta name="color-scheme" content="light dark";
            title { (title) }
            link rel="stylesheet" href="/docs/docs.css";
        }
    }
}

fn contents(document: &Document) -> Markup {
    html! {
        @for tag in list(&document.0, "tags") {
            details open {
                summary { (word(tag, "name")) }
                ul {
                    @for operation in document.operations(word(tag, "name")) {
                        li {
                            a href={ "#" (anchor(&operation)) } {
                                (method(&operation)) " " code { (operation.path) }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn group(document: &Document, tag: &Value) -> Markup {
    html! {
        section {
            h2 id=(word(tag, "name")) { (word(tag, "name")) }
            (two(word(tag, "description")))
            @for operation in document.operations(word(tag, "name")) {
                (described(document, &operation))
            }
        }
    }
}

fn described(document: &Document, operation: &Operation<'_>) -> Markup {
    let about = operation.about;
    let body = at(about, "/requestBody/content/application~1json/schema");
    let responses = about.get("responses").and_then(Value::as_object);
    html! {
        article id=(anchor(operation)) {
            h3 {
                (method(operation)) " " code.path { (operation.path) }
                @if about.get("security").is_some() { " " span.key { "API key" } }
            }
            (two(word(about, "summary")))
            (paragraphs(word(about, "description")))
            @if !list(about, "parameters").is_empty() {
                h4 { "参数 / Parameters" }
                table {
                    @for parameter in list(about, "parameters") {
                        (row(document, word(parameter, "name"), at(parameter, "/schema"),
                            *at(parameter, "/required") == true, word(parameter, "description"),
                            word(parameter, "in")))
                    }
                }
            }
            @if !body.is_null() {
                h4 { "请求正文 / Request body" }
                (shape(document, body, true))
            }
            h4 { "回答 / Answers" }
            @for (status, response) in responses.into_iter().flatten() {
                (answer(document, status, response))
            }
        }
    }
}

fn answer(document: &Document, status: &str, response: &Value) -> Markup {
    let good = status.starts_with('2');
    let contents = response.get("content").and_then(Value::as_object);
    html! {
        details.answer open[good] {
            summary { span.status.good[good] { (status) } " " (first_line(word(response, "description"))) }
            @if good {
                @for (kind, content) in contents.into_iter().flatten() {
                    p.kind { code { (kind) } }
                    (shape(document, at(content, "/schema"), false))
                }
            } @else {
                @for line in word(response, "description").split("\n\n") { p { (ticked(line)) } }
            }
        }
    }
}

/// The members of a value, and an example of the whole. `asked`: it is for the reader to fill in.
fn shape(document: &Document, schema: &Value, asked: bool) -> Markup {
    let mut members = Vec::new();
    document.members(schema, &mut members);
    let example = document.example(schema, DEPTH);
    let example = example.and_then(|value| serde_json::to_string_pretty(&value).ok());
    html! {
        @if !members.is_empty() {
            table {
                @for member in &members {
                    (row(document, member.name, member.schema, asked && member.required,
                        word(document.look(member.schema), "description"), ""))
                }
            }
        }
        @if let Some(example) = example { pre tabindex="0" { code { (example) } } }
    }
}

fn row(
    document: &Document,
    name: &str,
    schema: &Value,
    required: bool,
    words: &str,
    place: &str,
) -> Markup {
    let schema = document.look(schema);
    html! {
        tr {
            th scope="row" {
                code { (name) }
                span.type { (kind(document, schema)) @if !place.is_empty() { " · " (place) } }
                @if required { span.required { "必填 / required" } }
            }
            td {
                (two(words))
                @if let Some(rules) = rules(schema) { p.rules { (rules) } }
            }
        }
    }
}

/// The type of a value in a word or two.
fn kind(document: &Document, schema: &Value) -> String {
    let one = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let name = match schema.get("type") {
        Some(Value::Array(types)) => types.iter().map(one).collect::<Vec<_>>().join(" | "),
        Some(word) => one(word),
        None => "object".to_owned(),
    };
    match (schema.get("items"), schema.get("format").and_then(Value::as_str)) {
        (Some(items), _) => format!("{name} of {}", kind(document, document.look(items))),
        (None, Some(format)) => format!("{name} ({format})"),
        (None, None) => name,
    }
}

/// The rules that a value must keep.
fn rules(schema: &Value) -> Option<String> {
    let rules = [
        ("minimum", "≥ "),
        ("maximum", "≤ "),
        ("minLength", "≥ 字符 / characters "),
        ("maxLength", "≤ 字符 / characters "),
        ("pattern", ""),
    ];
    let said = rules.iter().filter_map(|(name, sign)| {
        let value = schema.get(*name)?;
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        Some(format!("{sign}{text}"))
    });
    let said: Vec<_> = said.collect();
    (!said.is_empty()).then(|| said.join(" · "))
}

/// `中文 / English`, one under the other.
fn two(text: &str) -> Markup {
    // Behind a full stop of Chinese there is no space.
    let split = text.split_once(" / ").or_else(|| text.split_once("/ "));
    let (chinese, english) = split.unwrap_or((text, ""));
    html! {
        @if !chinese.is_empty() { p { (ticked(chinese)) } }
        @if !english.is_empty() { p.english lang="en" { (ticked(english)) } }
    }
}

/// The same, for texts of two paragraphs.
fn paragraphs(text: &str) -> Markup {
    let (chinese, english) = text.split_once("\n\n").unwrap_or((text, ""));
    html! {
        @if !chinese.is_empty() { p { (ticked(chinese)) } }
        @if !english.is_empty() { p.english lang="en" { (ticked(english)) } }
    }
}

/// What stands between backticks is code.
fn ticked(text: &str) -> Markup {
    html! {
        @for (position, part) in text.split('`').enumerate() {
            @if position % 2 == 0 { (part) } @else { code { (part) } }
        }
    }
}

fn first_line(text: &str) -> Markup {
    let (line, more) = text.split_once("\n\n").unwrap_or((text, ""));
    let code = line.split_once(':').map(|(code, _)| code).filter(|code| code.starts_with('`'));
    html! { (ticked(code.unwrap_or(line))) @if !more.is_empty() { " …" } }
}

fn method(operation: &Operation<'_>) -> Markup {
    html! { span.method.(operation.method) { (operation.method.to_uppercase()) } }
}

fn anchor<'a>(operation: &Operation<'a>) -> &'a str {
    word(operation.about, "operationId")
}

/// What stands there, or nothing.
fn at<'a>(value: &'a Value, pointer: &str) -> &'a Value {
    static NOTHING: Value = Value::Null;
    value.pointer(pointer).unwrap_or(&NOTHING)
}

fn word<'a>(value: &'a Value, name: &str) -> &'a str {
    value.get(name).and_then(Value::as_str).unwrap_or_default()
}

fn list<'a>(value: &'a Value, name: &str) -> &'a [Value] {
    value.get(name).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// How deep an example is made up from its parts.
const DEPTH: u8 = 6;
const STYLE: &str = include_str!("../../assets/docs.css");
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
);
