//! What is told about a signature.

use serde::Serialize;
use suanpan_server::client::wechat::mistakes::{
    Examined, Found, Message, Mistake, Verdict, examine, signs, text_to_sign,
};
use suanpan_server::explain::Language;

use super::Say;
use super::given::Given;
use super::keys::AtHand;
use crate::talk::{self, Paint};

/// All that was found out. Keys are three stars in it.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    /// What was given: `v2`, `v3_request`, `v3_answer`, `request_payment` or `webhook`.
    kind: &'static str,
    #[serde(skip)]
    name: Say,
    /// The merchant whose keys were taken.
    mchid: Option<String>,
    verdict: State,
    /// What must be signed.
    text: String,
    /// Its length; a key counts with 32.
    bytes: usize,
    /// The right signature, where the key for it is at hand.
    signature: Option<String>,
    given: Option<String>,
    /// What was done wrong: together they give the signature that was given.
    mistakes: Vec<Said>,
    /// What gives the same bytes.
    or: Vec<Vec<Said>>,
    /// What was signed, where that is known.
    signed: Option<String>,
    /// Its length; a key counts with 32.
    signed_bytes: Option<usize>,
    /// The first byte of it that differs, counted from 0.
    first_difference: Option<usize>,
    /// How many texts were tried.
    tried: usize,
    notes: Vec<Say>,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
enum State {
    /// The signature is right.
    Right,
    /// It is wrong, and why is known.
    Wrong,
    /// It is wrong, and nobody knows why.
    Unknown,
    /// There is nothing to compare, or no key.
    Uncompared,
}

/// A mistake, for people.
#[derive(Debug, Serialize)]
struct Said {
    id: &'static str,
    cause: Say,
    fix: Say,
}

impl Said {
    fn new(mistake: &Mistake) -> Self {
        let (zh, en) = (mistake.zh(), mistake.en());
        Self { id: mistake.id, cause: Say::new(zh.cause, en.cause), fix: Say::new(zh.fix, en.fix) }
    }
}

/// Examines the signature. `text` is what somebody says that he signed.
pub(super) fn make(given: &Given, at_hand: &AtHand, text: Option<&[u8]>) -> Report {
    let (kind, name) = name(&given.message);
    let right = text_to_sign(&given.message, KEY);
    let mut report = Report {
        kind,
        name,
        mchid: at_hand.mchid.clone(),
        verdict: State::Uncompared,
        text: String::from_utf8_lossy(&right).into_owned(),
        bytes: text_to_sign(&given.message, LONG_KEY).len(),
        signature: at_hand.signature.clone(),
        given: given.signature.clone(),
        mistakes: Vec::new(),
        or: Vec::new(),
        signed: None,
        signed_bytes: None,
        first_difference: None,
        tried: 0,
        notes: given.notes.clone(),
    };
    match &given.signature {
        None => report.notes.push(Say::new(
            "里面没有签名，没有可比的",
            "there is no signature in it, so nothing to compare",
        )),
        Some(_) if !at_hand.keys.has(given.message.signed_by()) => {
            report.notes.push(lacks_key(&given.message))
        }
        Some(signature) => {
            let examined = examine(&given.message, &at_hand.keys, signature);
            report.examined(examined, &right);
        }
    }
    if let Some(text) = text {
        report.compared(given, at_hand, text, &right);
    }
    report
}

impl Report {
    /// Whether nothing is wrong.
    pub(super) const fn is_good(&self) -> bool {
        matches!(self.verdict, State::Right | State::Uncompared)
    }

    fn examined(&mut self, examined: Examined, right: &[u8]) {
        self.tried = examined.tried;
        let found = match examined.verdict {
            Verdict::Right => {
                self.verdict = State::Right;
                return;
            }
            Verdict::Unknown { key_is_right } => {
                self.verdict = State::Unknown;
                self.notes.extend(key_is_right.then(|| Say::new(
                    "私钥是对的（签名能用这张证书的公钥解开），所以只是签的文字不同：逐字节比较",
                    "the private key is the right one, since its public key opens the signature: only the text is another one, compare it byte by byte",
                )));
                return;
            }
            Verdict::Found(found) => found,
        };
        self.verdict = State::Wrong;
        let said = |found: &Found| found.mistakes.iter().map(Said::new).collect::<Vec<_>>();
        let mut found = found.iter();
        if let Some(first) = found.next() {
            self.mistakes = said(first);
            self.signed = first.signed(KEY).filter(|signed| signed != right).map(|signed| {
                self.first_difference = difference(right, &signed);
                self.signed_bytes = first.signed(LONG_KEY).map(|signed| signed.len());
                String::from_utf8_lossy(&signed).into_owned()
            });
        }
        self.or = found.map(said).collect();
    }

