//! Whether a delivery comes from who knows the secret: `X-Hub-Signature-256`.
//!
//! How long the check takes depends on the body and on whether the header has the right form, which the
//! sender knows anyway. Where the digests differ it does not: the whole body is hashed first, and
//! `verify_slice` looks at every bit before it says anything. No digest is compared with `==`.

use std::fmt::Write as _;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use ci_domain::secret::Secret;

/// What precedes the digits in the header.
const SCHEME: &str = "sha256=";

/// Why a delivery is not believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// There is no `X-Hub-Signature-256`.
    #[error("find a signature on the delivery")]
    Missing,
    /// It is not `sha256=` and 64 hexadecimal digits; SHA-1 is refused.
    #[error("read the signature as sha256= and 64 hexadecimal digits")]
    Malformed,
    /// It was made with another secret or for another body.
    #[error("match the signature to the body")]
    Mismatch,
}

/// Checks the signature of the raw body, in constant time, before anything is parsed.
///
/// # Errors
/// The signature is missing, of another kind, or wrong.
pub fn verify(
    secret: &Secret,
    signature: Option<&str>,
    raw_body: &[u8],
) -> Result<(), SignatureError> {
    let signature = signature.ok_or(SignatureError::Missing)?;
    let digits = signature.strip_prefix(SCHEME).ok_or(SignatureError::Malformed)?;
    let digest = unhex(digits).ok_or(SignatureError::Malformed)?;
    mac(secret, raw_body).verify_slice(&digest).map_err(|_| SignatureError::Mismatch)
}

/// Makes the header that [`verify`] accepts.
#[must_use]
pub fn sign(secret: &Secret, raw_body: &[u8]) -> String {
    let digest = mac(secret, raw_body).finalize().into_bytes();
    digest.iter().fold(SCHEME.to_owned(), |mut header, byte| {
        write!(header, "{byte:02x}").expect("writing to a string does not fail");
        header
    })
}

fn mac(secret: &Secret, raw_body: &[u8]) -> Hmac<Sha256> {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.expose().as_bytes())
        .expect("HMAC takes keys of any length");
    mac.update(raw_body);
    mac
}

/// Decodes 64 hexadecimal digits of either case.
fn unhex(digits: &str) -> Option<[u8; 32]> {
    let mut digest = [0; 32];
    let (pairs, []) = digits.as_bytes().as_chunks::<2>() else { return None };
    if pairs.len() != digest.len() {
        return None;
    }
    for (byte, [high, low]) in digest.iter_mut().zip(pairs) {
        let digit = |c: u8| char::from(c).to_digit(16).and_then(|value| u8::try_from(value).ok());
        *byte = digit(*high)? << 4 | digit(*low)?;
    }
    Some(digest)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The test vector of GitHub's documentation, "Validating webhook deliveries".
    const BODY: &[u8] = b"Hello, World!";
    const DIGITS: &str = "757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";

    fn check(signature: Option<&str>, body: &[u8], expected: Result<(), SignatureError>) {
        let secret = Secret::new("It's a Secret to Everybody");
        assert_eq!(verify(&secret, signature, body), expected, "{signature:?}");
    }

    #[test]
    fn githubs_documented_vector_is_genuine() {
        let header = format!("sha256={DIGITS}");
        check(Some(&header), BODY, Ok(()));
        check(Some(&format!("sha256={}", DIGITS.to_uppercase())), BODY, Ok(()));
        assert_eq!(sign(&Secret::new("It's a Secret to Everybody"), BODY), header);
    }

    /// What a comparison that ends early, or looks at a part, would get wrong.
    #[test]
    fn every_bit_of_the_digest_counts() {
        let digest = unhex(DIGITS).unwrap();
        for bit in 0..digest.len() * 8 {
            let mut forged = digest;
            forged[bit / 8] ^= 1 << (bit % 8);
            let digits: String = forged.iter().map(|byte| format!("{byte:02x}")).collect();
            check(Some(&format!("sha256={digits}")), BODY, Err(SignatureError::Mismatch));
        }
    }

    #[test]
    fn no_digest_is_compared_but_in_constant_time() {
        let (_, verify) = include_str!("signature.rs").split_once("pub fn verify").unwrap();
        let (verify, _) = verify.split_once("pub fn sign").unwrap();
        assert_eq!(verify.matches(".verify_slice(").count(), 1);
        assert!(!verify.contains("==") && !verify.contains("!="), "{verify}");
    }

    #[test]
    fn anything_else_is_refused() {
        use SignatureError::{Malformed, Mismatch, Missing};
        let header = format!("sha256={DIGITS}");
        check(None, BODY, Err(Missing));
        check(Some(&header), b"Hello, World?", Err(Mismatch));
        check(Some(&header.replace("757", "756")), BODY, Err(Mismatch));
        for malformed in [
            "",
            DIGITS,
            "sha1=fd3c7a1b7a6d6b0d0bbf5c5e2e0b2a4e7b9e8f01",
            &header[..header.len() - 1],
            &header[..header.len() - 2],
            &format!("{header}00"),
            &header.replace("757", "+57"),
            &header.replace("757", "é5"),
            "sha256=",
        ] {
            check(Some(malformed), BODY, Err(Malformed));
        }
    }
}
