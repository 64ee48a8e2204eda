//! The client against a host that answers as a test says, over a socket of this machine.

mod calls;
mod credentials;
mod odd;
mod repeating;

use std::cell::RefCell;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::rc::Rc;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use secrecy::SecretString;

use super::auth::{Credentials, Plan};
use super::*;

/// What was asked.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    /// Method, path and query.
    pub(crate) line: String,
    /// As they were sent, each in small letters.
    pub(crate) headers: Vec<String>,
    pub(crate) body: String,
}

impl Asked {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find_map(|header| header.strip_prefix(name)?.strip_prefix(": "))
    }
}

/// Where it is, and what it was asked.
pub(crate) struct Host {
    pub(crate) base: String,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl Host {
    /// One that answers with what is made of how many requests came before, and of this one. It hangs up where that is nothing.
    pub(crate) fn new(answer: impl Fn(usize, &Asked) -> String + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let asked = Arc::new(Mutex::new(Vec::new()));
        let (log, answer) = (Arc::clone(&asked), Arc::new(answer));
        let serve = move |mut stream: TcpStream, log: &Mutex<Vec<Asked>>| {
            let Some(request) = request(&stream) else { return };
            let before = {
                let mut log = log.lock().unwrap();
                log.push(request.clone());
                log.len() - 1
            };
            // The client may have gone.
            let _ = stream.write_all(answer(before, &request).as_bytes());
        };
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let (serve, log) = (serve.clone(), Arc::clone(&log));
                std::thread::spawn(move || serve(stream.unwrap(), &log));
            }
        });
        Self { base, asked }
    }

    /// One that gives these answers in turn, and the last one from then on.
    pub(crate) fn saying<const N: usize>(answers: [String; N]) -> Self {
        Self::new(move |before, _| answers[before.min(N - 1)].clone())
    }

    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }

    /// Method, path, query and body of each request.
    pub(crate) fn lines(&self) -> Vec<String> {
        self.asked().iter().map(|asked| format!("{} {}", asked.line, asked.body).trim_end().to_owned()).collect()
    }
}

fn request(stream: &TcpStream) -> Option<Asked> {
    let mut reader = BufReader::new(stream);
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok().filter(|read| *read > 0)?;
        if line.trim_end().is_empty() {
            break;
        }
        lines.push(line.trim_end().to_owned());
    }
    let line = lines[0].trim_end_matches(" HTTP/1.1").to_owned();
    let headers: Vec<String> = lines[1..].iter().map(|line| line.to_ascii_lowercase()).collect();
    let mut asked = Asked { line, headers, body: String::new() };
    let length = asked.header("content-length").map_or(0, |length| length.parse().unwrap());
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    asked.body = String::from_utf8_lossy(&body).into_owned();
    Some(asked)
}

/// Waits for something that is to come on the way.
async fn until(is_so: impl Fn() -> bool) {
    for _ in 0..5_000 {
        if is_so() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    panic!("it did not come");
}

/// The same for the host. What does not come here is for the test to find out.
pub(crate) fn wait_for(is_so: impl Fn() -> bool, longest: Duration) {
    let began = std::time::Instant::now();
    while !is_so() && began.elapsed() < longest {
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// An answer with a body, and with headers each of which ends its line.
pub(crate) fn answer(status: u16, headers: &str, body: &str) -> String {
    let headers = headers.replace('\n', "\r\n");
    format!("HTTP/1.1 {status} -\r\nConnection: close\r\nContent-Length: {}\r\n{headers}\r\n{body}", body.len())
}

/// One that has only a body.
pub(crate) fn says(status: u16, body: &str) -> String {
    answer(status, "", body)
}

/// With waits as short as they can be.
pub(crate) const TIMINGS: Timings = Timings {
    connect: Duration::from_secs(5),
    request: Duration::from_secs(5),
    knock: Duration::from_secs(5),
    backoff: Duration::from_millis(2),
    longest_backoff: Duration::from_millis(8),
    longest_wait: Duration::from_millis(10),
    window: Duration::from_millis(10),
    grace: Duration::from_millis(10),
};

/// A client of the project `p` with a token.
pub(crate) fn config(host: &Host) -> Config {
    Config {
        endpoint: host.base.clone(),
        iam_endpoint: host.base.clone(),
        region: Some("r".to_owned()),
        project_id: Some("p".to_owned()),
        enterprise_project_id: "e".to_owned(),
        sts_endpoint: None,
        plan: Plan::Fixed(Credentials::Token(SecretString::from("a token"))),
        ca_pem: None,
        stand_in_allowed: false,
        rate: None,
        timings: TIMINGS,
    }
}

pub(crate) fn client(host: &Host) -> Client {
    client_of(config(host))
}

fn client_of(config: Config) -> Client {
    Client::new(config, Box::new(|_| ())).unwrap()
}

/// A port at which nobody is.
const NOBODY: &str = "http://127.0.0.1:1";

/// One that keeps what happens.
fn watched(config: Config) -> (Client, Rc<RefCell<Vec<Event>>>) {
    let events = Rc::new(RefCell::new(Vec::new()));
    let log = Rc::clone(&events);
    (Client::new(config, Box::new(move |event| log.borrow_mut().push(event.clone()))).unwrap(), events)
}

const PAGE: Page = Page { offset: 0, limit: 10 };

/// A page without rows.
const NONE: &str = r#"{"total_num":0,"data_list":[]}"#;
