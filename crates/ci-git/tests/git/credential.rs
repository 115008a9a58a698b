//! The token: who sees it, and who does not.

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener};
use std::sync::mpsc;
use std::thread;

use ci_git::{Mirror, MirrorConfig};

use crate::fixture::{Scene, explain, secret};

/// Answers every request with `answer`, and tells its headers.
fn serve(answer: String) -> (SocketAddr, mpsc::Receiver<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let lines = BufReader::new(stream.try_clone().unwrap()).lines().map(Result::unwrap);
            let headers = lines.take_while(|line| !line.is_empty()).collect();
            stream.write_all(answer.as_bytes()).unwrap();
            if sender.send(headers).is_err() {
                return;
            }
        }
    });
    (address, receiver)
}

async fn fetch(scene: &Scene, url: String) -> String {
    let config = MirrorConfig { url, credential: Some(secret()), ..scene.config() };
    let (mirror, _) = Mirror::open(config).await.unwrap();
    explain(&mirror.fetch().await.unwrap_err())
}

#[tokio::test]
async fn the_host_sees_the_token_and_no_error_does() {
    let scene = Scene::new().await;
    let (address, requests) =
        serve("HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".into());
    let error = fetch(&scene, format!("http://{address}/a/b.git")).await;
    assert!(error.contains("403"), "{error}");
    let expected = "Authorization: Basic eC1hY2Nlc3MtdG9rZW46czNjcmV0LXRva2Vu";
    let headers = requests.recv().unwrap();
    assert!(headers.iter().any(|header| header == expected), "{headers:?}");
    for secret in ["s3cret-token", "eC1hY2Nlc3MtdG9rZW46czNjcmV0LXRva2Vu"] {
        assert!(!error.contains(secret), "{error}");
        let files = std::process::Command::new("grep")
            .args(["-r", secret, scene.path("mirror.git").to_str().unwrap()])
            .output();
        assert_eq!(files.unwrap().stdout, b"");
    }
}

#[tokio::test]
async fn a_mirror_that_is_open_shows_the_new_token() {
    let scene = Scene::new().await;
    let (address, requests) =
        serve("HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".into());
    let (url, credential) = (format!("http://{address}/a/b.git"), secret());
    let config = MirrorConfig { url, credential: Some(credential.clone()), ..scene.config() };
    let (mirror, _) = Mirror::open(config).await.unwrap();
    credential.replace_token("other");
    mirror.fetch().await.unwrap_err();
    let headers = requests.recv().unwrap();
    let expected = "Authorization: Basic eC1hY2Nlc3MtdG9rZW46b3RoZXI=";
    assert!(headers.iter().any(|header| header == expected), "{headers:?}");
}

#[tokio::test]
async fn a_redirect_does_not_take_the_token_elsewhere() {
    let scene = Scene::new().await;
    let (elsewhere, requests) =
        serve("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".into());
    let (address, _kept) = serve(format!(
        "HTTP/1.1 302 Found\r\nLocation: http://{elsewhere}/a/b.git/info/refs?service=git-upload-pack\r\n\
         Content-Length: 0\r\nConnection: close\r\n\r\n"
    ));
    let error = fetch(&scene, format!("http://{address}/a/b.git")).await;
    assert!(error.contains("302"), "{error}");
    assert!(requests.try_recv().is_err(), "nobody went there");
}
