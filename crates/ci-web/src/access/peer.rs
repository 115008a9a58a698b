//! Where a request comes from: an address, or a user of this machine.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};

use axum::http::{Extensions, HeaderMap};

/// Who is at the other end of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Peer {
    /// Somebody at an address.
    Address(IpAddr),
    /// A user of this machine, if the kernel said which.
    User(Option<u32>),
}

impl Peer {
    /// Where a request comes from. The word of a proxy counts if it is one of `proxies`, and of those it names
    /// the last that is none of them: what stands before it was said by anybody.
    pub(crate) fn of(extensions: &Extensions, headers: &HeaderMap, proxies: &[IpAddr]) -> Self {
        let peer = extensions.get().copied().unwrap_or(Self::User(None));
        let Self::Address(address) = peer else { return peer };
        if !proxies.contains(&address) {
            return peer;
        }
        let named = headers.get_all("x-forwarded-for").iter().rev();
        let named = named.filter_map(|value| value.to_str().ok());
        for text in named.flat_map(|list| list.rsplit(',')) {
            match text.trim().parse::<IpAddr>() {
                Ok(address) if proxies.contains(&address) => {}
                Ok(address) => return Self::Address(address),
                Err(_) => break,
            }
        }
        peer
    }

    /// What counts as one: whoever has an IPv6 address has billions of them.
    pub(crate) fn neighborhood(self) -> Option<IpAddr> {
        match self {
            Self::Address(IpAddr::V6(address)) => {
                let [a, b, c, d, ..] = address.segments();
                Some(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into())
            }
            Self::Address(address) => Some(address),
            Self::User(_) => None,
        }
    }
}

impl fmt::Display for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address(address) => write!(f, "{address}"),
            Self::User(Some(uid)) => write!(f, "uid {uid}"),
            Self::User(None) => f.write_str("this machine"),
        }
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn only_a_proxy_that_is_known_is_believed() {
        let check = |from: &str, named: &[&str], expected: &str| {
            let proxies = ["10.0.0.1", "10.0.0.2"].map(|proxy| proxy.parse().unwrap());
            let mut extensions = Extensions::new();
            extensions.insert(Peer::Address(from.parse().unwrap()));
            let mut headers = HeaderMap::new();
            for list in named {
                headers.append("x-forwarded-for", HeaderValue::from_str(list).unwrap());
            }
            assert_eq!(Peer::of(&extensions, &headers, &proxies).to_string(), expected);
        };
        check("1.2.3.4", &["5.6.7.8"], "1.2.3.4");
        check("10.0.0.1", &[], "10.0.0.1");
        check("10.0.0.1", &["5.6.7.8"], "5.6.7.8");
        check("10.0.0.1", &["6.6.6.6, 5.6.7.8, 10.0.0.2"], "5.6.7.8");
        check("10.0.0.1", &["6.6.6.6", "5.6.7.8"], "5.6.7.8");
        check("10.0.0.1", &["6.6.6.6, nonsense"], "10.0.0.1");
        let six = Peer::Address("2001:db8:1:2:3::7".parse().unwrap());
        assert_eq!(six.neighborhood().unwrap().to_string(), "2001:db8:1:2::");
    }
}
