//! Other people's programs as processes: what they say goes to a file.

use std::fs::File;
use std::os::unix::fs::MetadataExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};

/// A process that stays up until it is killed.
pub(crate) struct Daemon {
    child: Child,
}

impl Daemon {
    /// Starts it in the language of programs. PostgreSQL does not run as root: where we are root, it runs as its user.
    #[track_caller]
    pub(crate) fn start(mut command: Command, log: &Path) -> Self {
        if let Some((user, group)) = postgres() {
            command.uid(user).gid(group);
        }
        let out = File::options().create(true).append(true).open(log).unwrap();
        command.stdout(out.try_clone().unwrap()).stderr(out).current_dir("/");
        let child = command.spawn();
        let program = command.get_program().to_owned();
        Self { child: child.unwrap_or_else(|cause| panic!("{}: {cause}", program.display())) }
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// Makes a folder that the user of PostgreSQL owns, and nobody else reads.
pub(crate) fn folder(path: PathBuf) -> PathBuf {
    std::fs::create_dir_all(&path).unwrap();
    if let Some((user, group)) = postgres() {
        std::os::unix::fs::chown(&path, Some(user), Some(group)).unwrap();
    }
    path
}

/// Those of whom this one is the parent.
pub(crate) fn children(parent: u32) -> Vec<u32> {
    let processes = std::fs::read_dir("/proc").unwrap().flatten();
    let ids = processes.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    ids.filter(|id| parent_of(*id) == Some(parent)).collect()
}

/// Sends a signal to all of them at once. Some may be gone already.
pub(crate) fn signal(signal: &str, ids: &[u32]) {
    let ids = ids.iter().map(ToString::to_string);
    drop(Command::new("kill").arg(signal).args(ids).output().unwrap());
}

/// Whether it is there, and more than an entry that nobody has asked for yet.
pub(crate) fn lives(id: u32) -> bool {
    stat(id).is_some_and(|(state, _)| state != "Z")
}

fn parent_of(id: u32) -> Option<u32> {
    stat(id)?.1.parse().ok()
}

/// State and parent, which follow the name in brackets.
fn stat(id: u32) -> Option<(String, String)> {
    let stat = std::fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
    let mut rest = stat.rsplit_once(") ")?.1.split(' ');
    Some((rest.next()?.to_owned(), rest.next()?.to_owned()))
}

/// User and group of PostgreSQL, where we are root.
fn postgres() -> Option<(u32, u32)> {
    if std::fs::metadata("/proc/self").unwrap().uid() != 0 {
        return None;
    }
    let users = std::fs::read_to_string("/etc/passwd").unwrap();
    let line = users.lines().find(|line| line.starts_with("postgres:"));
    let mut fields = line.expect("a user postgres").split(':').skip(2);
    let mut next = || fields.next().unwrap().parse().unwrap();
    Some((next(), next()))
}
