//! The cookie of a session, and the proof that a form was made for whoever sends it.

use axum::http::{HeaderMap, HeaderValue, header};
use heights::Fault;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::sessions::LIFETIME;
use crate::tokens;

/// The name of the cookie. Where it travels by TLS alone, no other host can have set one of that name.
const NAMES: [&str; 2] = ["ci_node_session", "__Host-ci_node_session"];
/// Random bytes of a key.
const KEY_BYTES: usize = 32;

/// What opens a session again: a browser keeps it, and the node its hash.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct SessionKey(String);

impl SessionKey {
    /// A new one.
    pub(crate) fn random() -> Result<Self, Fault> {
        Ok(Self(tokens::random::<KEY_BYTES>()?))
    }

    /// What a request shows; there may be no such session.
    pub(crate) fn of(headers: &HeaderMap, is_secure: bool) -> Option<Self> {
        let text = cookie(headers, NAMES[usize::from(is_secure)])?;
        let fits = text.len() == 2 * KEY_BYTES && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        fits.then(|| Self(text.to_owned()))
    }

    /// Under what the session is kept.
    pub(crate) fn sha256(&self) -> String {
        tokens::hash(&self.0)
    }

    /// What has a browser keep it.
    pub(crate) fn set_cookie(&self, is_secure: bool) -> HeaderValue {
        let name = NAMES[usize::from(is_secure)];
        set_cookie((name, &self.0), ("/", LIFETIME.as_secs()), is_secure)
    }

    /// What has a browser forget it.
    pub(crate) fn clear_cookie(is_secure: bool) -> HeaderValue {
        set_cookie((NAMES[usize::from(is_secure)], ""), ("/", 0), is_secure)
    }

    /// What a form of this session carries: another site cannot know it.
    pub(crate) fn proof(&self) -> String {
        keyed(&self.0, "form")
    }

    /// Whether `proof` came from a form of this session.
    pub(crate) fn is_proven_by(&self, proof: &str) -> bool {
        tokens::is_same(&self.proof(), proof)
    }
}

/// The value of a cookie.
pub(crate) fn cookie<'a>(headers: &'a HeaderMap, wanted: &str) -> Option<&'a str> {
    let cookies = headers.get_all(header::COOKIE).into_iter();
    let texts = cookies.filter_map(|value| value.to_str().ok()).flat_map(|text| text.split(';'));
    let mut pairs = texts.filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(name, _)| *name == wanted).map(|(_, value)| value)
}

/// What has a browser keep a cookie of letters and digits, for as many seconds and below that path.
pub(crate) fn set_cookie(
    (name, value): (&str, &str),
    (path, max_age): (&str, u64),
    is_secure: bool,
) -> HeaderValue {
    let secure = if is_secure { "; Secure" } else { "" };
    // Lax, and not strict: whoever follows a link of a status or comes back from GitHub is still themselves.
    let text =
        format!("{name}={value}; Path={path}; Max-Age={max_age}; HttpOnly; SameSite=Lax{secure}");
    HeaderValue::from_str(&text).expect("letters, digits and underscores fit in a header")
}

/// A text that only who knows `key` can tell, for one use.
pub(crate) fn keyed(key: &str, purpose: &str) -> String {
    let mut mac =
        Hmac::<Sha256>::new_from_slice(key.as_bytes()).expect("HMAC takes keys of any length");
    mac.update(purpose.as_bytes());
    tokens::hex(&mac.finalize().into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(cookies: &[&str]) -> Option<SessionKey> {
        let mut headers = HeaderMap::new();
        for cookie in cookies {
            headers.append(header::COOKIE, HeaderValue::from_str(cookie).unwrap());
        }
        SessionKey::of(&headers, false)
    }

    #[test]
    fn a_session_is_found_among_other_cookies() {
        let text = "0a".repeat(KEY_BYTES);
        let own = format!("ci_node_session={text}");
        assert_eq!(key(&[&format!("a=b; {own}; c=d")]).unwrap().0, text);
        assert_eq!(key(&["a=b", &own]).unwrap().0, text);
        let long = format!("{own}0a");
        let other = format!("x{own}");
        let secure = format!("__Host-{own}");
        for none in ["", "a=b", "ci_node_session=", "ci_node_session=0a", &long, &other, &secure] {
            assert!(key(&[none]).is_none(), "{none}");
        }
    }

    #[test]
    fn a_proof_is_good_for_its_session_only() {
        let (mine, other) = (SessionKey::random().unwrap(), SessionKey::random().unwrap());
        assert!(mine.is_proven_by(&mine.proof()));
        assert!(!mine.is_proven_by(&other.proof()) && !mine.is_proven_by(""));
    }

    #[test]
    fn the_cookie_is_for_this_site_and_no_script() {
        let cookie = SessionKey("0a".to_owned()).set_cookie(true);
        let expected = "__Host-ci_node_session=0a; Path=/; Max-Age=2592000; HttpOnly; \
                        SameSite=Lax; Secure";
        assert_eq!(cookie, expected);
        let plain = SessionKey::clear_cookie(false);
        assert_eq!(plain, "ci_node_session=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax");
    }
}
