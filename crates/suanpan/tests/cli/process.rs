//! Starts the real binary, reads what it says, and ends it as an operator does.

use std::io::{BufRead as _, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

use serde_json::Value;

/// Longer than anything takes on a busy machine: a test that waits this long has failed.
const PATIENCE: Duration = Duration::from_secs(90);

/// The binary, deaf to the log settings of whoever runs the tests.
pub(crate) fn suanpan(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_suanpan"));
    command.args(arguments).env_remove("RUST_LOG").env_remove("SUANPAN_LOG");
    command
}

/// Runs a finite command to its end.
#[track_caller]
pub(crate) fn run(arguments: &[&str]) -> Ended {
    finish(suanpan(arguments))
}

/// Runs this command to its end.
#[track_caller]
pub(crate) fn finish(command: Command) -> Ended {
    Spoken::start(command).end()
}

/// How a process ended, and all that it said.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Ended {
    /// The one object that was printed.
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|cause| panic!("{cause}: {self:?}"))
    }
}

/// A process that stays up.
pub(crate) struct Running {
    process: Spoken,
    /// Its ready line.
    pub(crate) ready: Value,
}

impl Running {
    /// Starts it, and waits until it is ready.
    #[track_caller]
    pub(crate) fn start(arguments: &[&str]) -> Self {
        Self::start_command(suanpan(arguments))
    }

    /// Starts this command, and waits until it is ready.
    #[track_caller]
    pub(crate) fn start_command(command: Command) -> Self {
        let process = Spoken::start(command);
        let Ok(line) = process.stdout.recv_timeout(PATIENCE) else {
            panic!("it never was ready: {:?}", process.end());
        };
        let ready: Value = serde_json::from_str(&line).unwrap();
        assert_eq!(ready["ready"], true, "{line}");
        Self { process, ready }
    }

    /// Starts a command that says nothing on standard output before its end.
    pub(crate) fn silent(command: Command) -> Self {
        Self { process: Spoken::start(command), ready: Value::Null }
    }

    /// A text of its ready line.
    #[track_caller]
    pub(crate) fn says(&self, name: &str) -> String {
        self.ready[name].as_str().unwrap_or_else(|| panic!("{name} in {}", self.ready)).to_owned()
    }

    /// Sends a signal, and waits for the end. All that it said on standard error is told.
    #[track_caller]
    pub(crate) fn end(self, signal: &str) -> Ended {
        self.signal(signal);
        self.process.end()
    }

    /// Sends a signal.
    #[track_caller]
    pub(crate) fn signal(&self, signal: &str) {
        let id = self.process.child.id().to_string();
        assert!(Command::new("kill").args([signal, &id]).status().unwrap().success());
    }

    /// Waits until it says this on standard error; answers the line.
    #[track_caller]
    pub(crate) fn hear(&self, text: &str) -> String {
        loop {
            let line = self.process.stderr.recv_timeout(PATIENCE).unwrap();
            if line.contains(text) {
                return line;
            }
        }
    }
}

/// A process, and what it says while it runs.
struct Spoken {
    child: Child,
    stdout: Receiver<String>,
    stderr: Receiver<String>,
}

impl Spoken {
    fn start(mut command: Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let stdout = spoken(child.stdout.take().unwrap());
        let stderr = spoken(child.stderr.take().unwrap());
        Self { child, stdout, stderr }
    }

    /// Waits for the end; ends a process that says nothing for too long.
    fn end(mut self) -> Ended {
        let mut rest = |channel: &Receiver<String>| {
            let mut lines = String::new();
            loop {
                match channel.recv_timeout(PATIENCE) {
                    Ok(line) => lines.extend([line.as_str(), "\n"]),
                    Err(RecvTimeoutError::Disconnected) => return lines,
                    Err(RecvTimeoutError::Timeout) => self.child.kill().unwrap(),
                }
            }
        };
        let (stdout, stderr) = (rest(&self.stdout), rest(&self.stderr));
        Ended { code: self.child.wait().unwrap().code(), stdout, stderr }
    }
}

impl Drop for Spoken {
    fn drop(&mut self) {
        // A test that failed leaves nobody behind.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn spoken(stream: impl Read + Send + 'static) -> Receiver<String> {
    let (said, heard) = channel();
    thread::spawn(move || {
        for line in BufReader::new(stream).lines().map_while(Result::ok) {
            if said.send(line).is_err() {
                return;
            }
        }
    });
    heard
}

/// A path as an argument.
pub(crate) fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}
