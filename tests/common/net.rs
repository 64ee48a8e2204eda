//! A CA, a TLS front for the stand-in and a proxy, all on loopback.
#![allow(dead_code, reason = "every test file uses its own part of this")]
#![allow(clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

/// This machine by an address that no rule for loopback knows, so that proxies and `NO_PROXY` have a say.
pub(crate) const MAPPED: &str = "[::ffff:127.0.0.1]";
/// The same as certificates have it.
const MAPPED_NAME: &str = "::ffff:127.0.0.1";
/// Hosts that only a proxy finds.
pub(crate) const NAMES: [&str; 2] = ["hss.example.test", "iam.example.test"];

/// A certificate authority of its own.
pub(crate) struct Ca {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
    _dir: tempfile::TempDir,
    /// Its certificate.
    pub(crate) file: PathBuf,
}

impl Ca {
    pub(crate) fn new() -> Self {
        let key = KeyPair::generate().expect("a key");
        let mut params = CertificateParams::new(Vec::new()).expect("parameters");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let pem = params.self_signed(&key).expect("a certificate").pem();
        let dir = tempfile::tempdir().expect("a directory");
        let file = dir.path().join("ca.pem");
        std::fs::write(&file, &pem).expect("a file");
        Self { issuer: Issuer::new(params, key), pem, _dir: dir, file }
    }

    /// `--ca-file` and its value.
    pub(crate) fn path(&self) -> &str {
        self.file.to_str().expect("a path")
    }

    /// What a server needs that these names belong to.
    fn server(&self, names: &[&str], versions: &[&'static rustls::SupportedProtocolVersion]) -> rustls::ServerConfig {
        let key = KeyPair::generate().expect("a key");
        let certificate = named(names).signed_by(&key, &self.issuer).expect("a certificate");
        shows(&certificate, &key, versions)
    }

    /// Speaks TLS for an address, in the name of [`MAPPED`] and [`NAMES`]; gives where.
    pub(crate) fn front(&self, to: &str) -> SocketAddr {
        self.front_of(to, &[MAPPED_NAME, NAMES[0], NAMES[1]], rustls::ALL_VERSIONS)
    }

    /// The same with other names and versions.
    pub(crate) fn front_of(
        &self,
        to: &str,
        names: &[&str],
        versions: &[&'static rustls::SupportedProtocolVersion],
    ) -> SocketAddr {
        front(to, self.server(names, versions))
    }
}

fn named(names: &[&str]) -> CertificateParams {
    CertificateParams::new(names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>()).expect("parameters")
}

fn shows(
    certificate: &rcgen::Certificate,
    key: &KeyPair,
    versions: &[&'static rustls::SupportedProtocolVersion],
) -> rustls::ServerConfig {
    let certificate: CertificateDer<'static> = certificate.der().to_vec().into();
    let key = PrivateKeyDer::try_from(key.serialize_der()).expect("a key");
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider).with_protocol_versions(versions);
    config.expect("versions").with_no_client_auth().with_single_cert(vec![certificate], key).expect("a certificate")
}

/// Speaks TLS for an address with a certificate that signed itself as a CA does, such as `openssl req -x509` makes; gives where.
pub(crate) fn front_of_a_ca(to: &str) -> SocketAddr {
    let key = KeyPair::generate().expect("a key");
    let mut params = named(&[MAPPED_NAME]);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    front(to, shows(&params.self_signed(&key).expect("a certificate"), &key, rustls::ALL_VERSIONS))
}

fn front(to: &str, config: rustls::ServerConfig) -> SocketAddr {
    let to: SocketAddr = to.trim_start_matches("http://").parse().expect("an address");
    let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.set_nonblocking(true).expect("a listener");
    let address = listener.local_addr().expect("an address");
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async {
            let listener = tokio::net::TcpListener::from_std(listener).expect("a listener");
            let local = tokio::task::LocalSet::new();
            local
                .run_until(async {
                    while let Ok((stream, _)) = listener.accept().await {
                        let acceptor = acceptor.clone();
                        tokio::task::spawn_local(async move {
                            // A caller who does not trust us hangs up.
                            let Ok(mut inside) = acceptor.accept(stream).await else { return };
                            let mut outside = tokio::net::TcpStream::connect(to).await.expect("the stand-in");
                            let _ = tokio::io::copy_bidirectional(&mut inside, &mut outside).await;
                        });
                    }
                })
                .await;
        });
    });
    address
}

/// A proxy that takes CONNECT and goes to one address, whatever it is asked for.
pub(crate) struct Proxy {
    /// Where it listens.
    pub(crate) address: SocketAddr,
    heads: Arc<Mutex<Vec<String>>>,
}

