//! A JSON text, laid out otherwise: as the serialisers of other languages do.

use std::collections::BTreeMap;

use serde_json::Value;

/// How a JSON text is laid out.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Style {
    /// Blanks after commas and colons, as Python writes them.
    pub(super) spaced: bool,
    /// Other characters than ASCII are escaped: `\u4e2d`.
    pub(super) ascii: bool,
    /// Slashes are escaped, as PHP does.
    pub(super) slashes: bool,
    /// `&`, `<` and `>` are escaped, as Go does.
    pub(super) html: bool,
    /// Each member on a line of its own, after so many of these.
    pub(super) indent: Option<&'static str>,
}

/// The same JSON in that style; members keep their order. What is no JSON comes out as anything.
pub(super) fn restyled(json: &str, style: Style) -> String {
    let mut out = Writer { text: String::with_capacity(json.len()), style, depth: 0, fresh: false };
    let mut rest = json;
    while let Some(char) = rest.chars().next() {
        let taken = if char == '"' { string(rest) } else { char.len_utf8() };
        let (token, after) = rest.split_at_checked(taken).unwrap_or((rest, ""));
        out.write(token);
        rest = after;
    }
    out.text
}

/// The same JSON with its members sorted, without blanks; `None` for what is no JSON.
pub(super) fn sorted(json: &str) -> Option<String> {
    Some(written(&serde_json::from_str(json).ok()?, &|_| true))
}

/// The same JSON without members that are null or empty, sorted; `None` for what is no JSON.
pub(super) fn without_empty(json: &str) -> Option<String> {
    let there = |value: &Value| !value.is_null() && value.as_str() != Some("");
    Some(written(&serde_json::from_str(json).ok()?, &there))
}

fn written(value: &Value, keep: &impl Fn(&Value) -> bool) -> String {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value.to_string(),
        Value::Array(items) => {
            let items: Vec<_> = items.iter().map(|item| written(item, keep)).collect();
            format!("[{}]", items.join(","))
        }
        Value::Object(members) => {
            let members: BTreeMap<_, _> = members.iter().filter(|(_, value)| keep(value)).collect();
            let member = |(name, value): (&String, &Value)| {
                format!("{}:{}", Value::from(name.as_str()), written(value, keep))
            };
            let members: Vec<_> = members.into_iter().map(member).collect();
            format!("{{{}}}", members.join(","))
        }
    }
}

/// How many bytes the string at the beginning has, with both quotes.
fn string(text: &str) -> usize {
    let mut escaped = false;
    for (position, char) in text.char_indices().skip(1) {
        match char {
            '"' if !escaped => return position.saturating_add(1),
            '\\' => escaped = !escaped,
            _ => escaped = false,
        }
    }
    text.len()
}

struct Writer {
    text: String,
    style: Style,
    depth: usize,
    /// A bracket was just opened.
    fresh: bool,
}

impl Writer {
    fn write(&mut self, token: &str) {
        match token {
            " " | "\t" | "\n" | "\r" => return,
            "}" | "]" => {
                self.depth = self.depth.saturating_sub(1);
                if !self.fresh {
                    self.line();
                }
                self.text.push_str(token);
                self.fresh = false;
                return;
            }
            _ => {}
        }
        if self.fresh {
            self.line();
            self.fresh = false;
        }
        match token {
            "{" | "[" => {
                self.text.push_str(token);
                self.depth = self.depth.saturating_add(1);
                self.fresh = true;
            }
            "," => {
                self.text.push(',');
                if self.style.spaced && self.style.indent.is_none() {
                    self.text.push(' ');
                }
                self.line();
            }
            ":" => {
                let spaced = self.style.spaced || self.style.indent.is_some();
                self.text.push_str(if spaced { ": " } else { ":" });
            }
            string if string.starts_with('"') => self.string(string),
            other => self.text.push_str(other),
        }
    }

    fn line(&mut self) {
        if let Some(indent) = self.style.indent {
            self.text.push('\n');
            self.text.push_str(&indent.repeat(self.depth));
        }
    }

    fn string(&mut self, token: &str) {
        let Ok(text) = serde_json::from_str::<String>(token) else {
            return self.text.push_str(token);
        };
        for char in Value::from(text).to_string().chars() {
            let escaped = match char {
                '/' if self.style.slashes => "\\/".to_owned(),
                '&' | '<' | '>' if self.style.html => format!("\\u{:04x}", u32::from(char)),
                char if self.style.ascii && !char.is_ascii() => {
                    let mut units = [0_u16; 2];
                    let units = char.encode_utf16(&mut units).iter();
                    units.map(|unit| format!("\\u{unit:04x}")).collect()
                }
                char => char.to_string(),
            };
            self.text.push_str(&escaped);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const JSON: &str = r#"{"b": "x, y: \"\u8336\"", "a":[1, 2],"u":"a/b&", "e":{}}"#;

    #[track_caller]
    fn check(style: Style, want: &str) {
        assert_eq!(restyled(JSON, style), want);
    }

    #[test]
    fn a_json_text_is_laid_out_otherwise_with_its_members_in_order() {
        let plain = Style::default();
        check(plain, r#"{"b":"x, y: \"茶\"","a":[1,2],"u":"a/b&","e":{}}"#);
        let ascii = Style { spaced: true, ascii: true, ..plain };
        check(ascii, r#"{"b": "x, y: \"\u8336\"", "a": [1, 2], "u": "a/b&", "e": {}}"#);
        let php = Style { slashes: true, html: true, ..plain };
        check(php, r#"{"b":"x, y: \"茶\"","a":[1,2],"u":"a\/b\u0026","e":{}}"#);
        let indented = restyled(r#"{"a":[1,{}],"b":2}"#, Style { indent: Some("  "), ..plain });
        assert_eq!(indented, "{\n  \"a\": [\n    1,\n    {}\n  ],\n  \"b\": 2\n}");
    }

    #[test]
    fn members_are_sorted_or_left_out() {
        assert_eq!(
            sorted(r#"{"b":1,"a":{"d":1,"c":null}}"#).unwrap(),
            r#"{"a":{"c":null,"d":1},"b":1}"#
        );
        assert_eq!(without_empty(r#"{"b":"","a":{"d":1,"c":null}}"#).unwrap(), r#"{"a":{"d":1}}"#);
        assert_eq!(sorted("tea"), None);
    }

    #[test]
    fn what_is_no_json_does_no_harm() {
        for text in ["", "\"", "\"\\", "{]}", "茶\"茶", "\"\\u12"] {
            restyled(text, Style { indent: Some("\t"), ..Style::default() });
        }
    }
}
