//! The cookie that keeps a token, and the proof that a form was made for whoever sends it.

use axum::http::{HeaderMap, HeaderValue, header};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::tokens::{hex, is_same};

/// The name of the cookie.
const NAME: &str = "ci_node_token";
/// How long a browser keeps it: 30 days, in seconds.
const MAX_AGE: u64 = 30 * 24 * 3600;

/// The token that a browser keeps; it may not be valid.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Session(String);

impl Session {
    /// The session of a request.
    pub(crate) fn of(headers: &HeaderMap) -> Option<Self> {
        let cookies = headers.get_all(header::COOKIE).into_iter();
        let texts =
            cookies.filter_map(|value| value.to_str().ok()).flat_map(|text| text.split(';'));
        let pairs = texts.filter_map(|pair| pair.trim().split_once('='));
        pairs.into_iter().find(|(name, _)| *name == NAME).and_then(|(_, value)| Self::new(value))
    }

    /// A session with this token, unless it could not be one.
    pub(crate) fn new(token: &str) -> Option<Self> {
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
        let fits = (1..=200).contains(&token.len()) && token.bytes().all(is_plain);
        fits.then(|| Self(token.to_owned()))
    }

    /// The text of the token.
    pub(crate) fn token(&self) -> &str {
        &self.0
    }

    /// What has a browser keep it.
    pub(crate) fn set_cookie(&self, is_secure: bool) -> HeaderValue {
        cookie(&self.0, MAX_AGE, is_secure)
    }

    /// What has a browser forget it.
    pub(crate) fn clear_cookie(is_secure: bool) -> HeaderValue {
        cookie("", 0, is_secure)
    }

    /// What a form of this session carries: another site cannot know it.
    pub(crate) fn proof(&self) -> String {
        let mut mac = Hmac::<Sha256>::new_from_slice(self.0.as_bytes())
            .expect("HMAC takes keys of any length");
        mac.update(b"form");
        hex(&mac.finalize().into_bytes())
    }

    /// Whether `proof` came from a form of this session.
    pub(crate) fn is_proven_by(&self, proof: &str) -> bool {
        is_same(&self.proof(), proof)
    }
}

fn cookie(value: &str, max_age: u64, is_secure: bool) -> HeaderValue {
    let secure = if is_secure { "; Secure" } else { "" };
    let text =
        format!("{NAME}={value}; Path=/; Max-Age={max_age}; HttpOnly; SameSite=Strict{secure}");
    HeaderValue::from_str(&text).expect("letters, digits and underscores fit in a header")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn session(cookies: &[&str]) -> Option<Session> {
        let mut headers = HeaderMap::new();
        for cookie in cookies {
            headers.append(header::COOKIE, HeaderValue::from_str(cookie).unwrap());
        }
        Session::of(&headers)
    }

    #[test]
    fn a_session_is_found_among_other_cookies() {
        assert_eq!(session(&["a=b; ci_node_token=x_1; c=d"]).unwrap().token(), "x_1");
        assert_eq!(session(&["a=b", "ci_node_token=y"]).unwrap().token(), "y");
        for none in ["", "a=b", "ci_node_token=", "ci_node_token=\"x\"", "xci_node_token=1"] {
            assert!(session(&[none]).is_none(), "{none}");
        }
    }

    #[test]
    fn a_proof_is_good_for_its_session_only() {
        let (mine, other) = (Session::new("mine").unwrap(), Session::new("other").unwrap());
        assert!(mine.is_proven_by(&mine.proof()));
        assert!(!mine.is_proven_by(&other.proof()) && !mine.is_proven_by(""));
    }

    #[test]
    fn the_cookie_is_for_this_site_and_no_script() {
        let cookie = Session::new("x").unwrap().set_cookie(true);
        let expected =
            "ci_node_token=x; Path=/; Max-Age=2592000; HttpOnly; SameSite=Strict; Secure";
        assert_eq!(cookie, expected);
    }
}
