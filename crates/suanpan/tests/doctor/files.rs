//! Who else can read the secrets: rights, and git.
#![cfg(unix)]

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use suanpan_server::doctor::{Wish, examine};

use crate::clinic::{Clinic, V3, wanted};

fn chmod(path: &Path, mode: u32) {
    std::fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

#[tokio::test]
async fn a_secret_is_its_owners_alone() {
    let clinic = Clinic::open(&[V3]).await;
    let key = clinic.key_file(V3, "merchant_private_key");
    for (mode, want) in [
        (0o644, Some("problem files.rights")),
        (0o660, Some("warn files.rights")),
        (0o640, None),
        (0o600, None),
    ] {
        chmod(&key, mode);
        let want: Vec<_> = want.into_iter().collect();
        let report = clinic.examine(true).await;
        clinic.check(&format!("{mode:o}"), &report, &wanted(&want, "chmod 600", "chmod 600"));
    }
    // The configuration holds keys itself.
    let file = clinic.write();
    chmod(&file, 0o644);
    let wish = Wish { offline: true, ..Wish::default() };
    let report = examine(&file, &wish, &clinic.seams).await.unwrap();
    clinic.check("644", &report, &wanted(&["problem files.rights"], "doctor.toml", "doctor.toml"));
}

#[tokio::test]
async fn a_secret_in_git_is_found() {
    let mut clinic = Clinic::open(&[V3]).await;
    let key = clinic.get("merchants.0.api_v3_key");
    clinic.unset("merchants.0.api_v3_key");
    clinic.set("merchants.0.api_v3_key_file", "api_v3.key");
    clinic.file("api_v3.key", key);
    let git = |arguments: &[&str]| {
        let status =
            Command::new("git").arg("-C").arg(clinic.folder.path()).args(arguments).status();
        assert!(status.unwrap().success(), "{arguments:?}");
    };
    git(&["init", "-q"]);
    clinic.check("untracked", &clinic.examine(true).await, &wanted(&[], "", ""));
    git(&["add", "api_v3.key"]);
    let want = &["problem files.tracked"];
    clinic.check(
        "tracked",
        &clinic.examine(true).await,
        &wanted(want, "git rm --cached", "git rm --cached"),
    );
}
