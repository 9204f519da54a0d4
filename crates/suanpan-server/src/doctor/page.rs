//! All checks as a page: the table of `docs/operations/doctor.md` and its English twin.

use super::checks::checks;
use crate::explain::Language;

/// The checks as Markdown.
pub fn page(language: Language) -> String {
    let mut page = language.of(HEAD_ZH, HEAD_EN).to_owned();
    page.push_str(language.of(
        "\n| 检查 | 看什么 | 为什么 |\n|---|---|---|\n",
        "\n| check | what it looks at | why |\n|---|---|---|\n",
    ));
    for check in checks() {
        let online =
            if check.online { language.of("（要联网）", " (asks others)") } else { "" };
        let (what, why) = (check.name.of(language), check.why.of(language));
        page.push_str(&format!("| `{}` | {what}{online} | {why} |\n", check.id));
    }
    page
}

const HEAD_ZH: &str = include_str!("page.zh.txt");
const HEAD_EN: &str = include_str!("page.en.txt");