    /// Beside what somebody says that he signed.
    fn compared(&mut self, given: &Given, at_hand: &AtHand, text: &[u8], right: &[u8]) {
        let shown = at_hand.keys.masked(text, KEY);
        let differs = difference(right, &shown);
        self.first_difference = differs;
        self.notes.push(match differs {
            None => {
                Say::new("你签的文字和待签名串一样", "the text that you signed is the one to sign")
            }
            Some(at) => Say::new(
                format!("你签的文字从第 {} 个字节起不同", at.saturating_add(1)),
                format!("the text that you signed differs from byte {} on", at.saturating_add(1)),
            ),
        });
        if let Some(signature) = &given.signature {
            let fits = signs(text, &given.message, &at_hand.keys, signature);
            self.notes.push(if fits {
                Say::new("给出的签名就是这段文字的", "the signature that was given is of that text")
            } else {
                Say::new(
                    "给出的签名不是这段文字的：用的密钥或摘要不同，或者签的是另一段",
                    "the signature that was given is not of that text: another key or digest was used, or another text",
                )
            });
        }
        self.signed_bytes = differs.map(|_| text.len());
        self.signed = differs.map(|_| String::from_utf8_lossy(&shown).into_owned());
    }

    /// For people.
    pub(super) fn print(&self, language: Language) {
        let paint = Paint::stdout();
        let of = self.mchid.as_ref().map(|mchid| {
            format!("  {}", paint.dim(&format!("{} {mchid}", language.of("商户", "merchant"))))
        });
        talk::out(format_args!("{}{}", paint.bold(self.name.of(language)), of.unwrap_or_default()));
        let title = language.of("待签名串", "text to sign");
        let bytes = language.of("字节", "bytes");
        talk::out(format_args!(
            "{} {}",
            paint.cyan(title),
            paint.dim(&format!("({} {bytes})", self.bytes))
        ));
        block(&self.text);
        let line = |name: &str, text: &str| {
            talk::out(format_args!("{} {text}", paint.cyan(&talk::padded(name, 16))));
        };
        if let Some(signature) = &self.signature {
            line(language.of("正确的签名", "right signature"), signature);
        }
        if let Some(given) = &self.given {
            line(language.of("给出的签名", "given signature"), &visible(given));
        }
        let tried = match language {
            Language::Chinese => format!("（试了 {} 种）", self.tried),
            Language::English => format!(" ({} tried)", self.tried),
        };
        match self.verdict {
            State::Right => {
                talk::out(paint.green(language.of("✓ 签名正确", "✓ the signature is right")))
            }
            State::Wrong => talk::out(paint.red(&format!(
                "{}{tried}",
                language.of("✗ 签名不对，找到了原因", "✗ the signature is wrong, and this is why")
            ))),
            State::Unknown => talk::out(paint.red(&format!(
                "{}{tried}",
                language.of(
                    "✗ 签名不对，常见的错误都不是",
                    "✗ the signature is wrong, and by none of the usual mistakes"
                )
            ))),
            State::Uncompared => {}
        }
        self.print_why(language, paint);
        for note in &self.notes {
            talk::out(format_args!("  {} {}", paint.yellow("!"), note.of(language)));
        }
        if self.verdict == State::Unknown {
            look_further(language);
        }
    }

    fn print_why(&self, language: Language, paint: Paint) {
        let line = |name: &str, text: &str| {
            talk::out(format_args!("  {} {text}", paint.cyan(&talk::padded(name, 7))));
        };
        for mistake in &self.mistakes {
            line(language.of("原因", "cause"), mistake.cause.of(language));
            line(language.of("怎么办", "fix"), mistake.fix.of(language));
        }
        for other in &self.or {
            let causes: Vec<_> = other.iter().map(|said| said.cause.of(language)).collect();
            line(language.of("或者", "or"), &causes.join(language.of("；", "; ")));
        }
        let (Some(signed), Some(bytes), Some(at)) =
            (&self.signed, self.signed_bytes, self.first_difference)
        else {
            return;
        };
        let title = language.of("你签的", "what you signed");
        let place = match language {
            Language::Chinese => {
                format!("（{bytes} 字节，第 {} 个起不同）", at.saturating_add(1))
            }
            Language::English => {
                format!(" ({bytes} bytes, other from byte {} on)", at.saturating_add(1))
            }
        };
        talk::out(format_args!("{}{}", paint.cyan(title), paint.dim(&place)));
        block(signed);
        line(language.of("应为", "right"), &excerpt(&self.text, at));
        line(language.of("你的", "yours"), &excerpt(signed, at));
    }
}

fn name(message: &Message) -> (&'static str, Say) {
    match message {
        Message::Fields { sign_type, .. } => {
            let word = sign_type.as_str();
            ("v2", Say::new(format!("APIv2 报文，{word}"), format!("message of APIv2, {word}")))
        }
        Message::Request { .. } => ("v3_request", Say::new("APIv3 请求", "request of APIv3")),
        Message::Answer { .. } => {
            ("v3_answer", Say::new("APIv3 应答或通知", "answer or notification of APIv3"))
        }
        Message::Payment { sign_type, .. } => {
            let word = sign_type.as_str();
            let zh = format!("wx.requestPayment 的五个字段，{word}");
            ("request_payment", Say::new(zh, format!("what wx.requestPayment takes, {word}")))
        }
        Message::Webhook { .. } => {
            ("webhook", Say::new("回调（Standard Webhooks）", "webhook (Standard Webhooks)"))
        }
    }
}

