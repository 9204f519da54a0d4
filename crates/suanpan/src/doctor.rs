//! `suanpan doctor`: looks a configuration over, and says what is wrong with it and what to do.

use serde_json::json;
use suanpan_server::Seams;
use suanpan_server::doctor::{self, Finding, Mark, Report, Wish};
use suanpan_server::explain::Language;

use crate::cli::{Doctor, Lang};
use crate::problem::Problem;
use crate::talk::{self, Paint};
use crate::{Verdict, log};

/// Bad where there is a problem; what is not as nice as it could be is no reason.
pub(crate) async fn run(arguments: &Doctor) -> Result<Verdict, Problem> {
    let language = match arguments.lang {
        Lang::Zh => Language::Chinese,
        Lang::En => Language::English,
    };
    if arguments.markdown {
        talk::out(doctor::page(language).trim_end());
        return Ok(Verdict::Good);
    }
    // Without these two there is a configuration, or clap has said so.
    let Some(file) = &arguments.config else { return Ok(Verdict::Good) };
    let wish = Wish {
        only: arguments.only.clone(),
        offline: arguments.offline,
        quality: arguments.quality || arguments.only.iter().any(|id| id.starts_with("quality")),
        wrong_level: Some(log::wrong_level),
    };
    let report = doctor::examine(file, &wish, &Seams::default()).await;
    let report = report.map_err(|error| Problem::server_setup(&error))?;
    if arguments.json {
        talk::json(&json!({ "checks": report.checks, "summary": report.summary }));
    } else {
        print(&report, language);
    }
    Ok(if 0 < report.summary.problem { Verdict::Bad } else { Verdict::Good })
}

/// One line for what is well, a paragraph for what is not.
fn print(report: &Report, language: Language) {
    let paint = Paint::stdout();
    for finding in &report.checks {
        line(finding, language, paint);
        if matches!(finding.result, Mark::Warn | Mark::Problem) {
            paragraph(finding, language, paint);
        }
    }
    let summary = report.summary;
    let counts = format!(
        "{} ✓  {} !  {} ✗  {} –",
        summary.ok, summary.warn, summary.problem, summary.skipped
    );
    talk::out(format_args!("\n{} {counts}", language.of("一共", "in all")));
    let mut bad: Vec<_> = report
        .checks
        .iter()
        .filter(|finding| finding.result == Mark::Problem)
        .map(|finding| finding.check.id)
        .collect();
    bad.dedup();
    if !bad.is_empty() {
        let again = language.of("改好后只看这些：", "once corrected, look at these alone: ");
        talk::out(format_args!("{again}suanpan doctor --config … --only {}", bad.join(",")));
    }
}

fn line(finding: &Finding, language: Language, paint: Paint) {
    let mark = match finding.result {
        Mark::Ok => paint.green("✓"),
        Mark::Warn => paint.yellow("!"),
        Mark::Problem => paint.red("✗"),
        Mark::Skipped => paint.dim("–"),
    };
    let id = paint.dim(&talk::padded(finding.check.id, 22));
    let columns = match language {
        Language::Chinese => 26,
        Language::English => 42,
    };
    let name = talk::padded(finding.check.name.of(language), columns);
    let subject =
        if finding.subject.is_empty() { String::new() } else { format!("{}  ", finding.subject) };
    let found = finding.found.of(language);
    talk::out(format_args!("{mark} {id} {name}  {subject}{found}"));
}

fn paragraph(finding: &Finding, language: Language, paint: Paint) {
    let said = |name: &str, text: &str| {
        talk::out(format_args!("    {} {text}", paint.cyan(&talk::padded(name, 8))));
    };
    said(language.of("为什么", "why"), finding.check.why.of(language));
    if let Some(fix) = &finding.fix {
        said(language.of("怎么办", "fix"), fix.of(language));
    }
    if let Some(code) = &finding.code {
        said(language.of("更多", "more"), &format!("suanpan explain {code}"));
    }
}
