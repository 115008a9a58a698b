//! People who sign in: codes are bound to who asked for them, and standing to who somebody is.

use ci_domain::ids::Login;
use ci_github::fake::{FakeGitHub, FakeRequest, FakeResponse};
use ci_github::{Forge, Secret, SignIn, SignInConfig, SignInError, Standing};

use super::stand_in::StandIn;
use super::{fake, repo};

const BACK: &str = "https://ci.example.com/login/github/back";

fn login(name: &str) -> Login {
    Login::new(name).unwrap()
}

fn sign_in(url: &str, client_secret: &str) -> SignIn {
    SignIn::new(SignInConfig {
        web_url: url.to_owned(),
        api_url: url.to_owned(),
        client_id: "Iv1.0123".to_owned(),
        client_secret: Secret::new(client_secret),
        timeout: std::time::Duration::from_secs(30),
    })
    .unwrap()
}

/// Somebody agrees on the page, and is sent back with this.
fn agree(github: &FakeGitHub, page: &str, who: &str) -> FakeResponse {
    let (_, query) = page.split_once('?').unwrap();
    github.answer(&FakeRequest {
        method: "POST".to_owned(),
        path: "/login/oauth/authorize".to_owned(),
        user_agent: Some("a browser".to_owned()),
        body: format!("{query}&login={who}").into_bytes(),
        ..FakeRequest::default()
    })
}

/// The code in an answer that sends somebody back.
fn code(back: &FakeResponse) -> String {
    assert_eq!(back.status, 302);
    let (_, place) = back.headers.iter().find(|(name, _)| *name == "location").unwrap();
    let (at, query) = place.split_once('?').unwrap();
    assert_eq!(at, BACK);
    let fields: Vec<&str> = query.split('&').collect();
    assert!(fields.contains(&"state=a-state"), "{place}");
    fields.iter().find_map(|field| field.strip_prefix("code=")).unwrap().to_owned()
}

#[tokio::test]
async fn a_code_is_good_once_for_who_asked_for_it() {
    let (github, _, stand_in, _) = fake().await;
    github.register("Iv1.0123", "a-secret", BACK);
    let signs_in = sign_in(&stand_in.url, "a-secret");
    let (verifier, other) = ("v".repeat(64), "w".repeat(64));
    let page = signs_in.page("a-state", &verifier, BACK);
    assert!(page.starts_with(&format!("{}/login/oauth/authorize?", stand_in.url)), "{page}");
    assert!(!page.contains(&verifier) && !page.contains("secret"), "{page}");
    let fresh = || code(&agree(&github, &page, "ada"));

    let taken = fresh();
    let ada = signs_in.account(&taken, &verifier, BACK).await.unwrap();
    assert_eq!(ada.login, login("ada"));
    let refused = |found: Result<_, SignInError>| match found {
        Err(SignInError::Refused(why)) => why,
        other => panic!("not refused: {other:?}"),
    };
    let again = signs_in.account(&taken, &verifier, BACK).await;
    assert_eq!(refused(again), "bad_verification_code");
    let stolen = signs_in.account(&fresh(), &other, BACK).await;
    assert_eq!(refused(stolen), "bad_verification_code");
    let elsewhere = signs_in.account(&fresh(), &verifier, "https://evil.example").await;
    assert_eq!(refused(elsewhere), "redirect_uri_mismatch");
    let impostor = sign_in(&stand_in.url, "another").account(&fresh(), &verifier, BACK).await;
    assert_eq!(refused(impostor), "incorrect_client_credentials");
    let refusal = agree(&github, &page, "");
    assert!(refusal.headers[0].1.contains("error=access_denied"), "{refusal:?}");
}

#[tokio::test]
async fn nobody_is_sent_to_a_place_that_was_not_registered() {
    let (github, ..) = fake().await;
    github.register("Iv1.0123", "a-secret", BACK);
    let signs_in = sign_in("http://localhost", "a-secret");
    let page = signs_in.page("a-state", &"v".repeat(64), "https://evil.example");
    assert_eq!(agree(&github, &page, "ada").status, 404);
}

#[tokio::test]
async fn an_outage_is_no_refusal() {
    let stand_in = StandIn::start(|_| FakeResponse {
        status: 502,
        headers: Vec::new(),
        body: b"<html>".to_vec(),
    })
    .await;
    let found = sign_in(&stand_in.url, "a-secret").account("x", &"v".repeat(64), BACK).await;
    assert!(matches!(found, Err(SignInError::Forge(error)) if error.is_passing()));
}

#[tokio::test]
async fn standing_is_what_the_account_of_that_number_may_do() {
    let (github, shop, stand_in, client) = fake().await;
    github.register("Iv1.0123", "a-secret", BACK);
    let (signs_in, verifier) = (sign_in(&stand_in.url, "a-secret"), "v".repeat(64));
    let page = signs_in.page("a-state", &verifier, BACK);
    let number = async |name: &str| {
        let code = code(&agree(&github, &page, name));
        signs_in.account(&code, &verifier, BACK).await.unwrap().id
    };
    shop.set_standing(&login("root"), Standing::Admin);
    shop.set_standing(&login("ada"), Standing::Write);
    shop.set_standing(&login("bob"), Standing::Read);
    let forges: [&dyn Forge; 2] = [&client, &github];
    for forge in forges {
        let check = async |name: &str, expected: Standing| {
            let id = number(name).await;
            let found = forge.standing(&repo(), &login(name), id).await;
            assert_eq!(found, Ok(expected), "{name}");
            let other = forge.standing(&repo(), &login(name), id + 1).await;
            assert_eq!(other, Ok(Standing::None), "another account has the login {name} now");
        };
        check("root", Standing::Admin).await;
        check("ada", Standing::Write).await;
        check("bob", Standing::Read).await;
        check("eve", Standing::Read).await;
    }
    shop.hide();
    for forge in forges {
        let eve = forge.standing(&repo(), &login("eve"), number("eve").await).await;
        assert_eq!(eve, Ok(Standing::None));
    }
}