impl Proxy {
    pub(crate) fn to(target: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        let heads: Arc<Mutex<Vec<String>>> = Arc::default();
        let kept = Arc::clone(&heads);
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let kept = Arc::clone(&kept);
                std::thread::spawn(move || {
                    let head = head_of(&stream);
                    let is_connect = head.starts_with("CONNECT ");
                    kept.lock().expect("no panic").push(head);
                    if is_connect {
                        write!(&stream, "HTTP/1.1 200 Connection established\r\n\r\n").expect("an answer");
                        both_ways(&stream, &TcpStream::connect(target).expect("the target"), |_| {});
                    }
                });
            }
        });
        Self { address, heads }
    }

    /// The head of every request so far.
    pub(crate) fn heads(&self) -> Vec<String> {
        self.heads.lock().expect("no panic").clone()
    }

    /// The hosts that it was to connect to, each once.
    pub(crate) fn asked(&self) -> Vec<String> {
        let hosts = self.heads().into_iter().filter_map(|head| Some(head.split(' ').nth(1)?.to_owned()));
        hosts.collect::<std::collections::BTreeSet<_>>().into_iter().collect()
    }
}

/// A SOCKS proxy that finds names itself (SOCKS 4a and 5, RFC 1928), takes anybody and goes to one address; gives where it is.
pub(crate) fn socks(target: SocketAddr) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    std::thread::spawn(move || {
        for mut stream in listener.incoming().map_while(Result::ok) {
            std::thread::spawn(move || {
                let name = if take(&stream, 1) == [4] {
                    assert_eq!(take(&stream, 7)[3..6], [0, 0, 0], "a name follows");
                    while take(&stream, 1) != [0] {}
                    let ended = std::iter::repeat_with(|| take(&stream, 1)[0]).take_while(|byte| *byte != 0);
                    let name: Vec<u8> = ended.collect();
                    stream.write_all(&[0, 90, 0, 0, 0, 0, 0, 0]).expect("an answer");
                    name
                } else {
                    let methods = take(&stream, 1)[0];
                    take(&stream, methods.into());
                    stream.write_all(&[5, 0]).expect("an answer");
                    assert_eq!(take(&stream, 4), [5, 1, 0, 3], "a connection to a name");
                    let length = take(&stream, 1)[0];
                    let name = take(&stream, length.into());
                    take(&stream, 2);
                    stream.write_all(&[5, 0, 0, 1, 0, 0, 0, 0, 0, 0]).expect("an answer");
                    name
                };
                assert!(NAMES.iter().any(|known| known.as_bytes() == name), "{name:?}");
                both_ways(&stream, &TcpStream::connect(target).expect("the target"), |_| ());
            });
        }
    });
    address
}

fn take(mut stream: &TcpStream, n: usize) -> Vec<u8> {
    let mut bytes = vec![0; n];
    stream.read_exact(&mut bytes).expect("what was promised");
    bytes
}

/// Passes everything on to a stand-in, and keeps what the caller says.
pub(crate) struct Tap {
    /// Where it listens.
    pub(crate) address: SocketAddr,
    heard: Arc<Mutex<Vec<Vec<u8>>>>,
}

impl Tap {
    pub(crate) fn to(target: &str) -> Self {
        let target: SocketAddr = target.trim_start_matches("http://").parse().expect("an address");
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        let heard: Arc<Mutex<Vec<Vec<u8>>>> = Arc::default();
        let kept = Arc::clone(&heard);
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let kept = Arc::clone(&kept);
                std::thread::spawn(move || {
                    let at = {
                        let mut kept = kept.lock().expect("no panic");
                        kept.push(Vec::new());
                        kept.len() - 1
                    };
                    let outside = TcpStream::connect(target).expect("the stand-in");
                    both_ways(&stream, &outside, move |said| kept.lock().expect("no panic")[at].extend_from_slice(said));
                });
            }
        });
        Self { address, heard }
    }

    /// What was said on each connection.
    pub(crate) fn heard(&self) -> Vec<Vec<u8>> {
        self.heard.lock().expect("no panic").clone()
    }
}

/// Reads a head, byte by byte: what follows is for somebody else.
pub(crate) fn head_of(mut stream: &TcpStream) -> String {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte).is_ok_and(|n| n == 1) {
        head.push(byte[0]);
    }
    String::from_utf8_lossy(&head).into_owned()
}

fn both_ways(inside: &TcpStream, outside: &TcpStream, mut hear: impl FnMut(&[u8])) {
    let (mut from, mut to) = (outside.try_clone().expect("a stream"), inside.try_clone().expect("a stream"));
    let back = std::thread::spawn(move || {
        let _ = std::io::copy(&mut from, &mut to);
        let _ = to.shutdown(Shutdown::Both);
    });
    let (mut from, mut to) = (inside, outside);
    let mut buffer = [0; 16_384];
    while let Ok(n) = from.read(&mut buffer)
        && n > 0
    {
        hear(&buffer[..n]);
        if to.write_all(&buffer[..n]).is_err() {
            break;
        }
    }
    let _ = outside.shutdown(Shutdown::Write);
    let _ = back.join();
}
