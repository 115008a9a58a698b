//! Reads that GitHub does not count when nothing has changed.
//!
//! An answer comes with a tag. Whoever shows the tag again is told "not modified", which costs nothing
//! of the limit. Tags belong to a token: with another one the first read is counted.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use ci_domain::ids::RepoName;
use reqwest::header::ETAG;
use reqwest::{Method, Url};

use super::GitHub;
use super::http::Answer;
use crate::forge::ForgeError;

/// The last answer to each read that is made again and again: one per repository and purpose.
#[derive(Debug, Default)]
pub(super) struct Tags(Mutex<HashMap<(RepoName, Purpose), Kept>>);

/// What a read is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Purpose {
    /// Whether any pull request has changed.
    Pulls,
    /// Whether any branch has moved.
    Branches,
    /// The first page of recent comments.
    Comments,
}

#[derive(Clone, Debug)]
struct Kept {
    url: Url,
    tag: String,
    answer: Option<Answer>,
}

impl Tags {
    fn find(&self, key: &(RepoName, Purpose), url: &Url) -> Option<Kept> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.get(key).filter(|kept| kept.url == *url).cloned()
    }

    fn keep(&self, key: (RepoName, Purpose), kept: Option<Kept>) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match kept {
            Some(kept) => all.insert(key, kept),
            None => all.remove(&key),
        };
    }
}

impl GitHub {
    /// Whether what `url` shows is not what it showed the last time; the first time it never is.
    pub(super) async fn has_changed(
        &self,
        repo: &RepoName,
        purpose: Purpose,
        url: Url,
    ) -> Result<bool, ForgeError> {
        let key = (repo.clone(), purpose);
        let tag = self.tags.find(&key, &url).map(|kept| kept.tag);
        let answer = self.rest_if_changed(repo, url.clone(), tag).await?;
        let is_news = !answer.is_unmodified();
        if is_news {
            let kept = tag_of(&answer).map(|tag| Kept { url, tag, answer: None });
            self.tags.keep(key, kept);
        }
        Ok(is_news)
    }

    /// Reads `url`, or answers what it showed the last time where GitHub says that it still does.
    pub(super) async fn read_again(
        &self,
        repo: &RepoName,
        purpose: Purpose,
        url: Url,
    ) -> Result<Answer, ForgeError> {
        let key = (repo.clone(), purpose);
        let (tag, before) = match self.tags.find(&key, &url) {
            Some(Kept { tag, answer: Some(answer), .. }) => (Some(tag), Some(answer)),
            _ => (None, None),
        };
        let answer = self.rest_if_changed(repo, url.clone(), tag).await?;
        match before {
            Some(before) if answer.is_unmodified() => Ok(before),
            _ => {
                let answered = Some(answer.clone());
                let kept = tag_of(&answer).map(|tag| Kept { url, tag, answer: answered });
                self.tags.keep(key, kept);
                Ok(answer)
            }
        }
    }

    async fn rest_if_changed(
        &self,
        repo: &RepoName,
        url: Url,
        tag: Option<String>,
    ) -> Result<Answer, ForgeError> {
        self.rest_tagged(repo, (Method::GET, url, None), tag).await
    }
}

fn tag_of(answer: &Answer) -> Option<String> {
    answer.headers.get(ETAG)?.to_str().ok().map(str::to_owned)
}
