//! TLS for servers on this machine.

use std::{
    io::{self, Read as _, Write as _},
    net::TcpStream,
    path::PathBuf,
    sync::Arc,
};

use rustls::{
    ServerConfig, ServerConnection, StreamOwned,
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
};

/// Which certificate a server shows. `tls/make.sh` made them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shown {
    /// One for this machine.
    Here,
    /// One for another host.
    Elsewhere,
}

/// What `SSL_CERT_FILE` must be to trust the servers of the tests: the certificate of the authority that issued theirs.
pub fn authority_file() -> PathBuf {
    file("authority.pem")
}

fn file(name: &str) -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "tls", name].iter().collect()
}

/// What a server of TLS on this machine needs.
pub fn config(shown: Shown) -> Arc<ServerConfig> {
    let name = match shown {
        Shown::Here => "here",
        Shown::Elsewhere => "elsewhere",
    };
    let certificate = CertificateDer::from_pem_file(file(&format!("{name}.pem")))
        .expect("the certificate is in the repository");
    let key = PrivateKeyDer::from_pem_file(file(&format!("{name}.key")))
        .expect("the key is in the repository");
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("ring has all versions")
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .expect("the key fits the certificate");
    Arc::new(config)
}

/// Takes a connection. A client that does not trust the certificate breaks it off.
pub(crate) fn accept(
    config: Arc<ServerConfig>,
    mut stream: TcpStream,
) -> io::Result<StreamOwned<ServerConnection, TcpStream>> {
    let mut connection = ServerConnection::new(config).map_err(io::Error::other)?;
    while connection.is_handshaking() {
        if let Err(error) = connection.complete_io(&mut stream) {
            // So that what the client said is read before the connection is closed; else the system takes back what was sent.
            _ = stream.flush();
            _ = stream.read(&mut [0; 1024]);
            return Err(error);
        }
    }
    Ok(StreamOwned::new(connection, stream))
}
