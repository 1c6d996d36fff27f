//! Encrypted connections. The tests' Postgres was built without them, so that something before it takes them.

use std::net::SocketAddr;

use pg_neighbors::SearchBy;
use test_support::{Postgres, Shown, authority_file, tls_server_config};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _, copy_bidirectional},
    net::{TcpListener, TcpStream},
    runtime::Runtime,
};
use tokio_rustls::TlsAcceptor;

use crate::world::{EXACT, World, settings, told};

/// Answers as a Postgres with encryption does, and passes on what comes through it.
fn encrypted(runtime: &Runtime, shown: Shown, port: u16) -> SocketAddr {
    let listener = runtime
        .block_on(TcpListener::bind(("127.0.0.1", 0)))
        .expect("bound");
    let address = listener.local_addr().expect("bound");
    let acceptor = TlsAcceptor::from(tls_server_config(shown));
    runtime.spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                // A request for encryption, and the agreement to it.
                let mut request = [0; 8];
                stream.read_exact(&mut request).await?;
                stream.write_all(b"S").await?;
                let mut stream = acceptor.accept(stream).await?;
                let mut server = TcpStream::connect(("127.0.0.1", port)).await?;
                copy_bidirectional(&mut stream, &mut server).await
            });
        }
    });
    address
}

#[test]
fn certificates_are_checked() {
    let shard = Postgres::start();
    let world = World::new(300, 1);
    world.build(&[shard.url()], &EXACT).expect("built");
    let runtime = Runtime::new().expect("a runtime");
    let here = encrypted(&runtime, Shown::Here, shard.port());
    let elsewhere = encrypted(&runtime, Shown::Elsewhere, shard.port());
    let url = |address: SocketAddr, rest: &str| {
        let plain = shard
            .url()
            .replace(&shard.port().to_string(), &address.port().to_string());
        [plain.replace("127.0.0.1", "localhost") + "?sslmode=require" + rest]
    };
    let authority = format!("&sslrootcert={}", authority_file().display());
    let open = |urls: [String; 1]| world.open(&urls, SearchBy::AllRows, 8, settings(1));
    open(url(here, &authority)).expect("trusted");
    for (urls, expected) in [
        (url(here, ""), "UnknownIssuer"),
        (url(elsewhere, &authority), "not valid for name"),
        (url(here, "&sslrootcert=/nowhere.pem"), "/nowhere.pem"),
    ] {
        let text = told(&open(urls).expect_err(expected));
        assert!(text.contains(expected), "{expected}: {text}");
    }
    // A server that cannot encrypt is not spoken to in plain text.
    let plain = [shard.url() + "?sslmode=verify-full&" + &authority[1..]];
    let text = told(&open(plain).expect_err("it cannot"));
    assert!(text.contains("server does not support TLS"), "{text}");
}
