//! The database of a test: a file in the test's folder; or, where `SUANPAN_TEST_DATABASE` names a PostgreSQL server
//! (`postgres://user:password@host:port`), a database on it that has the name of the folder.

use std::path::Path;

/// The address of the database that belongs to this folder, the same at each call.
pub(crate) fn url(folder: &Path) -> String {
    match std::env::var("SUANPAN_TEST_DATABASE") {
        Ok(server) => {
            let name = folder.file_name().and_then(|name| name.to_str()).unwrap();
            // A few connections for each of the many backends that run at a time.
            format!("{server}/test{name}?connections=8")
        }
        Err(_) => "sqlite:suanpan.db".to_owned(),
    }
}
