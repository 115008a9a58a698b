//! Files that commands have left: listed, and sent to be saved.
//!
//! They are hostile to the last byte. None is ever sent as what it claims to be: the type is that of no
//! document, the answer says that it is to be saved and not shown, and whoever shows it all the same does so
//! in a sandbox without scripts.

use std::fs::File;
use std::io;

use axum::Json;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use ci_build::KeptFile;
use ci_domain::ids::AttemptId;
use ci_exec::Artifact;
use futures_util::{Stream, stream};
use heights::Fault;
use tokio::io::{AsyncReadExt, AsyncSeekExt};

use super::place::{KeptPath, Named};
use crate::access::{Allowed, Look};
use crate::ask;
use crate::ask::in_path;
use crate::problem::Problem;
use crate::site::Site;
use crate::wire::{Artifacts, CommandRef};

/// How much is read and sent at once, in bytes.
const PIECE: usize = 64 << 10;
/// Digits of the digest that name a content, as many as other answers have.
const TAG: usize = 24;
/// What a browser may do that shows it against our word.
const POLICY: &str = "default-src 'none'; sandbox; frame-ancestors 'none'";

pub(super) async fn list(
    State(site): State<Site>,
    _: Allowed<Look>,
    Named(attempt): Named<AttemptId>,
) -> Result<Json<Artifacts>, Problem> {
    ask::job_run(&site, &attempt).await?;
    Ok(Json(ask::artifacts(&site, &attempt).await?))
}

/// One file, or a part of it.
pub(super) async fn download(
    State(site): State<Site>,
    _: Allowed<Look>,
    KeptPath(command, path): KeptPath,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let (artifact, file) = find(&site, command, path).await?;
    let etag = format!("\"{}\"", &artifact.digest.as_str()[..TAG]);
    let whole = Part { from: 0, length: artifact.bytes };
    let (status, part) = match asked_for(&headers, artifact.bytes, &etag) {
        Wanted::Known => {
            let mut response = StatusCode::NOT_MODIFIED.into_response();
            set(&mut response, header::ETAG, &etag);
            return Ok(response);
        }
        Wanted::Nothing => {
            let mut response = Problem::new(
                StatusCode::RANGE_NOT_SATISFIABLE,
                format!("the file has {} bytes", artifact.bytes),
            )
            .into_response();
            set(&mut response, header::CONTENT_RANGE, &format!("bytes */{}", artifact.bytes));
            return Ok(response);
        }
        Wanted::Whole => (StatusCode::OK, whole),
        Wanted::Part(part) => (StatusCode::PARTIAL_CONTENT, part),
    };
    let body = Body::from_stream(pieces(file, part));
    let mut response = described(&artifact, &etag, status, body);
    set(&mut response, header::CONTENT_LENGTH, &part.length.to_string());
    if status == StatusCode::PARTIAL_CONTENT {
        let last = part.from + part.length - 1;
        let range = format!("bytes {}-{last}/{}", part.from, artifact.bytes);
        set(&mut response, header::CONTENT_RANGE, &range);
    }
    Ok(response)
}

async fn find(
    site: &Site,
    CommandRef { attempt, command }: CommandRef,
    path: String,
) -> Result<(Artifact, File), Problem> {
    let runs = site.node().runs().clone();
    let read = move || runs.kept_file((&attempt, &command), &path);
    let read = tokio::task::spawn_blocking(read).await;
    let found = read.map_err(Fault::from).and_then(|found| found);
    match found.map_err(|error| Problem::unavailable("read the artifact", &error))? {
        Some(KeptFile::There(artifact, file)) => Ok((artifact, file)),
        Some(KeptFile::Removed(_)) => {
            Err(Problem::not_found("it was removed, since there was no room for all that is kept"))
        }
        None => Err(Problem::not_found("the command has left no such file")),
    }
}

/// The answer with all that is said of the file.
fn described(artifact: &Artifact, etag: &str, status: StatusCode, body: Body) -> Response {
    let mut response = (status, body).into_response();
    for (name, value) in [
        (header::CONTENT_TYPE, "application/octet-stream"),
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::ACCEPT_RANGES, "bytes"),
        (header::CACHE_CONTROL, "private, no-cache"),
        (header::ETAG, etag),
        (header::CONTENT_DISPOSITION, &disposition(&artifact.path)),
    ] {
        set(&mut response, name, value);
    }
    response
}

fn set(response: &mut Response, name: header::HeaderName, value: &str) {
    let value = HeaderValue::from_str(value).expect("digits and words of ASCII are a value");
    response.headers_mut().insert(name, value);
}

