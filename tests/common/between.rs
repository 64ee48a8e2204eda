//! Stands between a caller and a stand-in, and changes what that answers: what a service may say, and the stand-in never does.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use hss_iac::emulator::Emulator;
use serde_json::Value;

/// An answer on its way back.
pub(crate) struct Answer {
    /// Such as `GET /v5/P/container/iac/files?offset=0`.
    pub(crate) asked: String,
    /// Its status.
    pub(crate) status: u16,
    /// Its JSON; with null it has no body.
    pub(crate) body: Value,
    /// Header lines to add, each with its line break.
    pub(crate) headers: String,
}

/// Where to call instead of the stand-in. Every answer passes `change`, one at a time.
pub(crate) fn between(emulator: &Emulator, change: impl FnMut(&mut Answer) + Send + 'static) -> String {
    let target: SocketAddr = emulator.url().trim_start_matches("http://").parse().expect("an address");
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    let change = Arc::new(Mutex::new(change));
    std::thread::spawn(move || {
        for inside in listener.incoming().map_while(Result::ok) {
            let change = Arc::clone(&change);
            std::thread::spawn(move || {
                let outside = TcpStream::connect(target).expect("the stand-in");
                while let Some((head, body)) = message(&inside) {
                    write_all(&outside, &head, &body);
                    let Some((answer_head, answer_body)) = message(&outside) else { break };
                    let mut answer = read(&head, &answer_head, &answer_body);
                    (change.lock().expect("no panic"))(&mut answer);
                    let date = field(&answer_head, "date").unwrap_or_default();
                    let stand_in = field(&answer_head, "x-hss-stand-in").unwrap_or_default();
                    let token = field(&answer_head, "x-subject-token").map(|token| format!("X-Subject-Token: {token}\r\n"));
                    let body = if answer.body.is_null() { String::new() } else { answer.body.to_string() };
                    let head = format!(
                        "HTTP/1.1 {} Changed\r\nContent-Type: application/json\r\nContent-Length: {}\r\nDate: {date}\r\nX-HSS-Stand-In: \
                         {stand_in}\r\n{}{}\r\n",
                        answer.status,
                        body.len(),
                        token.unwrap_or_default(),
                        answer.headers
                    );
                    write_all(&inside, &head, body.as_bytes());
                }
            });
        }
    });
    url
}

fn read(request: &str, head: &str, body: &[u8]) -> Answer {
    let asked = request.split(" HTTP/").next().unwrap_or_default().to_owned();
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status");
    Answer { asked, status, body: serde_json::from_slice(body).unwrap_or_default(), headers: String::new() }
}

fn field(head: &str, name: &str) -> Option<String> {
    let of = |line: &str| {
        let (key, value) = line.split_once(':')?;
        key.eq_ignore_ascii_case(name).then(|| value.trim().to_owned())
    };
    head.lines().find_map(of)
}

/// A head and as many bytes as it promises; `None` where the other end hung up.
fn message(mut stream: &TcpStream) -> Option<(String, Vec<u8>)> {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut byte).ok()?;
        head.extend_from_slice(&byte);
    }
    let head = String::from_utf8(head).expect("a head is text");
    let length = field(&head, "content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
    let mut body = vec![0; length];
    stream.read_exact(&mut body).ok()?;
    Some((head, body))
}

fn write_all(mut stream: &TcpStream, head: &str, body: &[u8]) {
    // Whoever is not there any more wants nothing.
    let _ = stream.write_all(&[head.as_bytes(), body].concat());
}