fn lacks_key(message: &Message) -> Say {
    use suanpan_server::client::wechat::mistakes::KeyKind;
    let (zh, en) = match message.signed_by() {
        KeyKind::ApiV2 | KeyKind::ApiV3 | KeyKind::AppSecret => ("APIv2 密钥", "the APIv2 key"),
        KeyKind::Merchant => ("商户私钥或证书", "the merchant's private key or certificate"),
        KeyKind::Platform => {
            ("微信支付公钥或平台证书", "the WeChat Pay public key or the platform certificate")
        }
        KeyKind::Webhook => ("whsec_ 密钥", "the whsec_ secret"),
    };
    Say::new(
        format!("没有{zh}，签名没有核对：用 --config、--key-file 或 --key-env 给出"),
        format!(
            "the signature is not checked for want of {en}: give it by --config, --key-file or --key-env"
        ),
    )
}

fn look_further(language: Language) {
    let steps = language.of(
        "还可以看：① 密钥是不是这个商户号现在的（平台上重设过？） ② 随机串和时间戳签的和发的是不是同一个变量 \
         ③ 签名之后报文有没有再改 ④ 中间的代理有没有改报文 ⑤ 用 --text 给出你签的那段文字，逐字节比较",
        "look further: 1 is the key the present one of this merchant (was it set anew)? 2 are nonce and timestamp the same \
         variables in the text and in the message? 3 was the message changed after it was signed? 4 does a proxy change it? \
         5 give the text that you signed by --text, to compare it byte by byte",
    );
    talk::out(format_args!("  {steps}"));
}

/// The first byte that differs.
fn difference(right: &[u8], other: &[u8]) -> Option<usize> {
    let same = right.iter().zip(other).take_while(|(one, other)| one == other).count();
    (right != other).then_some(same)
}

/// A text with what nobody sees made visible, a line a line.
fn block(text: &str) {
    for line in visible(text).lines() {
        talk::out(format_args!("  {line}"));
    }
}

/// Some of a text around a byte.
fn excerpt(text: &str, at: usize) -> String {
    let boundary = |mut at: usize| {
        while !text.is_char_boundary(at) {
            at = at.saturating_sub(1);
        }
        at
    };
    let (from, to) =
        (boundary(at.saturating_sub(AROUND)), at.saturating_add(AROUND).min(text.len()));
    let part = text.get(from..boundary(to)).unwrap_or_default();
    let (before, after) =
        (if from == 0 { "" } else { "…" }, if to == text.len() { "" } else { "…" });
    format!("{before}{}{after}", visible(part).replace("⏎\n", "⏎").trim_end())
}

/// `⏎` for a line feed, and so on.
pub(super) fn visible(text: &str) -> String {
    let one = |char: char| match char {
        '\n' => "⏎\n".to_owned(),
        '\r' => "␍".to_owned(),
        '\t' => "␉".to_owned(),
        ' ' => "␠".to_owned(),
        char if char.is_control() || INVISIBLE.contains(&char) => {
            format!("<U+{:04X}>", u32::from(char))
        }
        char => char.to_string(),
    };
    text.chars().map(one).collect()
}

/// What stands in place of a key.
const KEY: &str = "***";
/// As long as a key, for whoever counts.
const LONG_KEY: &str = "********************************";
/// Bytes that are shown before and behind a difference.
const AROUND: usize = 30;
/// Characters without a shape of their own.
const INVISIBLE: [char; 10] = [
    '\u{a0}', '\u{ad}', '\u{200b}', '\u{200c}', '\u{200d}', '\u{200e}', '\u{200f}', '\u{2060}',
    '\u{3000}', '\u{feff}',
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nobody_sees_is_shown() {
        assert_eq!(visible("a b\r\n\t\u{feff}茶\u{3000}"), "a␠b␍⏎\n␉<U+FEFF>茶<U+3000>");
    }

    #[test]
    fn a_difference_is_shown_with_its_surroundings() {
        assert_eq!(difference(b"abc", b"abd"), Some(2));
        assert_eq!(difference(b"abc", b"abc\n"), Some(3));
        assert_eq!(difference(b"abc", b"abc"), None);
        let text = format!("{}龙井茶\n{}", "a".repeat(40), "b".repeat(40));
        assert_eq!(excerpt(&text, 41), format!("…{}龙井茶⏎{}…", "a".repeat(29), "b".repeat(21)));
        assert_eq!(excerpt("ab", 2), "ab");
    }
}
