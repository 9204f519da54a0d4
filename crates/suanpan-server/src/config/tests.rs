//! What can be set, and how mistakes are named.

use super::load::Source;
use super::*;

#[test]
fn the_defaults_are_complete() {
    let config = Config::parse("", Path::new("/etc/suanpan")).unwrap();
    assert_eq!(config.server.listen.to_string(), "127.0.0.1:8080");
    assert!(config.merchants.is_empty() && config.webhooks.endpoints.is_empty());
}

/// The text is refused, and the refusal says this.
#[track_caller]
fn check(text: &str, says: &str) {
    let error = Config::parse(text, Path::new(".")).unwrap_err();
    assert!(error.to_string().contains(says), "{error}");
}

/// What is said of a text under these variables.
fn said(text: &str, variables: &[(&str, &str)]) -> Vec<String> {
    read(text, variables).1.iter().map(ToString::to_string).collect()
}

fn read(text: &str, variables: &[(&str, &str)]) -> (Option<Config>, Vec<Mistake>) {
    let pairs = variables.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned()));
    Source { name: "suanpan.toml", text, base: Path::new(".") }.read(pairs)
}

#[test]
fn a_mistake_is_named_where_it_stands() {
    check("[server]\nlisten_on = \"127.0.0.1:80\"", "suanpan.toml:2:1, server.listen_on");
    check("[server]\nlisten = \"nowhere\"", "suanpan.toml:2:10, server.listen");
    check("[log]\nformat = \"xml\"", "log.format");
    check(
        "[[merchants]]\nmchid = \"1\"\napi = \"v4\"\napps = []",
        "suanpan.toml:3:7, merchants[0].api",
    );
    check(
        "[[merchants]]\nmchid = 19\napi = \"v3\"\napps = []",
        "it is a number, and should be a text",
    );
    check(
        "[[merchants]]\nmchid = \"1\"\napi = \"v3\"",
        "merchants[0].apps: 缺少这一项 / it is missing",
    );
    check("[server]\nmax_connections = 2.5", "it is a number that is not whole");
    check("[server]\nmax_connections = 99999999999999999999", "far too large");
    check("server = 1", "should be a table of settings");
    check("[server]\nlisten = \"127.0.0.1:80\"\nlisten = \"127.0.0.1:81\"", "suanpan.toml:3:1: ");
}

#[test]
fn the_nearest_name_is_offered() {
    check("[sever]\nlisten = \"127.0.0.1:80\"", "did you mean server?");
    check("[server]\nlisten_on = \"127.0.0.1:80\"", "did you mean server.listen?");
    check(
        "[[merchants]]\nmchid = \"1\"\napi = \"v3\"\napps = []\napi_v3_kye = \"x\"",
        "did you mean merchants[0].api_v3_key?",
    );
    check("[[merchant]]\nmchid = \"1\"", "merchant: 没有这个设置，是不是 merchants？");
    // The right name under the wrong head.
    check("[server]\nextra_payment = \"hold\"", "did you mean orders.extra_payment?");
    let lost = read("[server]\ntea = 1", &[]).1;
    assert_eq!((lost.len(), &lost[0].nearest), (1, &None));
}

#[test]
fn all_mistakes_are_told_at_once() {
    let text = "[server]\nlisten = \"nowhere\"\nmax_body_bytes = 1\nlisten_on = 1\n[log]\nformat = \"xml\"\n\
                [[merchants]]\napi = \"v3\"\napps = [{ secret = 5 }]\nmchid = \"1\"\n[sever]\n";
    let said =
        said(text, &[("SUANPAN_SEVER__LISTEN", "x"), ("SUANPAN_WECHAT__TIMEOUT_SECONDS", "soon")]);
    let starts: Vec<_> = said.iter().map(|line| line.split(": ").next().unwrap()).collect();
    assert_eq!(
        starts,
        [
            "suanpan.toml:2:10, server.listen",
            "suanpan.toml:3:18, server.max_body_bytes",
            "suanpan.toml:4:1, server.listen_on",
            "suanpan.toml:6:10, log.format",
            "suanpan.toml:9:9, merchants[0].apps[0].appid",
            "suanpan.toml:9:20, merchants[0].apps[0].secret",
            "suanpan.toml:11:2, sever",
            "SUANPAN_SEVER__LISTEN, sever",
            "SUANPAN_WECHAT__TIMEOUT_SECONDS, wechat.timeout_seconds",
        ],
        "{said:#?}"
    );
    check("[server\n[log]\nformat = \n", "2 places");
}

