use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc;
use std::time::Duration;

use super::*;
use crate::cli::Form;
use crate::hss::Timings;
use crate::hss::auth::SourceError;
use crate::settings::Talk;

/// How each check of these hosts ended, where a host may take this long.
fn ended(hosts: &[String], knock: Duration) -> Vec<String> {
    let settings = settings::Doctor {
        target: None,
        credentials: Err(SourceError::Missing),
        stand_in_allowed: true,
        probe_upload: false,
        ca_file: None,
        form: Form::Json,
        talk: Talk { quiet: true, verbose: 0, color: anstream::ColorChoice::Never },
        timings: Timings { knock, ..Timings::default() },
    };
    let way = Way { settings: &settings, ca_pem: None, by_token: false };
    let mut checks = Checks::default();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(way.all(hosts, &mut checks)).unwrap();
    let of_connections = checks.list.iter().filter(|check| check.name == Name::Connection);
    of_connections.map(|check| format!("{:?} {}", check.state, check.endpoint.clone().unwrap())).collect()
}

fn listen() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    (listener, url)
}

fn answer(mut stream: TcpStream) {
    let _ = stream.read(&mut [0; 4_096]);
    stream.write_all(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n").unwrap();
}

#[test]
fn hosts_are_tried_side_by_side_and_told_in_their_order() {
    let ((first, first_url), (second, second_url)) = (listen(), listen());
    let (asked, wait) = mpsc::channel();
    // The first answers when the second was asked.
    std::thread::spawn(move || {
        let (stream, _) = first.accept().unwrap();
        wait.recv().unwrap();
        answer(stream);
    });
    std::thread::spawn(move || {
        let (stream, _) = second.accept().unwrap();
        asked.send(()).unwrap();
        answer(stream);
    });
    let told = ended(&[first_url.clone(), second_url.clone()], Duration::from_secs(10));
    assert_eq!(told, [format!("Ok {first_url}"), format!("Ok {second_url}")]);
}

#[test]
fn a_host_that_says_nothing_is_given_up() {
    let (_silent, url) = listen();
    assert_eq!(ended(std::slice::from_ref(&url), Duration::from_millis(100)), [format!("Failed {url}")]);
}