/// To be saved under its name: in letters that every browser takes, and then in full.
fn disposition(path: &str) -> String {
    let name = path.rsplit('/').next().unwrap_or_default();
    let is_plain =
        |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '.' | '-' | '_');
    let plain: String =
        name.chars().map(|letter| if is_plain(letter) { letter } else { '_' }).collect();
    format!("attachment; filename=\"{plain}\"; filename*=UTF-8''{}", in_path(name))
}

/// Bytes of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Part {
    from: u64,
    length: u64,
}

/// What is wanted of a file.
#[derive(Debug, PartialEq, Eq)]
enum Wanted {
    Whole,
    Part(Part),
    /// Nothing that there is.
    Nothing,
    /// Whether it is still the same.
    Known,
}

fn asked_for(headers: &HeaderMap, bytes: u64, etag: &str) -> Wanted {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let is_same = |known: &str| matches!(known.trim().trim_start_matches("W/"), one if one == etag);
    if text(header::IF_NONE_MATCH).is_some_and(|all| all.split(',').any(is_same)) {
        return Wanted::Known;
    }
    if text(header::IF_RANGE).is_some_and(|known| known != etag) {
        return Wanted::Whole;
    }
    text(header::RANGE).map_or(Wanted::Whole, |range| part(range, bytes))
}

/// One range of bytes; several at once, and what is no range, count as none.
fn part(range: &str, bytes: u64) -> Wanted {
    let Some((first, last)) = range.strip_prefix("bytes=").and_then(|range| range.split_once('-'))
    else {
        return Wanted::Whole;
    };
    let part = match (first.trim().parse::<u64>(), last.trim().parse::<u64>()) {
        (Ok(first), Ok(last)) if first <= last => (first, last.min(bytes.saturating_sub(1))),
        (Ok(first), Err(_)) if last.trim().is_empty() => (first, bytes.saturating_sub(1)),
        (Err(_), Ok(count)) if first.trim().is_empty() => {
            if count == 0 {
                return Wanted::Nothing;
            }
            (bytes.saturating_sub(count), bytes.saturating_sub(1))
        }
        _ => return Wanted::Whole,
    };
    match part {
        (from, last) if from < bytes => Wanted::Part(Part { from, length: last - from + 1 }),
        _ => Wanted::Nothing,
    }
}

/// Reads on as fast as it is taken.
fn pieces(file: File, part: Part) -> impl Stream<Item = io::Result<Bytes>> + Send {
    let file = tokio::fs::File::from_std(file);
    stream::try_unfold((file, part, false), |(mut file, part, has_begun)| async move {
        if part.length == 0 {
            return Ok(None);
        }
        if !has_begun {
            file.seek(io::SeekFrom::Start(part.from)).await?;
        }
        let most = usize::try_from(part.length).map_or(PIECE, |left| left.min(PIECE));
        let mut piece = vec![0; most];
        let read = file.read(&mut piece).await?;
        if read == 0 {
            return Err(io::Error::from(io::ErrorKind::UnexpectedEof));
        }
        piece.truncate(read);
        let rest = Part { length: part.length - read as u64, ..part };
        Ok(Some((Bytes::from(piece), (file, rest, true))))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_range_is_a_part_and_all_else_is_the_whole() {
        let found = |from, length| Wanted::Part(Part { from, length });
        for (range, expected) in [
            ("bytes=0-0", found(0, 1)),
            ("bytes=2-5", found(2, 4)),
            ("bytes=2-", found(2, 8)),
            ("bytes=-3", found(7, 3)),
            ("bytes=-99", found(0, 10)),
            ("bytes=9-99", found(9, 1)),
            ("bytes=10-", Wanted::Nothing),
            ("bytes=-0", Wanted::Nothing),
            ("bytes=5-2", Wanted::Whole),
            ("bytes=0-1,3-4", Wanted::Whole),
            ("lines=0-1", Wanted::Whole),
            ("bytes=a-b", Wanted::Whole),
            ("bytes=-", Wanted::Whole),
            ("bytes=99999999999999999999-", Wanted::Whole),
        ] {
            assert_eq!(part(range, 10), expected, "{range}");
        }
        assert_eq!(part("bytes=0-", 0), Wanted::Nothing);
        assert_eq!(part("bytes=-1", 0), Wanted::Nothing);
    }

    #[test]
    fn a_name_breaks_out_of_no_header() {
        assert_eq!(
            disposition("a/b/c \"x\"; y=\u{202e}é.html"),
            "attachment; filename=\"c__x___y___.html\"; \
             filename*=UTF-8''c%20%22x%22%3B%20y%3D%E2%80%AE%C3%A9.html"
        );
    }
}
