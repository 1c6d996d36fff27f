use std::{fmt, path::PathBuf, str::FromStr};

use tokio_postgres::config::{Config, Host, SslMode};

use crate::{Error, Result};

/// Where a shard is: a database, and its replicas.
///
/// ```text
/// postgres://USER:PASSWORD@HOST:PORT/DATABASE?sslmode=...&sslrootcert=FILE
/// postgres://USER:PASSWORD@HOST_1:PORT_1,HOST_2:PORT_2/DATABASE           replicas: the first that answers is asked
/// ```
///
/// | `sslmode` | connection |
/// |---|---|
/// | `verify-full` or `require`, the default | encrypted, with a certificate of the host by an authority that the system trusts, or that of `sslrootcert` |
/// | `disable`, the default on this machine | not encrypted |
///
/// Other keys are libpq's as far as tokio-postgres knows them (`connect_timeout`, `target_session_attrs`, `load_balance_hosts=random`). Shown, it is
/// hosts, ports and database, and never user or password.
#[derive(Clone)]
pub struct IndexAddress {
    pub(crate) config: Config,
    pub(crate) root_certificates: Option<PathBuf>,
    shown: String,
}

impl FromStr for IndexAddress {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let refuse = |problem: &str| Error::Address {
            // What cannot be read might hold a password anywhere.
            shown: secrets::shown_address(text),
            problem: problem.to_owned(),
        };
        if !(text.starts_with("postgres://") || text.starts_with("postgresql://")) {
            return Err(refuse("does not begin with `postgres://`"));
        }
        let (place, query) = text.split_once('?').unwrap_or((text, ""));
        let mut rest = Vec::new();
        let (mut mode, mut root_certificates) = (None, None);
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            match pair.split_once('=') {
                Some(("sslmode", "disable")) => mode = Some(SslMode::Disable),
                Some(("sslmode", "require" | "verify-full")) => mode = Some(SslMode::Require),
                Some(("sslmode", _)) => {
                    return Err(refuse(
                        "has another `sslmode` than `disable`, `require` or `verify-full`, the last two of which are the same: certificates are always checked",
                    ));
                }
                Some(("sslrootcert", path)) => root_certificates = Some(PathBuf::from(path)),
                Some(("password" | "user", _)) => {
                    return Err(refuse("has user or password elsewhere than before the `@`"));
                }
                _ => rest.push(pair),
            }
        }
        let plain = match rest.is_empty() {
            true => place.to_owned(),
            false => format!("{place}?{}", rest.join("&")),
        };
        // The library's message may quote the text.
        let mut config = Config::from_str(&plain).map_err(|_| {
            refuse("cannot be read as `postgres://USER:PASSWORD@HOST:PORT/DATABASE`")
        })?;
        if config.get_hosts().is_empty() {
            return Err(refuse("names no host"));
        }
        let is_here = config.get_hosts().iter().all(is_on_this_machine);
        config.ssl_mode(mode.unwrap_or(match is_here {
            true => SslMode::Disable,
            false => SslMode::Require,
        }));
        config.application_name("carrot-router");
        Ok(Self {
            shown: shown(&config),
            config,
            root_certificates,
        })
    }
}

fn is_on_this_machine(host: &Host) -> bool {
    match host {
        Host::Tcp(name) => ["localhost", "127.0.0.1", "::1"].contains(&name.as_str()),
        #[cfg(unix)]
        Host::Unix(_) => true,
    }
}

fn shown(config: &Config) -> String {
    const PORT: u16 = 5432;
    let ports = config.get_ports();
    let host = |(i, host): (usize, &Host)| {
        let name = match host {
            Host::Tcp(name) => name.clone(),
            #[cfg(unix)]
            Host::Unix(path) => path.display().to_string(),
        };
        // One port holds for all hosts.
        let port = ports.get(i).or_else(|| ports.first());
        format!("{name}:{}", port.unwrap_or(&PORT))
    };
    let hosts: Vec<String> = config.get_hosts().iter().enumerate().map(host).collect();
    match config.get_dbname() {
        Some(name) => format!("`{}/{name}`", hosts.join(",")),
        None => format!("`{}`", hosts.join(",")),
    }
}

impl IndexAddress {
    /// The database, to be shown.
    pub(crate) fn shown(&self) -> &str {
        &self.shown
    }
}

impl fmt::Display for IndexAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown)
    }
}

impl fmt::Debug for IndexAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("IndexAddress").field(&self.shown).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<IndexAddress> {
        text.parse()
    }

    #[test]
    fn nothing_secret_is_shown() {
        let text = "postgres://ann:s3cret@db.example,db2.example:5433/logs?sslmode=require";
        let address = parse(text).expect("good");
        assert_eq!(
            address.to_string(),
            "`db.example:5432,db2.example:5433/logs`"
        );
        assert_eq!(address.config.get_password(), Some(&b"s3cret"[..]));
        for shown in [format!("{address:?}"), format!("{address}")] {
            assert!(
                !shown.contains("s3cret") && !shown.contains("ann"),
                "{shown}"
            );
        }
        for bad in [
            "mysql://ann:s3cret@db/logs",
            "ann:s3cret@db/logs",
            "postgres://ann:s3cret@db:port/logs",
            "postgres://ann:s3cret@db/logs?connect_timeout=s3cret",
            "postgres://ann:s3cret@db/logs?sslmode=prefer",
            "postgres://db/logs?password=s3cret",
            "s3cret",
            "postgres://",
        ] {
            let error = parse(bad).expect_err(bad);
            let told = format!("{error} {error:?}");
            assert!(!told.contains("s3cret"), "{told}");
        }
    }

    #[test]
    fn connections_to_others_are_encrypted_unless_they_are_said_not_to_be() {
        for (text, expected) in [
            ("postgres://db/x", SslMode::Require),
            ("postgres://localhost,db/x", SslMode::Require),
            ("postgres://db/x?sslmode=verify-full", SslMode::Require),
            ("postgres://db/x?sslmode=disable", SslMode::Disable),
            ("postgres://localhost/x", SslMode::Disable),
            (
                "postgresql://127.0.0.1:1/x?sslmode=require",
                SslMode::Require,
            ),
        ] {
            assert_eq!(
                parse(text).expect(text).config.get_ssl_mode(),
                expected,
                "{text}"
            );
        }
        let address = parse("postgres://db/x?sslrootcert=/a/ca.pem&connect_timeout=3");
        let address = address.expect("good");
        assert_eq!(address.root_certificates, Some("/a/ca.pem".into()));
        assert_eq!(
            address.config.get_connect_timeout(),
            Some(&std::time::Duration::from_secs(3))
        );
    }
}
