//! Reading `[http]`, and `[github.sign_in]`: who may come, and how often.

use std::net::IpAddr;
use std::num::NonZeroU32;
use std::time::Duration;

use ci_domain::ids::Login;

use crate::diagnostic::Problems;
use crate::field::{Field, Fields};
use crate::keys;
use crate::node::{Http, ReadAccess, SignIn};
use crate::quantity::{Rate, rate};
use crate::read_node::or;
use crate::read_secret::read_secret;
use crate::source::Source;

/// How an address to listen on is written.
const ADDRESS_HINT: &str = "write an IP address, ':' and a port; 0.0.0.0 is all of this machine's";
/// How a proxy is named.
const PROXY_HINT: &str = "write the IP address from which the proxy connects, such as 127.0.0.1";
/// How a rate is written.
const RATE_HINT: &str = "write a number, / and s, m, h or d";
/// More than people and their programs ask, and less than a loop that has gone wild.
const REQUESTS: Rate = per_minute(6000);
/// More than anybody mistypes.
const FAILED_LOGINS: Rate = per_minute(20);

pub(crate) fn read_http(fields: &Fields<'_>, problems: &mut Problems) -> Http {
    let listen = ([127, 0, 0, 1], 8080).into();
    let address = |text: &str| {
        text.parse().map_err(|_| format!("{text:?} is no address such as 127.0.0.1:8080"))
    };
    let words = [("token", ReadAccess::Token), ("public", ReadAccess::Public)];
    Http {
        listen: or(fields, "listen", listen, |field| field.parsed(address, ADDRESS_HINT, problems)),
        read: or(fields, "read", ReadAccess::Token, |field| field.word(&words, problems)),
        proxies: or(fields, "proxies", Vec::new(), |field| {
            let items = field.one_or_many(problems)?;
            Some(items.iter().filter_map(|item| item.parsed(proxy, PROXY_HINT, problems)).collect())
        }),
        requests: or(fields, "requests", REQUESTS, |field| field.parsed(rate, RATE_HINT, problems)),
        failed_logins: or(fields, "failed_logins", FAILED_LOGINS, |field| {
            field.parsed(rate, RATE_HINT, problems)
        }),
    }
}

pub(crate) fn read_sign_in(
    field: &Field<'_>,
    source: &dyn Source,
    problems: &mut Problems,
) -> Option<SignIn> {
    let fields = field.fields(keys::SIGN_IN, problems)?;
    let client_id = fields.require("client_id", problems);
    let client_id = client_id.and_then(|field| {
        let hint = "write what GitHub shows as the Client ID, such as Iv1.0123456789abcdef";
        field.parsed(client_id_text, hint, problems)
    });
    let client_secret = fields.require("client_secret", problems);
    let client_secret = client_secret.and_then(|field| read_secret(&field, source, problems));
    let administrators = or(&fields, "administrators", Vec::new(), |field| {
        let items = field.one_or_many(problems)?;
        let hint = "write the login of somebody on GitHub";
        Some(items.iter().filter_map(|item| item.parsed(login, hint, problems)).collect())
    });
    Some(SignIn { client_id: client_id?, client_secret: client_secret?, administrators })
}

const fn per_minute(count: u32) -> Rate {
    let count = NonZeroU32::new(count).expect("the constants are not zero");
    Rate { count, per: Duration::from_secs(60) }
}

fn proxy(text: &str) -> Result<IpAddr, String> {
    text.parse().map_err(|_| format!("{text:?} is no IP address"))
}

fn client_id_text(text: &str) -> Result<String, &'static str> {
    let is_plain = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic());
    is_plain.then(|| text.to_owned()).ok_or("is no client id")
}

fn login(text: &str) -> Result<Login, String> {
    let is_login =
        text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
    let login = Login::new(text).ok().filter(|_| is_login);
    login.ok_or_else(|| format!("{text:?} is no login"))
}
