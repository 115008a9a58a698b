//! Addresses of the outside world, checked without being quoted: people put passwords into them.

/// Checks the address of a web server and takes the `/` off its end.
pub(crate) fn web_url(text: &str) -> Result<String, &'static str> {
    let expected = "is no address such as https://ci.example.com";
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    let rest = rest.ok_or(expected)?;
    if !is_plain(rest) || rest.contains(['?', '#']) {
        return Err(expected);
    }
    check_host(rest, expected)?;
    Ok(text.trim_end_matches('/').to_owned())
}

/// Checks what git may fetch from.
pub(crate) fn clone_url(text: &str) -> Result<String, &'static str> {
    let expected = "is nothing git can fetch from: https://, http://, ssh://, file://, host:path or an absolute path";
    if !is_plain(text) || text.starts_with('-') {
        return Err(expected);
    }
    match text.split_once("://") {
        Some(("https" | "http", rest)) => check_host(rest, expected)?,
        Some(("ssh" | "file", rest)) if !rest.starts_with('-') && !rest.is_empty() => {}
        None if text.starts_with('/') => {}
        None => match text.split_once(':') {
            Some((host, path)) if !host.contains('/') && !path.starts_with([':', '-']) => {}
            _ => return Err(expected),
        },
        Some(_) => return Err(expected),
    }
    Ok(text.to_owned())
}

/// Where the repositories of a forge are whose API is at `api_url`: GitHub's own, or a server of one's own.
pub(crate) fn forge_of(api_url: &str) -> &str {
    match api_url {
        "https://api.github.com" => "https://github.com",
        _ => api_url.strip_suffix("/api/v3").unwrap_or(api_url),
    }
}

/// Checks the part of an address after its `://`.
fn check_host(rest: &str, expected: &'static str) -> Result<(), &'static str> {
    let authority = rest.split('/').next().unwrap_or_default();
    if authority.contains('@') {
        return Err("carries a user or password: the node gives git its token itself");
    }
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if !authority.ends_with(']') => (host, Some(port)),
        _ => (authority, None),
    };
    let port_is_valid = port.is_none_or(|port| port.parse::<u16>().is_ok());
    if host.is_empty() || !port_is_valid { Err(expected) } else { Ok(()) }
}

fn is_plain(text: &str) -> bool {
    !text.is_empty() && !text.chars().any(|c| c.is_whitespace() || c.is_control() || c == '\\')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_web_address_has_a_host_and_no_password() {
        let check = |text, expected: Option<&str>| {
            assert_eq!(web_url(text).ok().as_deref(), expected, "{text}");
        };
        check("https://ci.example.com/", Some("https://ci.example.com"));
        check("http://127.0.0.1:8080", Some("http://127.0.0.1:8080"));
        check("http://[::1]:8080/ci", Some("http://[::1]:8080/ci"));
        for bad in [
            "",
            "ci.example.com",
            "ftp://x",
            "https://",
            "https:///x",
            "https://a b",
            "https://u:p@x",
            "https://x?y",
            "https://x:99999",
            "https://x#y",
        ] {
            check(bad, None);
        }
    }

    #[test]
    fn git_fetches_from_known_kinds_of_addresses() {
        for good in [
            "https://github.com/a/b.git",
            "http://127.0.0.1:80/a/b",
            "ssh://git@host/a",
            "file:///a/b",
            "git@github.com:a/b.git",
            "/srv/a.git",
        ] {
            assert_eq!(clone_url(good).as_deref(), Ok(good));
        }
        for bad in [
            "",
            "a",
            "a/b",
            "-oProxyCommand=x:y",
            "ext::sh",
            "https://u:p@host/a",
            "ssh://-oX",
            "git://h/a",
            "h:-x",
            "https://",
        ] {
            assert!(clone_url(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_forge_of_ones_own_has_its_api_below_it() {
        assert_eq!(forge_of("https://api.github.com"), "https://github.com");
        assert_eq!(forge_of("https://git.example.com/api/v3"), "https://git.example.com");
        assert_eq!(forge_of("http://127.0.0.1:9"), "http://127.0.0.1:9");
    }
}
