//! The book on disk: one writer at a time, replaced as a whole, never half written.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Write as _};
use std::path::PathBuf;

use super::record::Book;
use crate::forge::ForgeError;

/// Where the book is kept; several processes may use it.
#[derive(Clone, Debug)]
pub(super) struct BookFile {
    folder: PathBuf,
}

impl BookFile {
    pub(super) fn new(folder: PathBuf) -> Self {
        Self { folder }
    }

    /// Reads the book as it stands.
    pub(super) async fn read<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Book) -> Result<T, ForgeError> + Send + 'static,
    ) -> Result<T, ForgeError> {
        let file = self.clone();
        blocking(move || read(&file.load()?)).await
    }

    /// Changes the book while nobody else can; an error leaves it as it was.
    pub(super) async fn change<T: Send + 'static>(
        &self,
        change: impl FnOnce(&mut Book) -> Result<T, ForgeError> + Send + 'static,
    ) -> Result<T, ForgeError> {
        let file = self.clone();
        blocking(move || {
            let lock = File::create(file.folder.join("lock")).map_err(failed)?;
            lock.lock().map_err(failed)?;
            let mut book = file.load()?;
            let answer = change(&mut book)?;
            file.store(&book).map_err(failed)?;
            Ok(answer)
        })
        .await
    }

    fn load(&self) -> Result<Book, ForgeError> {
        match fs::read(self.folder.join("book.json")) {
            Ok(bytes) => serde_json::from_slice(&bytes)
                .map_err(|error| ForgeError::Malformed { reason: format!("book.json: {error}") }),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(Book::default()),
            Err(error) => Err(failed(error)),
        }
    }

    fn store(&self, book: &Book) -> io::Result<()> {
        let draft = self.folder.join("book.json.draft");
        let mut file = File::create(&draft)?;
        serde_json::to_writer_pretty(&mut file, book)?;
        file.write_all(b"\n")?;
        file.sync_data()?;
        fs::rename(draft, self.folder.join("book.json"))
    }
}

/// Keeps file access off the threads that run actors.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, ForgeError> + Send + 'static,
) -> Result<T, ForgeError> {
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|error| Err(failed(error)))
}

fn failed(error: impl ToString) -> ForgeError {
    ForgeError::Transient { reason: format!("ci-forge: {}", error.to_string()), retry_after: None }
}