#[test]
fn what_is_right_is_there_beside_what_is_wrong() {
    let (config, mistakes) = read(
        "[server]\nlisten = \"nowhere\"\nmax_connections = 7\n[[merchants]]\nmchid = \"1900000109\"",
        &[],
    );
    let config = config.unwrap();
    assert_eq!(mistakes.len(), 3, "{mistakes:?}");
    assert_eq!((config.server.max_connections, config.server.listen.port()), (7, 8080));
    assert_eq!(config.merchants[0].mchid, "1900000109");
}

#[test]
fn a_mistake_in_a_secret_does_not_show_it() {
    let head = "[[merchants]]\nmchid = \"1\"\napi = \"v3\"\n";
    for line in [
        "api_v3_key = \"hunter2hunter2",
        "api_v3_key = 4711471147114711",
        "api_v3_key = [\"hunter2\"]",
        "api_v3_kye = \"hunter2\"",
        "api_v3_key = hunter2",
        "apps = [{ secret = \"hunter2\", appid = 5 }]",
        "apps = [{ secret = \"hunter2\", sceret = 5 }]",
        "apps = [{ secret = \"hunter2\" \"hunter2\" }]",
        "merchant_private_key = \"\"\"-----BEGIN PRIVATE KEY-----\nhunter2\"\"\"\nmerchant_private_key = 1",
        "api_v3_key = \"hunter2\"\napi_v3_key_file = \"hunter.key\"",
        "hunter2",
        "[database]\nurl = [\"postgres://suanpan:hunter2@db\"]",
        "[database]\nurl = postgres://suanpan:hunter2@db",
    ] {
        let error = Config::parse(&format!("{head}{line}\n"), Path::new(".")).unwrap_err();
        let shown = format!("{} {error:?}", crate::error::chain(&error));
        assert!(!shown.contains("hunter2") && !shown.contains("4711"), "{line}: {shown}");
    }
    let (_, mistakes) = read("", &[("SUANPAN_MERCHANTS__0__API_V3_KYE", "hunter2")]);
    assert!(!format!("{mistakes:?}").contains("hunter2"), "{mistakes:?}");
}

#[test]
fn a_line_is_shown_where_it_is_no_secret() {
    check("[server]\nlisten = \"nowhere\" # port 80", "\n       2 | listen = \"nowhere\"");
    check("[server]\nlisten = 127.0.0.1:80", "| listen = 127.0.0.1:80");
    check("[sever]\n", "| [sever]");
    check("[[merchants]]\napi_v3_key = 5", "| api_v3_key = …");
}

#[test]
fn a_server_that_could_do_nothing_does_not_start() {
    check("[server]\nmax_body_bytes = 0", "max_body_bytes");
    check("[server]\nmax_concurrent_requests = 0", "max_concurrent_requests");
    check("[server]\nrequest_timeout_seconds = 60", "1 to 50");
    check("[wechat]\ntimeout_seconds = 0", "timeout_seconds");
    check("[retention]\ninbox_days = 6", "7 to 36500");
    check("[retention]\ndeliveries_days = 36501", "7 to 36500");
    check("[retention]\nbills_days = -1", "7 to 36500");
    check("[orders]\nprepay_seconds = 7201", "1 to 7200");
    check("[console]\nidle_minutes = 0", "1 to 720");
    check("[refunds]\nsecond_person_above = -1", "must not be negative");
    check("[limits]\npay_per_minute = 0", "a whole number above 0");
    check("[server]\ncors_origins = [\"shop.example.com\"]", "not an origin");
}

#[test]
fn a_secret_is_not_printed() {
    let text = "[[merchants]]\nmchid = \"1\"\napi = \"v2\"\napi_v2_key = \"hunter2\"\nmerchant_private_key = \"-----BEGIN hunter2\"\napps = []";
    let print = format!("{:?}", Config::parse(text, Path::new(".")).unwrap());
    assert!(!print.contains("hunter2"), "{print}");
}

