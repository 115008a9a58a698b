//! The fake's OAuth: people say who they are on a page, and an application trades the code for a token.
//! Everything is checked that GitHub checks: the application, the place to go back to, the verifier, and
//! that a code is used once.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ci_domain::ids::Login;
use serde_json::json;
use sha2::{Digest as _, Sha256};

use super::FakeGitHub;
use super::http::{FakeRequest, FakeResponse};
use super::model::Model;
use super::standing::number_of;

/// Applications, codes that were not used yet, and tokens.
#[derive(Debug, Default)]
pub(super) struct OAuth {
    application: Option<Application>,
    people: Vec<Login>,
    codes: BTreeMap<String, Code>,
    tokens: BTreeMap<String, Login>,
    count: usize,
}

#[derive(Clone, Debug)]
struct Application {
    id: String,
    secret: String,
    /// People go back to this address or something below it.
    back: String,
}

#[derive(Debug)]
struct Code {
    login: Login,
    back: String,
    challenge: String,
}

impl FakeGitHub {
    /// Registers an application that people can agree to, with the address to which they go back.
    pub fn register(&self, client_id: &str, client_secret: &str, back: &str) {
        let (id, secret, back) = (client_id.to_owned(), client_secret.to_owned(), back.to_owned());
        self.model().oauth.application = Some(Application { id, secret, back });
    }

    /// Has somebody logged in to GitHub, who can then agree to applications.
    pub fn log_in(&self, login: &Login) {
        self.model().oauth.people.push(login.clone());
    }

    /// Answers what is not part of the API, and the one question that is asked with a person's token.
    pub(super) fn answer_person(&self, request: &FakeRequest) -> Option<FakeResponse> {
        let mut model = self.model();
        match (request.method.as_str(), request.path.as_str()) {
            ("GET", "/login/oauth/authorize") => Some(ask(&model, &fields(&request.query))),
            ("POST", "/login/oauth/authorize") => Some(agree(&mut model, &body(request))),
            ("POST", "/login/oauth/access_token") => Some(trade(&mut model, &body(request))),
            ("GET", "/user") => {
                let token = request.authorization.as_deref()?.strip_prefix("Bearer ")?;
                let login = model.oauth.tokens.get(token)?;
                let user =
                    json!({ "login": login.as_str(), "id": number_of(login), "type": "User" });
                Some(response(200, "application/json", user.to_string()))
            }
            _ => None,
        }
    }
}

type Fields = BTreeMap<String, String>;

fn fields(text: &str) -> Fields {
    form_urlencoded::parse(text.as_bytes()).into_owned().collect()
}

fn body(request: &FakeRequest) -> Fields {
    fields(&String::from_utf8_lossy(&request.body))
}

fn field<'a>(fields: &'a Fields, name: &str) -> &'a str {
    fields.get(name).map_or("", String::as_str)
}

/// Whether the application is known, may have people sent there, and binds the code to itself.
fn is_sound(model: &Model, fields: &Fields) -> bool {
    let Some(application) = &model.oauth.application else { return false };
    application.id == field(fields, "client_id")
        && field(fields, "redirect_uri").starts_with(&application.back)
        && !field(fields, "state").is_empty()
        && field(fields, "code_challenge_method") == "S256"
        && field(fields, "code_challenge").len() == 43
}

/// The page on which somebody agrees.
fn ask(model: &Model, fields: &Fields) -> FakeResponse {
    if !is_sound(model, fields) {
        return response(404, "text/html", "<h1>This application is not known</h1>".to_owned());
    }
    let hidden = |(name, value): (&String, &String)| {
        format!("<input type=\"hidden\" name=\"{}\" value=\"{}\">", escape(name), escape(value))
    };
    let button = |login: &Login| {
        let login = escape(login.as_str());
        format!("<button id=\"{login}\" name=\"login\" value=\"{login}\">I am {login}</button>")
    };
    let page = format!(
        "<!doctype html><title>GitHub</title><form method=\"post\">{}{}</form>",
        fields.iter().map(hidden).collect::<String>(),
        model.oauth.people.iter().map(button).collect::<String>(),
    );
    response(200, "text/html", page)
}

/// Sends somebody back with a code, or, where nobody was chosen, with their refusal.
fn agree(model: &mut Model, fields: &Fields) -> FakeResponse {
    if !is_sound(model, fields) {
        return response(404, "text/html", "<h1>This application is not known</h1>".to_owned());
    }
    let (back, state) = (field(fields, "redirect_uri"), field(fields, "state"));
    let mut query = form_urlencoded::Serializer::new(String::new());
    match Login::new(field(fields, "login")) {
        Ok(login) => {
            model.oauth.count += 1;
            let code = format!("code{}", model.oauth.count);
            query.append_pair("code", &code);
            let challenge = field(fields, "code_challenge").to_owned();
            model.oauth.codes.insert(code, Code { login, back: back.to_owned(), challenge });
        }
        Err(_) => {
            query.append_pair("error", "access_denied");
        }
    }
    let location = format!("{back}?{}", query.append_pair("state", state).finish());
    FakeResponse { status: 302, headers: vec![("location", location)], body: Vec::new() }
}

/// Trades a code for a token; GitHub says what is wrong with status 200.
fn trade(model: &mut Model, fields: &Fields) -> FakeResponse {
    let error = |word: &str| {
        let body = json!({ "error": word, "error_description": "see the documentation" });
        response(200, "application/json", body.to_string())
    };
    let is_ours = model.oauth.application.as_ref().is_some_and(|application| {
        application.id == field(fields, "client_id")
            && application.secret == field(fields, "client_secret")
    });
    if !is_ours {
        return error("incorrect_client_credentials");
    }
    let Some(code) = model.oauth.codes.remove(field(fields, "code")) else {
        return error("bad_verification_code");
    };
    if code.back != field(fields, "redirect_uri") {
        return error("redirect_uri_mismatch");
    }
    if URL_SAFE_NO_PAD.encode(Sha256::digest(field(fields, "code_verifier"))) != code.challenge {
        return error("bad_verification_code");
    }
    let token = format!("gho_fake{}", model.oauth.count);
    model.oauth.tokens.insert(token.clone(), code.login);
    let body = json!({ "access_token": token, "scope": "", "token_type": "bearer" });
    response(200, "application/json", body.to_string())
}

fn response(status: u16, kind: &str, body: String) -> FakeResponse {
    let headers = vec![("content-type", kind.to_owned())];
    FakeResponse { status, headers, body: body.into_bytes() }
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('"', "&quot;")
}
