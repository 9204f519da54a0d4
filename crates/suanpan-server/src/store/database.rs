//! Which database, and how its connections are set up.

use std::fmt;
use std::fs::OpenOptions;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rusqlite::{Connection, ErrorCode};

use super::StoreError;
use super::pg::Address;

/// How long a statement waits for another process that holds the file.
const PATIENCE: Duration = Duration::from_secs(5);

/// Between two tries that SQLite does not make by itself.
const PAUSE: Duration = Duration::from_millis(10);

/// More statements than the program has, so that each is prepared once.
const STATEMENTS: usize = 384;

/// The address of a database.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Database {
    /// An SQLite file.
    Lite(PathBuf),
    /// A database on a PostgreSQL server.
    Pg(Box<Address>),
}

impl Database {
    /// Reads `sqlite:PATH` or `postgres://USER:PASSWORD@HOST/DATABASE`; a relative path starts at `base`, the directory of
    /// the configuration.
    pub fn parse(url: &str, base: &Path) -> Result<Self, StoreError> {
        let parsed = if let Some(path) = url.strip_prefix("sqlite:") {
            let path = path.strip_prefix("//").unwrap_or(path);
            let is_path = !path.is_empty() && !path.starts_with(':');
            is_path.then(|| Self::Lite(base.join(path)))
        } else if url.starts_with("postgres://") || url.starts_with("postgresql://") {
            Address::parse(url, base).map(|address| Self::Pg(Box::new(address)))
        } else {
            None
        };
        parsed.ok_or_else(|| StoreError::Url { url: without_password(url) })
    }
}

/// As people may see it: without user and password.
impl fmt::Display for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Lite(path) => write!(f, "sqlite:{}", path.display()),
            Self::Pg(address) => address.fmt(f),
        }
    }
}

/// The connection that writes: durable at every commit.
pub(super) fn open_writer(path: &Path) -> Result<Connection, StoreError> {
    create(path)
        .map_err(|cause| StoreError::Open { path: path.to_owned(), cause: Arc::new(cause) })?;
    // 64 MiB of pages: with SQLite's two, an index of a long history is read again for each row that is written.
    let settings = "PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON; PRAGMA cache_size=-65536;";
    let connection = open(path, settings)?;
    write_ahead(&connection).map_err(|cause| not_opened(path, cause))?;
    Ok(connection)
}

/// Two that turn a new file to this mode at once would wait for each other for ever. SQLite sees that, and tells one that
/// the file is locked without waiting as it does elsewhere: so it is done here.
fn write_ahead(connection: &Connection) -> rusqlite::Result<()> {
    let mut left = PATIENCE;
    loop {
        match connection.execute_batch("PRAGMA journal_mode=WAL;") {
            Err(locked)
                if locked.sqlite_error_code() == Some(ErrorCode::DatabaseBusy)
                    && !left.is_zero() =>
            {
                left = left.saturating_sub(PAUSE);
                std::thread::sleep(PAUSE);
            }
            turned => return turned,
        }
    }
}

/// A connection that only reads.
pub(super) fn open_reader(path: &Path) -> Result<Connection, StoreError> {
    // 32 MiB of pages for each of a few: what leads to the rows of a long history stays, and only the rows are fetched.
    open(path, "PRAGMA query_only=ON; PRAGMA cache_size=-32768;")
}

fn open(path: &Path, settings: &str) -> Result<Connection, StoreError> {
    let opened = || {
        let connection = Connection::open(path)?;
        connection.busy_timeout(PATIENCE)?;
        connection.execute_batch(settings)?;
        connection.set_prepared_statement_cache_capacity(STATEMENTS);
        Ok(connection)
    };
    opened().map_err(|cause| not_opened(path, cause))
}

fn not_opened(path: &Path, cause: rusqlite::Error) -> StoreError {
    StoreError::Open { path: path.to_owned(), cause: Arc::new(cause) }
}

/// The file holds openids and secrets of webhooks, so it is its owner's alone from its first byte on.
/// SQLite gives the log beside it the same mode.
fn create(path: &Path) -> std::io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map(drop)
}

/// An address may carry a password, and this one is shown.
pub(crate) fn without_password(url: &str) -> String {
    let url = url.split_once('?').map_or(url, |(head, _)| head);
    match (url.split_once("://"), url.rsplit_once('@')) {
        (Some((scheme, _)), Some((_, host))) => format!("{scheme}://…@{host}"),
        // libpq's other form, `host=… password=…`, or one that was typed badly.
        (None, _) if url.contains('=') || url.contains('@') => "…".to_owned(),
        _ => url.to_owned(),
    }
}
