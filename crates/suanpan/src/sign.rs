//! `suanpan sign`: the text that must be signed, the right signature, and why another one is wrong.
//!
//! Needs no server and no network. What comes in says by itself what it is ([`given`]): a line of curl, raw HTTP,
//! JSON, XML. Keys come from a configuration, a file or a variable, never from the command line, and no key is
//! ever printed.

mod curl;
mod given;
mod http;
mod json;
mod keys;
mod report;

use std::fs;
use std::io::Read as _;

use serde::Serialize;
use suanpan_server::explain::Language;

use crate::Verdict;
use crate::cli::{Lang, Sign};
use crate::problem::Problem;
use crate::talk;

use given::Given;
use keys::AtHand;

/// Something to say, in both languages.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Say {
    zh: String,
    en: String,
}

impl Say {
    fn new(zh: impl Into<String>, en: impl Into<String>) -> Self {
        Self { zh: zh.into(), en: en.into() }
    }

    fn of(&self, language: Language) -> &str {
        language.of(&self.zh, &self.en)
    }
}

/// Reads, examines, and says what comes of it. Bad where the signature is wrong.
pub(crate) fn run(arguments: &Sign) -> Result<Verdict, Problem> {
    let language = match arguments.lang {
        Lang::Zh => Language::Chinese,
        Lang::En => Language::English,
    };
    let accounts = arguments.config.as_deref().map(keys::accounts).transpose()?;
    let app = arguments.app.clone().or_else(|| accounts.as_ref().and_then(keys::default_app));
    let input = input(arguments)?;
    let mut given =
        Given::read(&input, app.as_deref()).map_err(|why| not_understood(&why, language))?;
    if let Some(against) = &arguments.against {
        given.signature = Some(against.clone());
    }

    let at_hand = AtHand::find(arguments, accounts.as_ref(), &mut given)?;
    let text = arguments.text.as_deref().map(fs::read).transpose();
    let text =
        text.map_err(|cause| Problem::machine("the file of --text cannot be read", &cause))?;
    let report = report::make(&given, &at_hand, text.as_deref());
    if arguments.json {
        talk::json(&report);
    } else {
        report.print(language);
    }
    Ok(if report.is_good() { Verdict::Good } else { Verdict::Bad })
}

/// A file, or standard input.
fn input(arguments: &Sign) -> Result<Vec<u8>, Problem> {
    let mut bytes = Vec::new();
    let read = match arguments.file.as_deref() {
        Some(file) if file.as_os_str() != "-" => {
            fs::File::open(file).and_then(|file| file.take(LONGEST).read_to_end(&mut bytes))
        }
        Some(_) | None => std::io::stdin().take(LONGEST).read_to_end(&mut bytes),
    };
    read.map_err(|cause| Problem {
        code: CODE.to_owned(),
        ..Problem::machine("the input cannot be read", &cause)
    })?;
    Ok(bytes)
}

fn not_understood(why: &Say, language: Language) -> Problem {
    Problem {
        code: CODE.to_owned(),
        detail: language.of("看不懂给的内容", "what was given is not understood").to_owned(),
        cause: Some(why.of(language).to_owned()),
        remedy: language
            .of(
                "给一条 curl 命令、一段 HTTP 原文、XML、JSON，或 wx.requestPayment 的五个字段；见 docs/how-to/signature.md",
                "give a line of curl, raw HTTP, XML, JSON, or the five fields of wx.requestPayment; see docs/how-to/signature.en.md",
            )
            .to_owned(),
        exit: Problem::SETUP,
    }
}

const CODE: &str = "SP-SIGN-INPUT";
/// Bytes that are read at most.
const LONGEST: u64 = 4 * 1024 * 1024;