/// One variable for each setting, each of them of the type that the setting has.
#[test]
fn every_setting_has_a_variable() {
    for (name, variable, _) in settings() {
        let (zero, one) = (variable.clone(), "1".to_owned());
        let (_, mistakes) =
            Source { name: "", text: "", base: Path::new(".") }.read([(zero, one)].into_iter());
        let own =
            mistakes.iter().filter(|mistake| mistake.place == Place::Environment(variable.clone()));
        // A one is no address and no word; but there is such a setting.
        for mistake in own.filter(|mistake| mistake.key == name) {
            assert!(
                !mistake.en.contains("no such setting") && !mistake.en.contains("table"),
                "{mistake}"
            );
        }
        assert!(
            mistakes.iter().all(|mistake| !mistake.en.contains("no such setting")),
            "{mistakes:?}"
        );
    }
}

#[test]
fn a_whole_business_fits_into_the_environment() {
    let (config, mistakes) = read(
        "",
        &[
            ("SUANPAN_SERVER__LISTEN", "0.0.0.0:80"),
            ("SUANPAN_SERVER__MAX_CONNECTIONS", "7"),
            ("SUANPAN_SERVER__TRUSTED_PROXIES", "[\"127.0.0.1\", ::1]"),
            ("SUANPAN_SERVER__CORS_ORIGINS__0", "https://shop.example.com"),
            ("SUANPAN_RECONCILIATION__ENABLED", "false"),
            ("SUANPAN_LOG__LEVEL", ""),
            ("SUANPAN_MERCHANTS__0__MCHID", "1900000109"),
            ("SUANPAN_MERCHANTS__0__API", "v3"),
            ("SUANPAN_MERCHANTS__0__API_V3_KEY", "01234567890123456789012345678901"),
            (
                "SUANPAN_MERCHANTS__0__MERCHANT_PRIVATE_KEY",
                "-----BEGIN PRIVATE KEY-----\\nMII\\n-----END PRIVATE KEY-----\\n",
            ),
            ("SUANPAN_MERCHANTS__0__PLATFORM_CERTIFICATES", "one.pem,two.pem"),
            ("SUANPAN_MERCHANTS__0__APPS__0__APPID", "wx2421b1c4370ec43b"),
            ("SUANPAN_MERCHANTS__0__APPS__0__SECRET_FILE", "/run/secrets/app"),
            ("SUANPAN_WEBHOOKS__ENDPOINTS__0__URL", "https://shop.example.com/hook"),
            ("SUANPAN_LOG", "debug"),
            ("SUANPAN_API_KEY", "sk_1"),
        ],
    );
    assert!(mistakes.is_empty(), "{mistakes:?}");
    let config = config.unwrap();
    assert_eq!(config.server.listen.port(), 80);
    assert_eq!((config.server.max_connections, config.server.trusted_proxies.len()), (7, 2));
    assert_eq!(config.server.cors_origins, ["https://shop.example.com"]);
    assert!(!config.reconciliation.enabled && config.log.level == "info");
    let merchant = &config.merchants[0];
    // Digits alone are no number where a text is wanted.
    assert_eq!(merchant.mchid, "1900000109");
    assert_eq!(merchant.api_v3_key.as_ref().unwrap().expose().len(), 32);
    assert_eq!(merchant.platform_certificates.len(), 2);
    let key = config.pem("", merchant.merchant_private_key.as_ref().unwrap()).unwrap();
    assert_eq!(key, "-----BEGIN PRIVATE KEY-----\nMII\n-----END PRIVATE KEY-----\n");
    assert_eq!(merchant.apps[0].secret_file, Some("/run/secrets/app".into()));
}

#[test]
fn a_variable_overrules_the_file_and_its_twin() {
    let file = "[[merchants]]\nmchid = \"1900000109\"\napi = \"v3\"\napi_v3_key_file = \"old.key\"\napi_v2_key = \"old\"\n\
                apps = [{ appid = \"wx2421b1c4370ec43b\", secret = \"old\" }]";
    let (config, mistakes) = read(
        file,
        &[
            ("SUANPAN_MERCHANTS__0__API_V3_KEY", "new"),
            ("SUANPAN_MERCHANTS__1900000109__API_V2_KEY_FILE", "new.key"),
            ("SUANPAN_MERCHANTS__0__APPS__WX2421B1C4370EC43B__SECRET", "new"),
        ],
    );
    assert!(mistakes.is_empty(), "{mistakes:?}");
    let merchant = &config.unwrap().merchants[0];
    assert_eq!(merchant.api_v3_key.as_ref().unwrap().expose(), "new");
    assert_eq!((&merchant.api_v3_key_file, merchant.api_v2_key.is_none()), (&None, true));
    assert_eq!(merchant.api_v2_key_file, Some("new.key".into()));
    assert_eq!(merchant.apps[0].secret.as_ref().unwrap().expose(), "new");

    // Both in one place: nobody knows which is meant.
    let both = "[[merchants]]\nmchid = \"1\"\napi = \"v3\"\napi_v3_key_file = \"a\"\napi_v3_key = \"b\"\napps = []";
    check(both, "suanpan.toml:4:19, merchants[0].api_v3_key_file");
    check("[database]\nurl = \"sqlite:a\"\nurl_file = \"b\"", "write it or database.url, not both");
}

#[test]
fn a_variable_that_nobody_knows_is_named() {
    let check = |name: &str, says: &str| {
        let said = said("", &[(name, "1")]);
        assert!(said.len() == 1 && said[0].starts_with(name) && said[0].contains(says), "{said:?}");
    };
    check("SUANPAN_SEVER__LISTEN", "did you mean SUANPAN_SERVER__LISTEN?");
    check("SUANPAN_SERVER__LISTN", "did you mean SUANPAN_SERVER__LISTEN?");
    check("SUANPAN_SERVER__LISTEN__PORT", "no such setting");
    check("SUANPAN_SERVER_LISTEN", "two underscores go between the levels: SUANPAN_SERVER__LISTEN");
    check("SUANPAN_MERCHANTS__1__MCHID", "there is none yet");
    check("SUANPAN_MERCHANTS__TEA__MCHID", "there is none yet");
}

#[test]
fn the_database_may_stand_in_a_file_of_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let text = "[database]\nurl_file = \"database\"";
    let error = Config::parse(text, folder.path()).unwrap_err().to_string();
    assert!(
        error.contains("suanpan.toml:2:12, database.url_file") && error.contains("cannot read"),
        "{error}"
    );
    std::fs::write(folder.path().join("database"), "postgres://suanpan:hunter2@db/suanpan\n")
        .unwrap();
    let config = Config::parse(text, folder.path()).unwrap();
    assert_eq!(config.database.url, "postgres://suanpan:hunter2@db/suanpan");
    assert!(!format!("{config:?}").contains("hunter2"));
}

/// `config.default.toml` is the documentation: what is in it exists, and what exists is in it.
#[test]
fn every_setting_is_documented() {
    // A line such as `# [webhooks.endpoints]`, `#   [[merchants.apps]]` or `# url = "…"`, with or without the mark.
    let mut documented = std::collections::BTreeSet::new();
    let mut group = String::new();
    for line in DEFAULTS.lines() {
        let line = line.trim_start_matches('#').trim();
        let head = line.strip_prefix('[').and_then(|line| line.strip_suffix(']'));
        if let Some(head) = head.map(|head| head.trim_matches(['[', ']'])) {
            group = head
                .replace("merchants", "merchants[0]")
                .replace("endpoints", "endpoints[0]")
                .replace("apps", "apps[0]");
        } else if let Some((key, _)) = line.split_once(" = ")
            && key
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
        {
            documented.insert(format!("{group}.{key}"));
        }
    }
    let exist: std::collections::BTreeSet<_> =
        settings().map(|(name, _, _)| name.trim_end_matches("[0]").to_owned()).collect();
    let undocumented: Vec<_> = exist.difference(&documented).collect();
    let invented: Vec<_> = documented.difference(&exist).collect();
    assert!(
        undocumented.is_empty() && invented.is_empty(),
        "undocumented: {undocumented:?}, invented: {invented:?}"
    );
}

/// The page lists each setting with its variable, and whether it is taken without a restart; and no other.
#[test]
fn the_page_lists_every_setting() {
    let row = |(name, variable, _): (String, String, bool)| {
        let taken = if crate::reload::is_taken(&name) { "✓" } else { "" };
        format!("| `{name}` | `{variable}` | {taken} |")
    };
    let wanted: std::collections::BTreeSet<_> = settings().map(row).collect();
    for page in [
        include_str!("../../../../docs/operations/configuration.md"),
        include_str!("../../../../docs/operations/configuration.en.md"),
    ] {
        let listed =
            page.lines().filter(|line| line.starts_with("| `")).map(str::to_owned).collect();
        let missing: Vec<_> = wanted.difference(&listed).collect();
        let invented: Vec<_> = listed.difference(&wanted).collect();
        assert!(
            missing.is_empty() && invented.is_empty(),
            "missing: {missing:#?}, invented: {invented:#?}"
        );
    }
}
